// Writes server-sent events to a response, compressed when the reader takes that, each one flushed. A write waits for the
// reader, so that nothing piles up here; one that does not read for too long is given up. After some silence a comment is
// written, so that proxies keep the connection and a dead one is noticed.
import type { ServerResponse } from 'node:http'
import { constants, createGzip, type Gzip } from 'node:zlib'
import type { Clock } from '@mox/plugin-sdk'

/** Milliseconds without an event after which a comment is written. */
export const SILENCE_MS = 30_000
/** Milliseconds in which a reader must take what was written. */
export const SLOW_MS = 60_000
/**
 * How events are compressed: with little memory, as there are many streams at the same time. A window of 2 kB still reaches
 * back to the row before, which has the same names of fields.
 */
const GZIP = { level: constants.Z_BEST_SPEED, windowBits: 11, memLevel: 3, chunkSize: 1024 }

/** `slow`: it did not read; `gone`: it went away. */
export type WriteResult = 'written' | 'slow' | 'gone'

/** Where a stream writes its events. */
export interface EventSink {
  /** Resolves when the reader has room for more. */
  write(name: string, id: number, data: unknown): Promise<WriteResult>
  /** Writes a last event, without waiting for the reader, who has some time to take it. */
  finish(name: string, id: number, data: unknown): void
  /** Ends it without waiting for a reader that does not read. */
  destroy(): void
}

export class EventWriter implements EventSink {
  readonly #response: ServerResponse
  readonly #clock: Clock
  readonly #gzip: Gzip | undefined
  #cancelSilence: (() => void) | undefined
  #closed = false
  #finished = false
  /** End the waits for the reader. */
  readonly #releases = new Set<() => void>()

  /** Writes the header. `closed` is called once when the reader is gone. */
  constructor(response: ServerResponse, clock: Clock, compressed: boolean, closed: () => void) {
    this.#response = response
    this.#clock = clock
    response.once('close', () => {
      this.#close()
      closed()
    })
    // An error is followed by close.
    response.on('error', () => {})
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
      ...(compressed ? { 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' } : {}),
    })
    if (compressed) {
      this.#gzip = createGzip(GZIP)
      this.#gzip.on('data', (chunk: Buffer) => void response.write(chunk))
      this.#gzip.once('end', () => response.end())
      this.#gzip.on('error', () => response.destroy())
    }
    this.#listen()
  }

  /** One write at a time. */
  async write(name: string, id: number, data: unknown): Promise<WriteResult> {
    if (this.#closed || this.#finished) return 'gone'
    let slow = false
    const cancel = this.#clock.after(SLOW_MS, () => {
      slow = true
      this.#release()
    })
    await this.#put(eventText(name, id, data))
    if (!this.#closed && !slow && this.#response.writableNeedDrain)
      await this.#wait(done => void this.#response.once('drain', done))
    cancel()
    this.#listen()
    return this.#closed ? 'gone' : slow ? 'slow' : 'written'
  }

  /** Ends the response. */
  finish(name: string, id: number, data: unknown): void {
    this.#cancelSilence?.()
    if (this.#closed || this.#finished) return
    this.#finished = true
    const out = this.#gzip ?? this.#response
    out.end(eventText(name, id, data))
    this.#cancelSilence = this.#clock.after(SLOW_MS, () => this.destroy())
  }

  destroy(): void {
    this.#response.destroy()
    this.#close()
  }

  #put(text: string): Promise<void> {
    const gzip = this.#gzip
    if (gzip === undefined) {
      this.#response.write(text)
      return Promise.resolve()
    }
    gzip.write(text)
    return this.#wait(done => gzip.flush(constants.Z_SYNC_FLUSH, done))
  }

  async #wait(start: (done: () => void) => void): Promise<void> {
    await new Promise<void>(resolve => {
      const done = (): void => {
        this.#releases.delete(done)
        resolve()
      }
      this.#releases.add(done)
      start(done)
    })
  }

  #release(): void {
    for (const release of this.#releases) release()
  }

  /** Starts the silence anew. */
  #listen(): void {
    if (this.#closed || this.#finished) return
    this.#cancelSilence?.()
    this.#cancelSilence = this.#clock.after(SILENCE_MS, () => {
      void this.#put(':\n\n')
      this.#listen()
    })
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#cancelSilence?.()
    this.#gzip?.destroy()
    this.#release()
  }
}

/**
 * Several streams on one response, which ends with the last of them. The name of an event begins with the number of its stream, from
 * 0, as in "1/page".
 */
export function sharedSinks(writer: EventWriter, count: number): readonly EventSink[] {
  let turn: Promise<unknown> = Promise.resolve()
  let left = count
  return Array.from({ length: count }, (_, number) => {
    const write = (name: string, id: number, data: unknown): Promise<WriteResult> => {
      const written = turn.then(() => writer.write(`${number}/${name}`, id, data))
      turn = written
      return written
    }
    return {
      write,
      finish(name, id, data) {
        if (--left > 0) void write(name, id, data)
        else void turn.then(() => writer.finish(`${number}/${name}`, id, data))
      },
      destroy: () => writer.destroy(),
    }
  })
}

function eventText(name: string, id: number, data: unknown): string {
  return `event: ${name}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`
}
