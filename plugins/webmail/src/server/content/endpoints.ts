// What a browser opens by an address: bodies of messages for frames, standalone pages, attachments, the raw message. Reading
// only, so that the session's cookie is enough. Everything here comes from strangers: see headers.ts for what holds it.
import { isUtf8 } from 'node:buffer'
import { Readable } from 'node:stream'
import type { Mailboxes, MailboxMessage } from '@mox/plugin-sdk'
import { ZipWriter } from '@mox/plugin-sdk/io'
import { parseHeader, safeFilename } from '@mox/plugin-sdk/mail'
import type { Context } from 'koa'
import { partPath } from '../../api/model.ts'
import { CallError } from '../call.ts'
import type { Route } from '../part.ts'
import { decodedPart, PartsReader, slice } from './decoder.ts'
import { archiveFilename, archiveNames, attachmentDisposition, messageFilename } from './filenames.ts'
import { setHeaders } from './headers.ts'
import type { ImageProxy } from './image-proxy.ts'
import { imageType } from './images.ts'
import { BEGINNING_BYTES } from './limits.ts'
import type { PartFacts } from './outline.ts'
import { bodyDocument, standaloneDocument } from './pages.ts'
import { byteRange, matches } from './range.ts'
import { type Reader, UnreadableError } from './reader.ts'

export interface ContentRouteDeps {
  readonly mailboxes: Pick<Mailboxes, 'message' | 'open'>
  readonly reader: Reader
  /** Fetches images from elsewhere; absent: browsers do. */
  readonly images?: ImageProxy
  /** False only in the test that shows that the policy alone is enough. */
  readonly sanitised?: boolean
}

/** `path` is that of a part, '' where none is named. */
type Handler = (ctx: Context, message: MailboxMessage, path: string) => Promise<void>

type Mode = 'text' | 'html' | 'external'
const BODIES: ReadonlyMap<string, Mode> = new Map([
  ['text', 'text'],
  ['html', 'html'],
  ['htmlexternal', 'external'],
])

/** GET below "msg/". */
export function makeContentRoutes(deps: ContentRouteDeps): Route[] {
  const content = new Content(deps)
  const handlers = new Map<string, Handler>([
    ['raw', content.raw],
    ['rawdl', content.download],
    ['attachments.zip', content.archive],
    ...[...BODIES].map(([name, mode]): [string, Handler] => [name, (ctx, message) => content.body(ctx, message, mode)]),
    ...[...BODIES].map(([name, mode]): [string, Handler] => [
      `msg${name}`,
      (ctx, message) => content.page(ctx, message, mode),
    ]),
  ])
  const parts = new Map<string, Handler>(
    (['view', 'viewtext', 'message', 'download'] as const).map(how => [
      how,
      (ctx, message, path) => content.part(ctx, message, path, how),
    ]),
  )
  const zipped = new Map<string, Handler>([
    ['zipview', (ctx, message, path) => content.zipped(ctx, message, path, true)],
    ['zipdownload', (ctx, message, path) => content.zipped(ctx, message, path, false)],
  ])
  const route = (path: RegExp, names: ReadonlyMap<string, Handler>): Route => ({
    method: 'GET',
    auth: 'cookie',
    path,
    handle: async (ctx, callers, [, id = '', name = '', part = '']) => {
      const handler = names.get(name)
      const message = await deps.mailboxes.message(Number(id))
      const own = message !== undefined && callers.some(({ account }) => account === message.account)
      if (handler === undefined || message === undefined || !own)
        throw new CallError('notFound', 'there is nothing here')
      try {
        await handler(ctx, message, part)
      } catch (error) {
        if (!(error instanceof UnreadableError)) throw error
        throw new CallError('refused', 'this message could not be taken apart; its raw form can be downloaded')
      }
    },
  })
  return [
    route(/^msg\/([1-9]\d{0,14})\/([a-z.]+)$/, handlers),
    route(/^msg\/([1-9]\d{0,14})\/([a-z]+)\/([\d.]+)$/, parts),
    route(/^msg\/([1-9]\d{0,14})\/(zipview|zipdownload)\/([\d.]+\/\d{1,4})$/, zipped),
  ]
}

const NO_PART = new CallError('notFound', 'the message has no such part')

class Content {
  readonly #deps: ContentRouteDeps
  readonly #sanitised: boolean

  constructor(deps: ContentRouteDeps) {
    this.#deps = deps
    this.#sanitised = deps.sanitised ?? true
  }

  raw: Handler = async (ctx, message) => {
    setHeaders(ctx, 'file')
    ctx.body = Readable.from(await this.#deps.mailboxes.open(message.id))
    ctx.set('Content-Type', 'text/plain; charset=utf-8')
    ctx.set('Content-Length', String(message.size))
  }

  download: Handler = async (ctx, message) => {
    setHeaders(ctx, 'file')
    const type = await this.#messageType(message)
    ctx.body = Readable.from(await this.#deps.mailboxes.open(message.id))
    ctx.set('Content-Type', type)
    ctx.set('Content-Disposition', attachmentDisposition(messageFilename(message.id, message.receivedAt)))
    ctx.set('Content-Length', String(message.size))
  }

  archive: Handler = async (ctx, message) => {
    const { attachments, parts, subject } = await this.#deps.reader.outline(message.id, message.size)
    const files = parts.filter(({ path }) => attachments.includes(path)).sort((a, b) => a.start - b.start)
    const names = archiveNames(files.map(({ filename }) => filename))
    setHeaders(ctx, 'file')
    ctx.set('Content-Disposition', attachmentDisposition(archiveFilename(message.id, message.receivedAt, subject)))
    const zip = new ZipWriter()
    ctx.body = zip.output
    ctx.set('Content-Type', 'application/zip')
    if (ctx.method === 'HEAD') return
    const write = async (): Promise<void> => {
      const reader = new PartsReader(() => this.#deps.mailboxes.open(message.id))
      try {
        for (const [i, part] of files.entries())
          await zip.stream(names[i] ?? '', message.receivedAt, reader.read(part), { stored: isCompressed(part) })
        await zip.finish()
      } finally {
        await reader.close()
      }
    }
    // The response has begun: a failure can only end it early.
    write().catch(error => zip.output.destroy(error))
    ctx.res.on('close', () => zip.output.destroy())
  }

  async body(ctx: Context, message: MailboxMessage, mode: Mode): Promise<void> {
    const content = await this.#content(message, mode)
    setHeaders(ctx, mode === 'external' ? `body${this.#source}` : 'body')
    ctx.set('Content-Type', 'text/html; charset=utf-8')
    ctx.body = bodyDocument(content)
  }

  async page(ctx: Context, message: MailboxMessage, mode: Mode): Promise<void> {
    const opened = await this.#deps.reader.open(message.id, message.size)
    const content = await this.#content(message, mode)
    setHeaders(ctx, mode === 'external' ? `page${this.#source}` : 'page')
    ctx.set('Content-Type', 'text/html; charset=utf-8')
    ctx.body = standaloneDocument(opened, content)
  }

  async part(
    ctx: Context,
    message: MailboxMessage,
    path: string,
    how: 'view' | 'viewtext' | 'message' | 'download',
  ): Promise<void> {
    if (!partPath.safeParse(path).success) throw NO_PART
    const { parts } = await this.#deps.reader.outline(message.id, message.size)
    const part = parts.find(p => p.path === path)
    if (part === undefined || part.contentType.startsWith('multipart/')) throw NO_PART
    const asText = part.viewable === 'text' || part.viewable === 'message'
    if (how === 'message') await this.#embedded(ctx, message, path)
    else if (how === 'viewtext' || (how === 'view' && asText)) await this.#text(ctx, message, path)
    else if (how === 'view' && part.viewable !== 'none' && part.viewable !== 'zip')
      await this.#file(ctx, message, part, part.viewable === 'pdf' ? 'pdf' : 'file', part.contentType)
    else {
      ctx.set('Content-Disposition', attachmentDisposition(part.filename || 'attachment.bin'))
      await this.#file(ctx, message, part, 'file', 'application/octet-stream')
    }
  }

  /** One file of a zip archive; `path`: "0.1/17". */
  async zipped(ctx: Context, { id, size }: MailboxMessage, path: string, view: boolean): Promise<void> {
    const [part = '', index = ''] = path.split('/')
    if (!partPath.safeParse(part).success) throw NO_PART
    const entry = await this.#deps.reader.read(id, size, { kind: 'zip-entry', path: part, index: Number(index) })
    if (entry === null) throw NO_PART
    const bytes = Buffer.from(entry.bytes.buffer, entry.bytes.byteOffset, entry.bytes.byteLength)
    const name = entry.name.split('/').at(-1) ?? ''
    const image = imageType(bytes)
    setHeaders(ctx, 'file')
    ctx.body = bytes
    if (view && image !== undefined) ctx.set('Content-Type', image)
    else if (view && isText(bytes)) ctx.set('Content-Type', 'text/plain; charset=utf-8')
    else {
      ctx.set('Content-Type', 'application/octet-stream')
      ctx.set('Content-Disposition', attachmentDisposition(safeFilename(name) || 'attachment.bin'))
    }
  }

  get #source(): 'External' | 'Proxied' {
    return this.#deps.images === undefined ? 'External' : 'Proxied'
  }

  async #content({ id, size, account }: MailboxMessage, mode: Mode) {
    const images = this.#deps.images?.grant(account)
    const request = { kind: 'body', mode, sanitised: this.#sanitised } as const
    return await this.#deps.reader.read(id, size, { ...request, ...(images && { images }) })
  }

  async #embedded(ctx: Context, { id, size }: MailboxMessage, path: string): Promise<void> {
    const found = await this.#deps.reader.read(id, size, { kind: 'embedded', path, sanitised: this.#sanitised })
    if (found === null) throw NO_PART
    setHeaders(ctx, 'body')
    ctx.set('Content-Type', 'text/html; charset=utf-8')
    ctx.body = standaloneDocument(found.opened, found.content, '')
  }

  async #text(ctx: Context, { id, size }: MailboxMessage, path: string): Promise<void> {
    const found = await this.#deps.reader.read(id, size, { kind: 'part-text', path })
    if (found === null) throw NO_PART
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
      ctx.remove('Content-Disposition')
      ctx.set('Content-Type', 'text/plain; charset=utf-8')
      ctx.set('Content-Range', `bytes */${part.size}`)
      ctx.status = 416
      ctx.body = 'no such range\n'
      return
    }
    const { start, end } = range === 'all' ? { start: 0, end: part.size } : range
    if (range !== 'all') {
      ctx.status = 206
      ctx.set('Content-Range', `bytes ${start}-${end - 1}/${part.size}`)
    }
    const bytes = decodedPart(await this.#deps.mailboxes.open(message.id), part)
    ctx.body = Readable.from(slice(bytes, start, end))
    // After the body, which sets both.
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

/** UTF-8 without NUL, which people can read. */
function isText(bytes: Buffer): boolean {
  return isUtf8(bytes) && !bytes.includes(0)
}

/** Deflating these again costs time and gains nothing. */
function isCompressed({ contentType, kind, filename }: PartFacts): boolean {
  if (/^image\/(?!svg|bmp|tiff)|^(?:video|audio)\//.test(contentType) || kind === 'archive' || kind === 'pdf')
    return true
  return /\.(?:docx|xlsx|pptx|od[tsp]|jar|apk|epub|mp[34]|m4a|webm|webp)$/i.test(filename)
}
