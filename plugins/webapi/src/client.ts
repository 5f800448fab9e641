// @mox/plugin-webapi/client: v1 from TypeScript, typed by the same schemas that the server checks. Needs nothing but fetch, so
// it runs in Node, Deno, Bun and workers. Never retries by itself: give an idempotencyKey and call again.
import type { z } from 'zod'
import type * as schemas from './v1/schemas.ts'

type Input<S extends z.ZodType> = z.input<S>
type Output<S extends z.ZodType> = z.output<S>

export type SendRequest = Input<typeof schemas.sendRequest>
export type SendResponse = Output<typeof schemas.sendResponse>
export type BatchRequest = Input<typeof schemas.batchRequest>
export type BatchResponse = Output<typeof schemas.batchResponse>
export type MessagesQuery = Output<typeof schemas.messagesQuery>
export type Messages = Output<typeof schemas.messagesResponse>
export type Message = Output<typeof schemas.messageResponse>
export type EventsQuery = Output<typeof schemas.eventsQuery>
export type MailEvent = Output<typeof schemas.event>
export type StatisticsQuery = Output<typeof schemas.statisticsQuery>
export type Statistics = Output<typeof schemas.statisticsResponse>
export type SuppressionsQuery = Output<typeof schemas.suppressionsQuery>
export type Suppression = Output<typeof schemas.suppression>
export type NewSuppression = Input<typeof schemas.suppressionRequest>
export type ProblemDetails = Output<typeof schemas.problem>

export interface ClientOptions {
  /** "https://mail.example.org/webapi/". */
  readonly url: string
  /** An API key; or `user` and `password`. */
  readonly key?: string
  readonly user?: string
  readonly password?: string
  /** Default: the global one. */
  readonly fetch?: typeof fetch
}

export interface CallOptions {
  readonly signal?: AbortSignal
}

export interface SendOptions extends CallOptions {
  /** With the same key and the same message nothing is sent twice, for 24 hours. */
  readonly idempotencyKey?: string
}

/** What the server refused: `problem` says why and where. */
export class MoxApiError extends Error {
  override readonly name = 'MoxApiError'
  readonly status: number
  /** "badAddress", "messageLimitReached", …; "unknown" when the answer is not one of a mox server. */
  readonly code: string
  readonly problem: ProblemDetails | undefined
  /** Seconds to wait before trying again. */
  readonly retryAfter: number | undefined

  constructor(status: number, problem: ProblemDetails | undefined, retryAfter: number | undefined) {
    super(problem === undefined ? `the server answered with status ${status}` : problem.detail)
    this.status = status
    this.code = problem?.code ?? 'unknown'
    this.problem = problem
    this.retryAfter = retryAfter
  }
}

export class MoxClient {
  readonly #base: string
  readonly #authorization: string
  readonly #fetch: typeof fetch

  constructor(options: ClientOptions) {
    this.#base = `${options.url.replace(/\/?$/, '/')}v1`
    this.#fetch = options.fetch ?? fetch
    const login = `${options.user ?? ''}:${options.password ?? ''}`
    this.#authorization = options.key === undefined ? `Basic ${base64(login)}` : `Bearer ${options.key}`
  }

  async send(message: SendRequest, options: SendOptions = {}): Promise<SendResponse> {
    return await this.#call('POST', '/messages', { body: message, ...options })
  }

  async sendBatch(batch: BatchRequest, options: SendOptions = {}): Promise<BatchResponse> {
    return await this.#call('POST', '/messages/batch', { body: batch, ...options })
  }

  async messages(query: MessagesQuery = {}, options: CallOptions = {}): Promise<Messages> {
    return await this.#call('GET', '/messages', { query, ...options })
  }

  async message(id: number, options: CallOptions = {}): Promise<Message> {
    return await this.#call('GET', `/messages/${id}`, options)
  }

  /** Returns how many recipients were taken out of the queue. */
  async cancel(id: number, queueIds?: readonly number[], options: CallOptions = {}): Promise<number> {
    const body = queueIds === undefined ? {} : { queueIds }
    return (await this.#call<{ recipients: number }>('POST', `/messages/${id}/cancel`, { body, ...options })).recipients
  }

  async reschedule(id: number, at: Date, queueIds?: readonly number[], options: CallOptions = {}): Promise<number> {
    const body = { at: at.toISOString(), ...(queueIds === undefined ? {} : { queueIds }) }
    return (await this.#call<{ recipients: number }>('POST', `/messages/${id}/reschedule`, { body, ...options }))
      .recipients
  }

  /** One page; `cursor` is the next `after`. */
  async eventPage(
    query: EventsQuery = {},
    options: CallOptions = {},
  ): Promise<{ events: MailEvent[]; cursor: number }> {
    return await this.#call('GET', '/events', { query, ...options })
  }

  /** All events from a cursor on, for ever; waits for new ones. Remember the last `id` to go on from there. */
  async *events(query: Omit<EventsQuery, 'wait'> = {}, options: CallOptions = {}): AsyncGenerator<MailEvent> {
    for (let after = query.after ?? 0; ; ) {
      const page = await this.eventPage({ ...query, after, wait: 30 }, options)
      yield* page.events
      after = page.cursor
    }
  }

  async statistics(query: StatisticsQuery = {}, options: CallOptions = {}): Promise<Statistics> {
    return await this.#call('GET', '/statistics', { query, ...options })
  }

  async suppressions(
    query: SuppressionsQuery = {},
    options: CallOptions = {},
  ): Promise<{ suppressions: Suppression[]; next: number | null }> {
    return await this.#call('GET', '/suppressions', { query, ...options })
  }

  async suppress(entry: NewSuppression, options: CallOptions = {}): Promise<Suppression> {
    return await this.#call('POST', '/suppressions', { body: entry, ...options })
  }

  /** Undefined when mail is sent to the address. */
  async suppression(address: string, stream?: string, options: CallOptions = {}): Promise<Suppression | undefined> {
    try {
      return await this.#call('GET', `/suppressions/${encodeURIComponent(address)}`, { query: { stream }, ...options })
    } catch (error) {
      if (error instanceof MoxApiError && error.code === 'notFound') return undefined
      throw error
    }
  }

  async unsuppress(address: string, stream?: string, options: CallOptions = {}): Promise<void> {
    await this.#call('DELETE', `/suppressions/${encodeURIComponent(address)}`, { query: { stream }, ...options })
  }

  async #call<T>(
    method: string,
    path: string,
    { body, query = {}, signal, idempotencyKey }: SendOptions & { body?: object; query?: object },
  ): Promise<T> {
    const parameters = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value))
    const search = parameters.size === 0 ? '' : `?${parameters}`
    const response = await this.#fetch(`${this.#base}${path}${search}`, {
      method,
      redirect: 'error',
      headers: {
        ...{ Authorization: this.#authorization, Accept: 'application/json' },
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    })
    const text = await response.text()
    const value = (response.headers.get('Content-Type') ?? '').includes('json') ? parse(text) : undefined
    if (response.ok && (response.status === 204 || value !== undefined)) return value as T
    const retryAfter = Number(response.headers.get('Retry-After') ?? Number.NaN)
    throw new MoxApiError(response.status, problemOf(value), Number.isFinite(retryAfter) ? retryAfter : undefined)
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function problemOf(value: unknown): ProblemDetails | undefined {
  const problem = value as Partial<ProblemDetails> | null | undefined
  return typeof problem?.code === 'string' && typeof problem.detail === 'string'
    ? (problem as ProblemDetails)
    : undefined
}

function base64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), byte => String.fromCharCode(byte)).join(''))
}
