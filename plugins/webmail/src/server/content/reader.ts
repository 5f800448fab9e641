// Reads stored messages in a thread with limits of time and memory, one after the other: a hostile message costs those who
// open it some seconds and nobody the server. Only one message is in memory at a time.
import { Worker } from 'node:worker_threads'
import type { Clock, Log, Mailboxes } from '@mox/plugin-sdk'
import { CallError } from '../call.ts'
import { slice } from './decoder.ts'
import { BEGINNING_BYTES, OUTLINES_KEPT, READ_MIB, READ_MS, READS_WAITING } from './limits.ts'
import { type OpenedContent, type Outline, type ReadAnswers, type ReadRequest, readBeginning } from './read.ts'

export interface ReaderDeps {
  readonly mailboxes: Pick<Mailboxes, 'open'>
  readonly clock: Clock
  readonly log: Log
}

/** The message took too long, or too much memory. */
export class UnreadableError extends Error {
  override readonly name = 'UnreadableError'
}

export class Reader {
  readonly #deps: ReaderDeps
  readonly #ms: number
  #worker: { readonly thread: Worker; readonly ready: Promise<void> } | undefined
  #closed = false
  #waiting = 0
  #last: Promise<unknown> = Promise.resolve()
  /** Messages do not change: what is known of their parts stays true. */
  readonly #outlines = new Map<number, Promise<Outline>>()

  /** `ms`: how long one message may take. */
  constructor(deps: ReaderDeps, ms: number = READ_MS) {
    this.#deps = deps
    this.#ms = ms
  }

  /** Never refuses a message: of one that cannot be read the header is shown, with a notice. */
  async open(id: number, size: number): Promise<OpenedContent> {
    try {
      return await this.read(id, size, { kind: 'open' })
    } catch (error) {
      if (!(error instanceof UnreadableError)) throw error
      const chunks: Buffer[] = []
      for await (const chunk of slice(await this.#deps.mailboxes.open(id), 0, BEGINNING_BYTES)) chunks.push(chunk)
      const notice =
        'This message could not be taken apart; only its header is shown. The raw message can be downloaded.'
      return { ...readBeginning(Buffer.concat(chunks)), texts: [], notice }
    }
  }

  /** The parts of a message. Throws an UnreadableError. */
  async outline(id: number, size: number): Promise<Outline> {
    const known = this.#outlines.get(id)
    const outline = known ?? this.read(id, size, { kind: 'outline' })
    // The one used last is the last to go.
    this.#outlines.delete(id)
    this.#outlines.set(id, outline)
    for (const oldest of this.#outlines.keys()) {
      if (this.#outlines.size <= OUTLINES_KEPT) break
      this.#outlines.delete(oldest)
    }
    try {
      return await outline
    } catch (error) {
      if (this.#outlines.get(id) === outline) this.#outlines.delete(id)
      throw error
    }
  }

  /** Throws an UnreadableError, and a CallError when too many wait. */
  async read<K extends ReadRequest['kind']>(
    id: number,
    size: number,
    request: Extract<ReadRequest, { readonly kind: K }>,
  ): Promise<ReadAnswers[K]> {
    if (this.#waiting >= READS_WAITING) throw new CallError('tooMany', 'too many messages are being opened; try again')
    this.#waiting++
    const result = this.#last.then(async () => {
      const bytes = await this.#bytes(id, size)
      try {
        return (await this.#ask(bytes, request)) as ReadAnswers[K]
      } catch (err) {
        this.#deps.log.warn({ err, id, request: request.kind }, 'message could not be read')
        throw new UnreadableError('the message could not be read')
      }
    })
    this.#last = result.catch(() => {})
    try {
      return await result
    } finally {
      this.#waiting--
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#worker?.thread.terminate()
  }

  /** In memory of its own, so that it can be given away. */
  async #bytes(id: number, size: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(size)
    let at = 0
    for await (const chunk of await this.#deps.mailboxes.open(id)) {
      const piece = chunk.subarray(0, size - at)
      bytes.set(piece, at)
      at += piece.length
    }
    return at === size ? bytes : bytes.slice(0, at)
  }

  async #ask(bytes: Uint8Array<ArrayBuffer>, request: ReadRequest): Promise<unknown> {
    if (this.#closed) throw new Error('the server is stopping')
    this.#worker ??= start()
    const { thread: worker, ready } = this.#worker
    try {
      // Loading its code takes long on a busy machine, and says nothing of the message.
      await ready
    } catch (error) {
      this.#worker = undefined
      throw error
    }
    return await new Promise((resolve, reject) => {
      const failed = (error: Error): void => {
        this.#worker = undefined
        done()
        void worker.terminate()
        reject(error)
      }
      const answered = (answer: unknown): void => {
        done()
        resolve(answer)
      }
      const ended = (): void => failed(new Error('the thread ended'))
      const cancel = this.#deps.clock.after(this.#ms, () => failed(new Error(`took longer than ${this.#ms} ms`)))
      const done = (): void => {
        cancel()
        worker.off('message', answered).off('error', failed).off('exit', ended)
        worker.unref()
      }
      worker.on('message', answered).on('error', failed).on('exit', ended)
      worker.ref()
      worker.postMessage({ bytes, request }, [bytes.buffer])
    })
  }
}

function start(): { readonly thread: Worker; readonly ready: Promise<void> } {
  const source = import.meta.url.endsWith('.ts')
  const thread = new Worker(new URL(source ? './read-thread.ts' : './read-thread.js', import.meta.url), {
    execArgv: source ? ['--conditions=mox-source'] : [],
    resourceLimits: { maxOldGenerationSizeMb: READ_MIB },
  })
  const ready = new Promise<void>((resolve, reject) => {
    const ended = (): void => reject(new Error('the thread ended'))
    thread.once('error', reject).once('exit', ended)
    thread.once('message', () => {
      thread.off('error', reject).off('exit', ended)
      resolve()
    })
  })
  return { thread, ready }
}
