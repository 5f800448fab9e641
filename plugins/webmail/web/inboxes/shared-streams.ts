// The streams of several accounts over one connection: browsers make only six to a server, which the streams of five accounts and
// of the page would take all. What is asked for at the same time goes into one request, and its answer is taken apart
// again: each account has a response of its own.
import type { AccountStreamsRequest, StreamRequest } from '../../src/api/events.ts'
import { send } from '../lib/api.ts'
import { readEvents } from '../lib/sse.ts'

interface Asked {
  readonly csrf: string
  readonly request: StreamRequest
  readonly signal: AbortSignal
  answer(response: Response | Promise<never>): void
}

type Part = ReadableStreamDefaultController<Uint8Array>

export class SharedStreams {
  readonly #gather: () => void
  #asked: Asked[] = []

  /** `gather` has everybody who is without a stream ask for one: called before a request is made. */
  constructor(gather: () => void) {
    this.#gather = gather
  }

  /** POST events for the account of a token. Rejects when the server cannot be reached. */
  open(csrf: string, request: StreamRequest, signal: AbortSignal): Promise<Response> {
    const { promise, resolve } = Promise.withResolvers<Response>()
    this.#asked.push({ csrf, request, signal, answer: resolve })
    if (this.#asked.length === 1) queueMicrotask(() => void this.#send())
    return promise
  }

  async #send(): Promise<void> {
    this.#gather()
    const asked = this.#asked
    this.#asked = []
    const connection = new AbortController()
    let left = asked.length
    /** Of those that read none is left. */
    const gone = (): void => {
      if (--left === 0) connection.abort()
    }
    for (const { signal } of asked) {
      if (signal.aborted) gone()
      else signal.addEventListener('abort', gone)
    }
    try {
      const body: AccountStreamsRequest = asked.map(({ csrf, request }) => ({ csrf, request }))
      const headers = { 'Content-Type': 'application/json' }
      const init = { method: 'POST', body: JSON.stringify(body), headers }
      const response = await send('events/accounts', init, connection.signal)
      if (response.ok && response.body !== null) await share(response.body, asked)
      else for (const { answer } of asked) answer(response.clone())
    } catch (error) {
      for (const { answer } of asked) answer(Promise.reject(error))
    }
  }
}

/** Gives the readers their parts of what comes, until it ends. */
async function share(body: ReadableStream<Uint8Array>, asked: readonly Asked[]): Promise<void> {
  const encoder = new TextEncoder()
  const parts = new Set<Part>()
  const byNumber = asked.map(({ answer, signal }) => {
    let part!: Part
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        part = controller
      },
    })
    parts.add(part)
    signal.addEventListener('abort', () => {
      if (parts.delete(part)) part.error(signal.reason)
    })
    answer(new Response(stream))
    return part
  })
  const put = (part: Part | undefined, text: string): void => {
    if (part !== undefined && parts.has(part)) part.enqueue(encoder.encode(text))
  }
  try {
    // Whatever comes tells each that the connection lives.
    const heard = (): void => {
      for (const part of parts) put(part, ':\n\n')
    }
    for await (const { name, id, data } of readEvents(body, heard)) {
      const [number = '', event = ''] = name.split('/')
      put(byNumber[Number(number)], `event: ${event}\nid: ${id}\ndata: ${data}\n\n`)
    }
    for (const part of parts) part.close()
  } catch (error) {
    for (const part of parts) part.error(error)
  }
}
