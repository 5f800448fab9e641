// The content endpoints alone, over messages in memory: what a browser gets for an address.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock, MailboxMessage } from '@mox/plugin-sdk'
import { collectingLog } from '@mox/plugin-sdk/testkit'
import Koa, { type Context } from 'koa'
import { CallError } from '../src/server/call.ts'
import { makeContentRoutes } from '../src/server/content/endpoints.ts'
import type { ImageProxy } from '../src/server/content/image-proxy.ts'
import { Reader } from '../src/server/content/reader.ts'

/** Real time: a thread is waited for. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, work) => {
    const timer = setTimeout(work, ms).unref()
    return () => clearTimeout(timer)
  },
  sleep: async () => {},
}

export const RECEIVED_AT: number = Date.UTC(2026, 10, 24, 10, 30)

export class MemoryMessages {
  readonly #messages = new Map<number, { readonly account: string; readonly bytes: Buffer }>()

  /** The id of the new message. Line ends may be LF. */
  add(message: string | Buffer, account = 'alice'): number {
    const id = this.#messages.size + 1
    const bytes = Buffer.isBuffer(message) ? message : Buffer.from(message.replace(/\r?\n/g, '\r\n'))
    this.#messages.set(id, { account, bytes })
    return id
  }

  async message(id: number): Promise<MailboxMessage | undefined> {
    const found = this.#messages.get(id)
    if (found === undefined) return undefined
    const known = { id, account: found.account, size: found.bytes.length, receivedAt: RECEIVED_AT, messageId: 0 }
    return known as MailboxMessage
  }

  async open(id: number): Promise<AsyncIterable<Buffer>> {
    const bytes = this.#messages.get(id)?.bytes
    if (bytes === undefined) throw new Error('it is gone')
    // Small pieces, so that everything falls across their ends.
    return (async function* () {
      for (let at = 0; at < bytes.length; at += 1_000) yield bytes.subarray(at, at + 1_000)
    })()
  }
}

export interface ContentHost {
  readonly messages: MemoryMessages
  /** "http://127.0.0.1:PORT/webmail/" */
  readonly url: string
  get(path: string, headers?: Readonly<Record<string, string>>, method?: string): Promise<Response>
  close(): Promise<void>
}

/** `policy: false`: without any header that holds content. `page` is served at "/webmail/". */
export async function openContent(
  options: {
    readonly sanitised?: boolean
    readonly policy?: boolean
    readonly page?: () => string
    /** Fetches images from elsewhere. */
    readonly images?: ImageProxy
  } = {},
): Promise<ContentHost> {
  const messages = new MemoryMessages()
  const reader = new Reader({ mailboxes: messages, clock: systemClock, log: collectingLog() }, 60_000)
  const routes = makeContentRoutes({ mailboxes: messages, reader, sanitised: options.sanitised ?? true, ...options })
  const caller = {
    account: 'alice',
    loginAddress: 'alice@example.org',
    sessionId: 's',
    remoteIp: '',
    userAgent: '',
    host: '',
  }
  const app = new Koa()
  app.use(async (ctx: Context) => {
    // As the http plugin sets it for everything.
    ctx.set('Cross-Origin-Opener-Policy', 'same-origin')
    const rest = ctx.path.slice('/webmail/'.length)
    if (rest === '') {
      ctx.type = 'text/html; charset=utf-8'
      ctx.body = options.page?.() ?? ''
      // As the app's own page has it: a frame cannot be led anywhere else.
      if (options.policy !== false) ctx.set('Content-Security-Policy', "default-src 'none'; frame-src 'self'")
      return
    }
    const link = /^image\/(.+)$/.exec(rest)?.[1]
    if (link !== undefined) {
      await options.images?.serve(ctx, link)
      return
    }
    for (const route of routes) {
      const match = route.path.exec(rest)
      if (match === null) continue
      try {
        if (route.auth === 'cookie') await route.handle(ctx, [caller], match)
      } catch (error) {
        if (!(error instanceof CallError)) throw error
        ctx.status = error.code === 'notFound' ? 404 : 422
        ctx.body = error.message
      }
      if (options.policy === false)
        for (const name of ['Content-Security-Policy', 'X-Frame-Options', 'X-Content-Type-Options']) ctx.remove(name)
      return
    }
  })
  const server = createServer((request, response) => void app.callback()(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webmail/`
  return {
    messages,
    url,
    get: async (path, headers = {}, method = 'GET') =>
      await fetch(new URL(path, url), { headers, method, redirect: 'manual' }),
    close: async () => {
      reader.close()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
