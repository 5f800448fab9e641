// What a browser opens by an address: bodies of messages for frames, standalone pages, attachments, the raw message. Reading
// only, so that the session's cookie is enough. Everything here comes from strangers: see headers.ts for what holds it.
import { Readable } from 'node:stream'
import Router from '@koa/router'
import type { Mailboxes, MailboxMessage } from '@mox/plugin-sdk'
import { ZipWriter } from '@mox/plugin-sdk/io'
import { parseHeader } from '@mox/plugin-sdk/mail'
import type { Context } from 'koa'
import { partPath } from '../../api/model.ts'
import { CallError, type Caller } from '../call.ts'
import { decodedPart, slice } from './decoder.ts'
import { archiveFilename, archiveNames, attachmentDisposition, messageFilename } from './filenames.ts'
import { setHeaders } from './headers.ts'
import { BEGINNING_BYTES } from './limits.ts'
import type { PartFacts } from './outline.ts'
import { bodyDocument, standaloneDocument } from './pages.ts'
import { byteRange, matches } from './range.ts'
import { type Reader, UnreadableError } from './reader.ts'

export interface ContentRouteDeps {
  readonly mailboxes: Pick<Mailboxes, 'message' | 'open'>
  readonly reader: Reader
  /** Who has the session of the request's cookie; answers the request itself, or throws, when nobody has. */
  guard(ctx: Context): Promise<Caller | undefined>
  /** "/webmail/". */
  readonly prefix: string
  /** False only in the test that shows that the policy alone is enough. */
  readonly sanitised?: boolean
}

type Ctx = Context & { readonly params: Record<string, string> }
type Handler = (ctx: Ctx, message: MailboxMessage) => Promise<void>

const MODES = ['text', 'html', 'external'] as const
type Mode = (typeof MODES)[number]
const BODIES: ReadonlyMap<string, Mode> = new Map([
  ['text', 'text'],
  ['html', 'html'],
  ['htmlexternal', 'external'],
])

/** GET below `prefix` + "msg/". */
export function makeContentRoutes(deps: ContentRouteDeps): Router {
  const router = new Router({ prefix: `${deps.prefix}msg/:id` })
  const content = new Content(deps)
  const serve = (handler: Handler) => async (ctx: Ctx) => {
    const caller = await deps.guard(ctx)
    if (caller === undefined) return
    const id = /^[1-9]\d{0,14}$/.test(ctx.params['id'] ?? '') ? Number(ctx.params['id']) : 0
    const message = id === 0 ? undefined : await deps.mailboxes.message(id)
    if (message === undefined || message.account !== caller.account) return plain(ctx, 404, 'no such message')
    try {
      await handler(ctx, message)
    } catch (error) {
      if (error instanceof UnreadableError)
        plain(ctx, 422, 'this message could not be taken apart; the raw message can be downloaded')
      else if (error instanceof CallError && error.code === 'tooMany') plain(ctx, 429, error.message)
      else throw error
    }
  }
  const get = (path: string, handler: Handler): unknown => router.get(path, serve(handler) as never)
  get('/raw', content.raw)
  get('/rawdl', content.download)
  get('/attachments.zip', content.archive)
  for (const [name, mode] of BODIES) {
    get(`/${name}`, (ctx, message) => content.body(ctx, message, mode))
    get(`/msg${name}`, (ctx, message) => content.page(ctx, message, mode))
  }
  get('/view/:path', (ctx, message) => content.part(ctx, message, 'view'))
  get('/viewtext/:path', (ctx, message) => content.part(ctx, message, 'viewtext'))
  get('/download/:path', (ctx, message) => content.part(ctx, message, 'download'))
  return router
}

class Content {
  readonly #deps: ContentRouteDeps

  constructor(deps: ContentRouteDeps) {
    this.#deps = deps
  }

  raw: Handler = async (ctx, message) => {
    setHeaders(ctx, 'file')
    ctx.set('Content-Type', 'text/plain; charset=utf-8')
    ctx.set('Content-Length', String(message.size))
    ctx.body = Readable.from(await this.#deps.mailboxes.open(message.id))
  }

  download: Handler = async (ctx, message) => {
    setHeaders(ctx, 'file')
    ctx.set('Content-Type', await this.#messageType(message))
    ctx.set('Content-Disposition', attachmentDisposition(messageFilename(message.id, message.receivedAt)))
    ctx.set('Content-Length', String(message.size))
    ctx.body = Readable.from(await this.#deps.mailboxes.open(message.id))
  }

  archive: Handler = async (ctx, message) => {
    const { attachments, parts, subject } = await this.#deps.reader.outline(message.id, message.size)
    const files = parts.filter(({ path }) => attachments.includes(path))
    const names = archiveNames(files.map(({ filename }) => filename))
    setHeaders(ctx, 'file')
    ctx.set('Content-Type', 'application/zip')
    ctx.set('Content-Disposition', attachmentDisposition(archiveFilename(message.id, message.receivedAt, subject)))
    const zip = new ZipWriter()
    ctx.body = zip.output
    if (ctx.method === 'HEAD') return
    const write = async (): Promise<void> => {
      for (const [i, part] of files.entries()) {
        const bytes = decodedPart(await this.#deps.mailboxes.open(message.id), part)
        await zip.stream(names[i] ?? '', message.receivedAt, bytes, { stored: isCompressed(part) })
      }
      await zip.finish()
    }
    // The response has begun: a failure can only end it early.
    write().catch(error => zip.output.destroy(error))
    ctx.res.on('close', () => zip.output.destroy())
  }

  async body(ctx: Context, { id, size }: MailboxMessage, mode: Mode): Promise<void> {
    const content = await this.#content(id, size, mode)
    setHeaders(ctx, mode === 'external' ? 'bodyExternal' : 'body')
    ctx.set('Content-Type', 'text/html; charset=utf-8')
    ctx.body = bodyDocument(content)
  }

  async page(ctx: Context, { id, size }: MailboxMessage, mode: Mode): Promise<void> {
    const opened = await this.#deps.reader.open(id, size)
    const content = await this.#content(id, size, mode)
    setHeaders(ctx, mode === 'external' ? 'pageExternal' : 'page')
    ctx.set('Content-Type', 'text/html; charset=utf-8')
    ctx.body = standaloneDocument(opened, content)
  }

  async part(ctx: Ctx, message: MailboxMessage, how: 'view' | 'viewtext' | 'download'): Promise<void> {
    const path = ctx.params['path'] ?? ''
    if (!partPath.safeParse(path).success) return plain(ctx, 404, 'no such part')
    const { parts } = await this.#deps.reader.outline(message.id, message.size)
    const part = parts.find(p => p.path === path)
    if (part === undefined || part.contentType.startsWith('multipart/')) return plain(ctx, 404, 'no such part')
    if (how === 'viewtext' || (how === 'view' && part.viewable === 'text')) await this.#text(ctx, message, path)
    else if (how === 'view' && part.viewable !== 'none')
      await this.#file(ctx, message, part, part.viewable === 'pdf' ? 'pdf' : 'file', part.contentType)
    else {
      ctx.set('Content-Disposition', attachmentDisposition(part.filename || 'attachment.bin'))
      await this.#file(ctx, message, part, 'file', 'application/octet-stream')
    }
  }

  async #content(id: number, size: number, mode: Mode) {
    return await this.#deps.reader.read(id, size, { kind: 'body', mode, sanitised: this.#deps.sanitised ?? true })
  }

  async #text(ctx: Context, { id, size }: MailboxMessage, path: string): Promise<void> {
    const found = await this.#deps.reader.read(id, size, { kind: 'part-text', path })
    if (found === null) return plain(ctx, 404, 'no such part')
    setHeaders(ctx, 'file')
    ctx.set('Content-Type', 'text/plain; charset=utf-8')
    ctx.body = found.truncated ? `${found.text}\n\n[The end of this long text is left out.]\n` : found.text
  }

  /** The content of a part never changes, so that the browser need not fetch it twice; whether it may have it does. */
  async #file(ctx: Context, message: MailboxMessage, part: PartFacts, policy: 'file' | 'pdf', type: string) {
    const etag = `"${message.id}-${part.path}"`
    setHeaders(ctx, policy, 'revalidated')
    ctx.set('ETag', etag)
    ctx.set('Accept-Ranges', 'bytes')
    if (matches(ctx.get('If-None-Match'), etag)) {
      ctx.remove('Content-Disposition')
      ctx.status = 304
      return
    }
    const ifRange = ctx.get('If-Range')
    const range = ifRange === '' || ifRange === etag ? byteRange(ctx.get('Range'), part.size) : 'all'
    if (range === 'unsatisfiable') {
      ctx.set('Content-Range', `bytes */${part.size}`)
      return plain(ctx, 416, 'no such range')
    }
    const { start, end } = range === 'all' ? { start: 0, end: part.size } : range
    if (range !== 'all') {
      ctx.status = 206
      ctx.set('Content-Range', `bytes ${start}-${end - 1}/${part.size}`)
    }
    ctx.set('Content-Type', type)
    const bytes = decodedPart(await this.#deps.mailboxes.open(message.id), part)
    // Before the body, which would take the length away.
    ctx.body = ctx.method === 'HEAD' ? null : Readable.from(slice(bytes, start, end))
    if (ctx.method === 'HEAD') ctx.status = range === 'all' ? 200 : 206
    ctx.set('Content-Type', type)
    ctx.set('Content-Length', String(end - start))
  }

  /** RFC 6532 §3.7: message/global for a header that is not ASCII. */
  async #messageType(message: MailboxMessage): Promise<string> {
    const start: Buffer[] = []
    for await (const chunk of slice(await this.#deps.mailboxes.open(message.id), 0, BEGINNING_BYTES)) start.push(chunk)
    const bytes = Buffer.concat(start)
    const header = bytes.toString('latin1', 0, parseHeader(bytes).length)
    return /[\x80-\xff]/.test(header) ? 'message/global' : 'message/rfc822'
  }
}

/** Deflating these again costs time and gains nothing. */
function isCompressed({ contentType, kind, filename }: PartFacts): boolean {
  if (/^image\/(?!svg|bmp|tiff)|^(?:video|audio)\//.test(contentType) || kind === 'archive' || kind === 'pdf')
    return true
  return /\.(?:docx|xlsx|pptx|od[tsp]|jar|apk|epub|mp[34]|m4a|webm|webp)$/i.test(filename)
}

function plain(ctx: Context, status: number, text: string): void {
  setHeaders(ctx, 'file')
  ctx.remove('Content-Disposition')
  ctx.status = status
  ctx.body = `${text}\n`
  ctx.set('Content-Type', 'text/plain; charset=utf-8')
}
