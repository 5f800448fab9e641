// One-click unsubscription (RFC 8058): links that say, signed, who stops getting what, and the page behind them. The link
// works without a login and for ever; it can do nothing but suppress that one address in that one stream.
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Events, Job, Log, Retired, Storage, Suppressions } from '@mox/plugin-sdk'
import { pathToString } from '@mox/plugin-sdk/mail'
import type { Context } from 'koa'
import { MAX_RECIPIENTS } from './limits.ts'
import { escapeHtml, PAGE_POLICY, page } from './web/page.ts'

export const SECRET_BYTES = 32
/** Octets of the request that a mail program or the page sends. */
export const MAX_FORM = 4_096
/** Characters of a token. */
export const MAX_TOKEN = 2_000
const ONE_CLICK = 'List-Unsubscribe=One-Click'

export interface Subscription {
  readonly account: string
  readonly stream: string
  /** "local@domain". */
  readonly address: string
  /** Message-ID of the message with the link. */
  readonly messageId: string
}

export interface UnsubscribeServices {
  readonly storage: Storage
  readonly suppressions: Suppressions | undefined
  readonly events: Events | undefined
  readonly log: Log
}

export class Unsubscribe {
  readonly #services: UnsubscribeServices
  readonly #base: string
  #secret: Buffer = Buffer.alloc(0)

  /** `base`: the URL that tokens are appended to. */
  constructor(services: UnsubscribeServices, base: string) {
    this.#services = services
    this.#base = base
  }

  set secret(text: string) {
    this.#secret = Buffer.from(text)
  }

  /** List-Unsubscribe and List-Unsubscribe-Post. */
  headers(subscription: Subscription): readonly (readonly [name: string, value: string])[] {
    return [
      ['List-Unsubscribe', `<${this.#base}${this.token(subscription)}>`],
      ['List-Unsubscribe-Post', ONE_CLICK],
    ]
  }

  token({ account, stream, address, messageId }: Subscription): string {
    const payload = Buffer.from(JSON.stringify([account, stream, address, messageId])).toString('base64url')
    return `${payload}.${this.#sign(payload)}`
  }

  /** Undefined when it is not one of ours. */
  read(token: string): Subscription | undefined {
    if (token.length > MAX_TOKEN) return undefined
    const [payload = '', signature = '', ...rest] = token.split('.')
    const [given, right] = [Buffer.from(signature), Buffer.from(this.#sign(payload))]
    if (rest.length > 0 || given.length !== right.length || !timingSafeEqual(given, right)) return undefined
    const [account, stream, address, messageId] = JSON.parse(Buffer.from(payload, 'base64url').toString()) as string[]
    return { account: account ?? '', stream: stream ?? '', address: address ?? '', messageId: messageId ?? '' }
  }

  #sign(payload: string): string {
    return createHmac('sha256', this.#secret).update(`unsubscribe ${payload}`).digest('base64url').slice(0, 32)
  }

  /** GET asks, POST does. `token`: the rest of the path. */
  async serve(ctx: Context, token: string): Promise<void> {
    ctx.set('Content-Security-Policy', PAGE_POLICY)
    ctx.set('Cache-Control', 'no-store')
    ctx.set('Referrer-Policy', 'no-referrer')
    const subscription = this.read(token)
    if (subscription === undefined)
      return show(
        ctx,
        404,
        'Unknown link',
        'This link is not complete. Copy all of it from the message, or answer the message.',
      )
    if (ctx.method === 'GET' || ctx.method === 'HEAD') return ask(ctx, subscription)
    if (ctx.method !== 'POST') {
      ctx.set('Allow', 'GET, HEAD, POST')
      return show(ctx, 405, 'Not possible', 'Open the link in a browser.')
    }
    // Said only when it is true: a link may be older than the configuration.
    if (this.#services.suppressions === undefined)
      return show(ctx, 501, 'Not possible now', 'Please answer the message to unsubscribe.')
    const chunks: Buffer[] = []
    for await (const chunk of ctx.req as AsyncIterable<Buffer>) chunks.push(chunk)
    // Url-encoded or multipart: RFC 8058 §3.2 allows both.
    const form = Buffer.concat(chunks).toString('latin1')
    const multipart = /name="?List-Unsubscribe"?\r\n(?:[^\r\n]+\r\n)*\r\nOne-Click/i
    if (!form.split('&').includes(ONE_CLICK) && !multipart.test(form))
      return show(ctx, 400, 'Not understood', `The request must have ${ONE_CLICK}.`)
    await this.#carryOut(subscription, token)
    show(ctx, 200, 'Unsubscribed', `${subscription.address} gets no more of these messages.`)
  }

  async #carryOut({ account, stream, address, messageId }: Subscription, token: string): Promise<void> {
    const { storage, suppressions, events, log } = this.#services
    const found = await this.#sent(account, messageId, address)
    const message = found === undefined ? undefined : await storage.messages.get(found.messageId)
    await storage.write(async () => {
      const entry = await suppressions?.add({
        ...{ account, stream, address, cause: 'unsubscribe', reason: 'unsubscribed by a link in a message' },
        ...(found === undefined ? {} : { queueId: found.id }),
      })
      await events?.add({
        ...{ account, stream, kind: 'unsubscribed', recipient: address, messageIdHeader: messageId },
        ...{ queueId: found?.id ?? 0, messageId: found?.messageId ?? 0, subject: message?.subject ?? '' },
        ...{ fromId: found?.fromId ?? '', extra: found?.extra ?? {}, dsn: false, suppressing: entry !== undefined },
        ...{ code: 0, enhanced: '', error: '', attempt: 0, remoteMta: '', dedupe: `unsubscribe ${token}` },
      })
    })
    log.info({ account, stream, messageId: found?.messageId ?? 0 }, 'a recipient unsubscribed')
  }

  /** What was sent to the address; undefined when it is not kept any more. */
  async #sent(account: string, messageIdHeader: string, address: string): Promise<Job | Retired | undefined> {
    const { queue, history } = this.#services.storage
    const filter = { account, messageIdHeader }
    const page = { limit: MAX_RECIPIENTS }
    const is = (job: Job | Retired) => pathToString(job.recipient).toLowerCase() === address.toLowerCase()
    return (await queue.list(filter, page)).find(is) ?? (await history.list(filter, page)).find(is)
  }
}

function ask(ctx: Context, { address }: Subscription): void {
  const form = `<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click"><button>Unsubscribe</button></form>`
  ctx.status = 200
  ctx.type = 'text/html; charset=utf-8'
  ctx.body = page(
    'Unsubscribe',
    `<h1>Unsubscribe</h1>\n<p>Send ${escapeHtml(address)} no more of these messages?</p>\n${form}`,
  )
}

function show(ctx: Context, status: number, title: string, text: string): void {
  ctx.status = status
  ctx.type = 'text/html; charset=utf-8'
  ctx.body = page(title, `<h1>${escapeHtml(title)}</h1>\n<p>${escapeHtml(text)}</p>`)
}
