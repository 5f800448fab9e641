// Fetches images for people who read mail, so that its sender learns neither their address nor which program they read it with. Only
// what a link of ours names, only from the public internet, only images, bounded in size, time and number.
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import type { Clock } from '@mox/plugin-sdk'
import type { Egress } from '@mox/plugin-sdk/io'
import type { Context } from 'koa'
import { setHeaders } from './headers.ts'
import { IMAGE_START, type ImageGrant, imageType, openLink } from './images.ts'
import {
  IMAGE_BYTES,
  IMAGE_HEADER_BYTES,
  IMAGE_LINK_MS,
  IMAGE_REDIRECTS,
  IMAGE_TIMEOUT_MS,
  IMAGES_AT_ONCE,
  IMAGES_OF_ACCOUNT,
} from './limits.ts'

export interface ImageProxyDeps {
  readonly clock: Clock
  readonly egress: Egress
  readonly key: Uint8Array
}

export class ImageProxy {
  readonly #deps: ImageProxyDeps
  readonly #running = new Map<string, number>()
  #all = 0
  readonly #stopping = new AbortController()

  constructor(deps: ImageProxyDeps) {
    this.#deps = deps
  }

  /** Links of one hour are alike, so that a browser fetches an image once. */
  grant(account: string): ImageGrant {
    const { clock, key } = this.#deps
    return { key, account, until: (Math.floor(clock.now() / IMAGE_LINK_MS) + 2) * IMAGE_LINK_MS }
  }

  /** A request for `image/LINK`. */
  async serve(ctx: Context, link: string): Promise<void> {
    const { clock, key } = this.#deps
    const granted = openLink(key, link, clock.now())
    if (granted === undefined) return refuse(ctx, 404, 'this link is not good any more; open the message again')
    const { account, url } = granted
    const running = this.#running.get(account) ?? 0
    if (running >= IMAGES_OF_ACCOUNT || this.#all >= IMAGES_AT_ONCE) {
      ctx.set('Retry-After', '5')
      return refuse(ctx, 503, 'too many images are being fetched')
    }
    this.#count(account, 1)
    const over = new AbortController()
    const cancel = clock.after(IMAGE_TIMEOUT_MS, () => over.abort())
    ctx.res.once('close', () => {
      cancel()
      over.abort()
      this.#count(account, -1)
    })
    try {
      await this.#fetch(ctx, url, AbortSignal.any([over.signal, this.#stopping.signal]))
    } catch {
      refuse(ctx, 502, 'the image cannot be had')
    }
  }

  stop(): void {
    this.#stopping.abort()
  }

  #count(account: string, by: number): void {
    this.#all += by
    const n = (this.#running.get(account) ?? 0) + by
    if (n === 0) this.#running.delete(account)
    else this.#running.set(account, n)
  }

  async #fetch(ctx: Context, url: string, signal: AbortSignal): Promise<void> {
    const response = await this.#follow(url, signal)
    const chunks = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    let start = Buffer.alloc(0)
    while (start.length < IMAGE_START) {
      const { done, value } = await chunks.next()
      if (done) break
      start = Buffer.concat([start, value])
    }
    const type = imageType(start)
    if (type === undefined || (response.headers['content-encoding'] ?? 'identity') !== 'identity') {
      response.destroy()
      throw new Error('no image')
    }
    setHeaders(ctx, 'file')
    // The frame has no origin. Whoever has the link may have the image.
    ctx.set('Cross-Origin-Resource-Policy', 'cross-origin')
    ctx.set('Cache-Control', `private, max-age=${IMAGE_LINK_MS / 1_000}, immutable`)
    ctx.body = Readable.from(bounded(start, chunks, () => ctx.res.destroy()))
    ctx.set('Content-Type', type)
  }

  async #follow(first: string, signal: AbortSignal): Promise<IncomingMessage> {
    let url = first
    for (let redirects = 0; ; redirects++) {
      const response = await this.#get(url, signal)
      const { statusCode = 0, headers } = response
      if (statusCode === 200) return response
      response.destroy()
      const { location } = headers
      if (![301, 302, 303, 307, 308].includes(statusCode) || location === undefined || redirects === IMAGE_REDIRECTS)
        throw new Error(`HTTP status ${statusCode}`)
      url = new URL(location, url).href
    }
  }

  #get(url: string, signal: AbortSignal): Promise<IncomingMessage> {
    const { egress } = this.#deps
    return new Promise((resolve, reject) => {
      const target = new URL(url)
      const secure = target.protocol === 'https:'
      if (!secure && target.protocol !== 'http:') throw new Error('neither http nor https')
      if (target.username !== '' || target.password !== '') throw new Error('a name and password')
      // Of the ports where other protocols live, only the two for web servers.
      const port = Number(target.port || 443)
      if (port < 1_024 && port !== 80 && port !== 443) throw new Error('not a port for web servers')
      egress.checkHost(target.hostname)
      const request: ClientRequest = (secure ? httpsRequest : httpRequest)(target, {
        agent: false,
        lookup: egress.socketLookup,
        maxHeaderSize: IMAGE_HEADER_BYTES,
        headers: { Accept: 'image/*', 'Accept-Encoding': 'identity', 'User-Agent': 'mox-image-proxy' },
        signal,
      })
      request.once('response', resolve).once('error', reject).end()
    })
  }
}

/** What is too long, or ends early, is cut off: the browser must not take it for the whole. */
async function* bounded(start: Buffer, rest: AsyncIterator<Buffer>, cutOff: () => void): AsyncGenerator<Buffer> {
  try {
    let size = start.length
    yield start
    for (let next = await rest.next(); !next.done; next = await rest.next()) {
      size += next.value.length
      if (size > IMAGE_BYTES) return cutOff()
      yield next.value
    }
  } catch {
    cutOff()
  }
}

function refuse(ctx: Context, status: number, text: string): void {
  setHeaders(ctx, 'file')
  ctx.set('Cross-Origin-Resource-Policy', 'cross-origin')
  ctx.status = status
  ctx.type = 'text/plain; charset=utf-8'
  ctx.body = `${text}\n`
}
