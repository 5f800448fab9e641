// One POST: connects only where the egress guard permits, follows nothing, reads little of the response, ends in time. Never
// throws; what went wrong is in the result.
import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Clock } from '../services/base.ts'
import { type Egress, EgressError } from './egress.ts'

/** Milliseconds for the whole exchange. */
export const TIMEOUT_MS = 60_000
/** Octets of a response's body that are kept, and that are read so that the connection can be used again. */
export const RESPONSE_KEPT = 4_096
export const RESPONSE_READ: number = 64 * 1024
/** Octets of a response's header section. */
export const RESPONSE_HEADER: number = 16 * 1024
/** Milliseconds of a Retry-After that is heeded. */
export const RETRY_AFTER_MOST_MS = 86_400_000

export interface PostRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface PostResult {
  /** HTTP status, 0 without a response. */
  readonly code: number
  /** '' for a 2xx. */
  readonly error: string
  readonly response: string
  /** Milliseconds that the receiver asked for. */
  readonly retryAfter?: number
  /** "timeout", "refused" (by the guard) or "error", where there is no status. */
  readonly failure?: 'timeout' | 'refused' | 'error'
}

interface Services {
  readonly clock: Clock
  readonly egress: Egress
}

/** Posts to one endpoint over a few connections that are kept. */
export class Poster {
  readonly #services: Services
  readonly #agents: { readonly http: Agent; readonly https: HttpsAgent }

  constructor(services: Services, connections: number) {
    this.#services = services
    // No proxy from the environment: an agent of one's own has none.
    const options = { keepAlive: true, maxSockets: connections, maxFreeSockets: connections }
    this.#agents = { http: new Agent(options), https: new HttpsAgent(options) }
  }

  async post(request: PostRequest, signal: AbortSignal): Promise<PostResult> {
    const body = Buffer.from(request.body)
    for (let tries = 1; ; tries++) {
      const sent = await this.#once(request, body, signal)
      // The receiver closed an idle connection just as it was used: that is no failure of the receiver.
      if (!sent.stale || tries > 1) return sent.result
    }
  }

  #once(
    { url, headers }: PostRequest,
    body: Buffer,
    signal: AbortSignal,
  ): Promise<{ result: PostResult; stale: boolean }> {
    return new Promise(resolve => {
      let request: ClientRequest | undefined
      let timedOut = false
      const cancel = this.#services.clock.after(TIMEOUT_MS, () => {
        timedOut = true
        request?.destroy(new Error('timeout'))
      })
      const abort = (): void => void request?.destroy(new Error('the server is stopping'))
      const end = (result: PostResult, stale = false): void => {
        cancel()
        signal.removeEventListener('abort', abort)
        resolve({ result, stale })
      }
      const failed = (error: unknown): void => {
        const stale = request?.reusedSocket === true && isClosed(error) && !timedOut && !signal.aborted
        end(timedOut ? TIMED_OUT : failure(error), stale)
      }
      try {
        if (signal.aborted) throw new Error('the server is stopping')
        const target = new URL(url)
        this.#services.egress.checkHost(target.hostname)
        const secure = target.protocol === 'https:'
        request = (secure ? httpsRequest : httpRequest)(target, {
          method: 'POST',
          agent: secure ? this.#agents.https : this.#agents.http,
          headers: { ...headers, 'Content-Length': String(body.length) },
          lookup: this.#services.egress.socketLookup,
          maxHeaderSize: RESPONSE_HEADER,
        })
        request.on('error', failed)
        request.on('response', response => {
          readStart(response).then(text => end(judge(response, text, this.#services.clock.now())), failed)
        })
        signal.addEventListener('abort', abort, { once: true })
        request.end(body)
      } catch (error) {
        failed(error)
      }
    })
  }

  close(): void {
    this.#agents.http.destroy()
    this.#agents.https.destroy()
  }
}

const TIMED_OUT: PostResult = {
  code: 0,
  error: `no complete response within ${TIMEOUT_MS / 1_000} seconds`,
  response: '',
  failure: 'timeout',
}

function isClosed(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ECONNRESET' || code === 'EPIPE'
}

const ERROR_LENGTH = 300

function failure(error: unknown): PostResult {
  const text = clean(error instanceof Error ? error.message || String(error.name) : String(error)).slice(
    0,
    ERROR_LENGTH,
  )
  return {
    code: 0,
    error: text || 'no connection',
    response: '',
    failure: error instanceof EgressError ? 'refused' : 'error',
  }
}

/** The start of the body. What is longer than RESPONSE_READ costs the connection. */
function readStart(response: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const kept: Buffer[] = []
    let size = 0
    const text = (): string => clean(Buffer.concat(kept).subarray(0, RESPONSE_KEPT).toString())
    response.on('data', (chunk: Buffer) => {
      if (size < RESPONSE_KEPT) kept.push(chunk)
      size += chunk.length
      if (size > RESPONSE_READ) {
        resolve(text())
        response.destroy()
      }
    })
    response.on('end', () => resolve(text()))
    response.on('error', reject)
    response.on('close', () => reject(new Error('the connection ended within the response')))
  })
}

/** One line without control, direction or other invisible characters. */
function clean(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
}

function judge({ statusCode: code = 0, headers }: IncomingMessage, response: string, now: number): PostResult {
  if (code >= 200 && code < 300) return { code, error: '', response }
  const redirect = code >= 300 && code < 400
  const error = redirect ? `HTTP status ${code}: redirects are not followed` : `HTTP status ${code}`
  const retryAfter = parseRetryAfter(headers['retry-after'], now)
  return { code, error, response, ...(retryAfter === undefined ? {} : { retryAfter }) }
}

/** RFC 9110 §10.2.3: seconds or a date. Milliseconds from `now`, at most RETRY_AFTER_MOST_MS. */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined
  const ms = /^\d{1,10}$/.test(value) ? Number(value) * 1_000 : Date.parse(value.slice(0, 100)) - now
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, RETRY_AFTER_MOST_MS) : undefined
}
