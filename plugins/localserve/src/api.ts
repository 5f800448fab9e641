// The page's HTTP side: the page itself, JSON about messages, their source and parts, and a stream of changes. Reading
// needs no login: it is a test server that listens on loopback.
import { readFile } from 'node:fs/promises'
import { PassThrough, Readable } from 'node:stream'
import Router from '@koa/router'
import type { Clock, QueueControl, QueueRepository, StoredMessage } from '@mox/plugin-sdk'
import { decodeBody, parseStructure, safeFilename, textParts } from '@mox/plugin-sdk/mail'
import type { Context } from 'koa'
import type { Status } from './api-types.ts'
import { queueRoutes } from './queue-api.ts'
import { changeRoute } from './queue-change.ts'
import { QUERY_LENGTH } from './queue-filter.ts'
import { checkOwnPage } from './requests.ts'
import { describeMessage, findPart, listMessages, type Stores, sourceOf } from './view.ts'

/** Streams of changes at the same time; one more is refused with 503. */
export const MAX_STREAMS = 100
/** Messages in one page of the list. */
const MAX_LIST = 200

/** Scripts and styles are inside the page; images may be data URLs; the message frame is our own. */
export const PAGE_POLICY =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

export interface ApiOptions {
  readonly stores: Stores
  readonly queue: QueueControl
  readonly clock: Clock
  /** Calls back after every change of a message; returns how to stop. */
  readonly onChange: (listener: () => void) => () => void
  readonly streams: Set<PassThrough>
  readonly pageFile: string
  /** Where a browser that opens / is sent. */
  readonly home: string | undefined
}

export function pageRoutes(options: ApiOptions): Router {
  const { stores } = options
  const router = new Router()

  const page = async (ctx: Context): Promise<void> => {
    ctx.type = 'text/html; charset=utf-8'
    ctx.set('Cache-Control', 'no-cache')
    ctx.body = await readFile(options.pageFile)
  }
  // Without a slash at the end, as the page asks for what is beside it.
  router.get('/messages', page)
  router.get('/', async ctx => {
    ctx.vary('Accept')
    // Programs that ask whether somebody is here are answered here.
    if (options.home !== undefined && ctx.get('Accept').includes('text/html')) ctx.redirect(options.home)
    else await page(ctx)
  })
  router.get('/api/status', async ctx => {
    const { paused, running } = options.queue.status()
    const home = options.home === undefined ? {} : { home: options.home }
    ctx.body = { paused, running, queued: await stores.queue.count({}), ...home } satisfies Status
  })
  queueRoutes(router, { control: options.queue, queue: stores.queue, clock: options.clock })
  router.get('/api/messages', async ctx => {
    const before = number(ctx, 'before')
    ctx.body = await listMessages(stores, {
      ...{ to: text(ctx, 'to'), from: text(ctx, 'from'), subject: text(ctx, 'subject'), after: number(ctx, 'after') },
      limit: Math.min(number(ctx, 'limit') ?? 50, MAX_LIST),
      ...(before === undefined ? {} : { before }),
    })
  })
  router.get('/api/messages/:id', async ctx => {
    ctx.body = await describeMessage(stores, await messageOf(ctx, stores))
  })
  router.get('/api/messages/:id/source', async ctx => {
    const message = await messageOf(ctx, stores)
    ctx.type = 'text/plain; charset=utf-8'
    ctx.set('Content-Security-Policy', "default-src 'none'; sandbox")
    ctx.body = Readable.from(wholeMessage(stores, message))
  })
  router.get('/api/messages/:id/html', async ctx => {
    const bytes = await sourceOf(stores, await messageOf(ctx, stores))
    const { html, attachments } = textParts(parseStructure(bytes))
    if (html === undefined) return ctx.throw(404, 'the message has no HTML part')
    ctx.type = 'text/html; charset=utf-8'
    // Loaded when first needed: the sanitiser is large, and most messages are looked at without it.
    const { FRAME_POLICY, safeHtml } = await import('./html.ts')
    ctx.set('Content-Security-Policy', FRAME_POLICY)
    ctx.set('X-Frame-Options', 'SAMEORIGIN')
    ctx.body = safeHtml(bytes, html, attachments)
  })
  router.get('/api/messages/:id/parts/:path', async ctx => {
    const bytes = await sourceOf(stores, await messageOf(ctx, stores))
    const part = findPart(parseStructure(bytes), ctx.params['path'] ?? '')
    if (part === undefined) return ctx.throw(404, 'the message has no such part')
    // Always a download, never shown by the browser: its type is the sender's word.
    ctx.attachment(safeFilename(part.filename ?? `part-${part.path}`))
    ctx.type = 'application/octet-stream'
    ctx.set('Content-Security-Policy', "default-src 'none'; sandbox")
    ctx.body = decodeBody(bytes, part)
  })
  router.get('/api/events', ctx => {
    if (options.streams.size >= MAX_STREAMS) return ctx.throw(503, 'too many open pages')
    const stream = new PassThrough()
    options.streams.add(stream)
    const stop = options.onChange(() => {
      if (stream.writableLength < 65_536) stream.write('event: change\ndata: {}\n\n')
    })
    const end = (): void => {
      stop()
      options.streams.delete(stream)
    }
    stream.on('close', end)
    ctx.res.on('close', () => stream.destroy())
    ctx.type = 'text/event-stream'
    ctx.set('Cache-Control', 'no-store')
    stream.write('retry: 1000\n\n')
    ctx.body = stream
  })
  return router
}

/** POST /admin/queue/pause, /resume and /kick, and /change for recipients. */
export function adminRoutes(queue: QueueControl, repository: QueueRepository, clock: Clock): Router {
  const router = new Router({ prefix: '/admin' })
  const change = changeRoute(queue, repository, clock)
  router.post('/queue/:action', async ctx => {
    checkOwnPage(ctx)
    const action = ctx.params['action']
    if (action === 'change') return await change(ctx)
    if (action !== 'pause' && action !== 'resume' && action !== 'kick')
      return ctx.throw(404, 'actions are pause, resume, kick and change')
    queue[action]()
    ctx.status = 204
  })
  return router
}

async function* wholeMessage(stores: Stores, message: StoredMessage): AsyncIterable<Buffer> {
  yield message.prefix
  yield* stores.content.open(message.contentId)
}

async function messageOf(ctx: Context & { params: Record<string, string> }, stores: Stores): Promise<StoredMessage> {
  const id = /^\d{1,15}$/.test(ctx.params['id'] ?? '') ? Number(ctx.params['id']) : undefined
  const message = id === undefined ? undefined : await stores.messages.get(id)
  return message ?? ctx.throw(404, 'no such message')
}

function text(ctx: Context, name: string): string | undefined {
  const value = ctx.query[name]
  if (value === undefined || (typeof value === 'string' && value.length <= QUERY_LENGTH)) return value
  return ctx.throw(400, `${name} must be given once, with at most ${QUERY_LENGTH} characters`)
}

function number(ctx: Context, name: string): number | undefined {
  const value = ctx.query[name]
  if (value === undefined) return undefined
  if (typeof value !== 'string' || !/^[1-9]\d{0,14}$/.test(value))
    return ctx.throw(400, `${name} must be a positive whole number`)
  return Number(value)
}
