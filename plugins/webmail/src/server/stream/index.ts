// The event streams of the webmail: POST events, and the calls that ask for rows on a stream.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Random } from '@mox/plugin-sdk'
import type { StreamRequest } from '../../api/events.ts'
import type { Settings } from '../../api/model.ts'
import { CallError, type Caller, type Handlers } from '../call.ts'
import { type EventSink, EventWriter, sharedSinks } from './event-writer.ts'
import { GOODBYES, Stream, type StreamParts } from './stream.ts'

export type { HelloParts, StreamParts } from './stream.ts'

/** Streams at the same time, in all. */
export const STREAMS = 2_000
/** Of one account: windows and devices. */
export const ACCOUNT_STREAMS = 50

export class Streams {
  readonly #parts: StreamParts
  readonly #random: Random
  readonly #streams = new Map<string, Stream>()
  readonly #perAccount = new Map<string, Set<Stream>>()
  #stopped = false
  /** Answers of the calls that are about a stream; the rows come as events. */
  readonly calls: Handlers<'viewOpen' | 'viewMore' | 'viewCancel'>

  constructor(parts: StreamParts, random: Random) {
    this.#parts = parts
    this.#random = random
    this.calls = {
      viewOpen: async ({ stream, view, query, limit, until }, caller) => {
        this.#of(stream, caller).request({ kind: 'open', view, query, wanted: { limit, until } })
        return {}
      },
      viewMore: async ({ stream, view, limit }, caller) => {
        this.#of(stream, caller).request({ kind: 'more', view, wanted: { limit } })
        return {}
      },
      viewCancel: async ({ stream, view }, caller) => {
        this.#of(stream, caller).cancel(view)
        return {}
      },
    }
  }

  /** How many are open. */
  get open(): number {
    return this.#streams.size
  }

  /**
   * Answers POST events of a checked session. A CallError before anything was written is for the caller to answer; after that the
   * response is written here, and ends when the stream does.
   */
  async serve(caller: Caller, asked: StreamRequest, request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#checkRoom([caller])
    const writer = this.#writer(request, response, () => stream.close())
    const stream = this.#add(caller, writer)
    await this.#start(stream, asked)
  }

  /** Streams of several sessions on one response, numbered as they come here; those without a caller say that their session has ended. */
  async serveSeveral(
    asked: readonly { readonly caller: Caller | undefined; readonly request: StreamRequest }[],
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    this.#checkRoom(asked.flatMap(({ caller }) => caller ?? []))
    const started: Stream[] = []
    const writer = this.#writer(request, response, () => {
      for (const stream of started) stream.close()
    })
    const sinks = sharedSinks(writer, asked.length)
    await Promise.all(
      sinks.map(async (sink, number) => {
        const one = asked[number]
        if (one?.caller === undefined)
          return sink.finish('goodbye', 0, { reason: 'session', message: GOODBYES.session })
        const stream = this.#add(one.caller, sink)
        started.push(stream)
        await this.#start(stream, one.request)
      }),
    )
  }

  #checkRoom(callers: readonly Caller[]): void {
    if (this.#stopped) throw new CallError('tooMany', 'the server is stopping')
    const full = callers.some(({ account }) => (this.#perAccount.get(account)?.size ?? 0) >= ACCOUNT_STREAMS)
    if (full || this.#streams.size + callers.length > STREAMS)
      throw new CallError('tooMany', 'too many windows are open; close some and try again')
  }

  #writer(request: IncomingMessage, response: ServerResponse, closed: () => void): EventWriter {
    return new EventWriter(response, this.#parts.clock, acceptsGzip(request.headers['accept-encoding']), closed)
  }

  #add(caller: Caller, sink: EventSink): Stream {
    const { account } = caller
    const own = this.#perAccount.get(account) ?? new Set()
    const id = this.#random.id()
    const stream: Stream = new Stream(id, caller, this.#parts, sink, () => {
      this.#streams.delete(id)
      own.delete(stream)
      if (own.size === 0) this.#perAccount.delete(account)
    })
    this.#perAccount.set(account, own.add(stream))
    this.#streams.set(id, stream)
    return stream
  }

  async #start(stream: Stream, asked: StreamRequest): Promise<void> {
    try {
      await stream.start(asked)
    } catch (err) {
      this.#parts.log.error({ err, account: stream.caller.account }, 'event stream failed')
      stream.fail()
    }
  }

  /** Tells the windows of an account that its settings were changed. */
  settingsChanged(account: string, settings: Settings): void {
    for (const stream of this.#perAccount.get(account) ?? []) stream.settingsChanged(settings)
  }

  /** Ends the streams of sessions that are over. */
  sessionsEnded(account: string): void {
    for (const stream of this.#perAccount.get(account) ?? []) stream.checkSession()
  }

  /** Tells all windows that mail in the queue changed, which may be of their account. */
  outgoingChanged(): void {
    for (const stream of this.#streams.values()) stream.outgoingChanged()
  }

  /** Ends all streams and refuses new ones. */
  stop(): void {
    this.#stopped = true
    for (const stream of [...this.#streams.values()]) stream.goodbye('shutdown')
  }

  #of(id: string, caller: Caller): Stream {
    const stream = this.#streams.get(id)
    if (stream === undefined || stream.caller.sessionId !== caller.sessionId)
      throw new CallError('notFound', 'the connection has ended; connect again')
    return stream
  }
}

/** RFC 9110 §12.5.3, for what browsers and proxies send. */
function acceptsGzip(header: string | string[] | undefined): boolean {
  return String(header ?? '')
    .split(',')
    .some(coding => /^\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*$).*)?$/i.test(coding))
}
