// Reads stored messages in a process with limits of time and memory, one after the other: a hostile message costs those who
// open it some seconds and nobody the server. Only one message is in memory at a time.
import type { Clock, Log, Mailboxes } from '@mox/plugin-sdk'
import { Confined } from '@mox/plugin-sdk/io'
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

const MODULE = new URL(import.meta.url.endsWith('.ts') ? './read-process.ts' : './read-process.js', import.meta.url)

export class Reader {
  readonly #deps: ReaderDeps
  readonly #process: Confined<{ readonly bytes: Uint8Array; readonly request: ReadRequest }, unknown>
  #waiting = 0
  #last: Promise<unknown> = Promise.resolve()
  /** Messages do not change: what is known of their parts stays true. */
  readonly #outlines = new Map<number, Promise<Outline>>()

  /** `ms`: how long one message may take. */
  constructor(deps: ReaderDeps, ms: number = READ_MS) {
    this.#deps = deps
    this.#process = new Confined(MODULE, { ms, mib: READ_MIB }, deps.clock)
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
        return (await this.#process.ask({ bytes, request })) as ReadAnswers[K]
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

  close(): void {
    this.#process.close()
  }

  async #bytes(id: number, size: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(size)
    let at = 0
    for await (const chunk of await this.#deps.mailboxes.open(id)) {
      const piece = chunk.subarray(0, size - at)
      bytes.set(piece, at)
      at += piece.length
    }
    return at === size ? bytes : bytes.subarray(0, at)
  }
}
