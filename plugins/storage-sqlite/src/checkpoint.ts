// Keeps the log short without stopping the event loop: a thread moves its pages into the database while units of work go on,
// and a second time, for the few pages that came meanwhile, while the next group waits; then the log starts again from its
// beginning. When the thread fails, SQLite does the same by itself after a commit, only later and in the event loop's time.
import { Worker } from 'node:worker_threads'
import type { Log } from '@mox/plugin-sdk'
import type { CheckpointAnswer, Moved } from './checkpoint-thread.ts'
import type { Connection } from './driver.ts'

/** Pages in the log at which they begin to be moved. */
export const CHECKPOINT_PAGES = 4_000
/** Pages in the log at which units wait for the thread, which cannot keep up. */
export const WAIT_PAGES = 12_000
/** Pages in the log at which SQLite moves them itself: the thread is gone. */
export const OWN_PAGES = 16_000

/**
 * - `short`: nothing to do until there are `#next` pages.
 * - `moving`: the thread moves what was there when it began.
 * - `moved`: the rest is to be moved while no unit writes.
 * - `failed`: SQLite does it.
 */
type State = 'short' | 'moving' | 'moved' | 'failed'

interface Asked {
  resolve(moved: Moved): void
  reject(error: unknown): void
}

export class Checkpoints {
  readonly #path: string
  readonly #frames: () => number
  readonly #log: Log
  readonly #failed: (error: unknown) => void
  #state: State = 'short'
  #next = CHECKPOINT_PAGES
  #pass: Promise<void> | undefined
  #worker: Worker | undefined
  #asked: Asked | undefined

  /** `writer`: a synchronous connection. `failed` is told why the thread does no more. */
  constructor(path: string, writer: Connection, log: Log, failed: (error: unknown) => void) {
    this.#path = path
    // Only tells how long the log is.
    const pages = writer.prepare('pragma wal_checkpoint(noop)')
    this.#frames = () => Number((pages.get([]) as { log?: number } | undefined)?.log ?? 0)
    this.#log = log
    this.#failed = failed
  }

  /** After each commit. The next group waits for the promise, if there is one; it never rejects. */
  afterCommit(): Promise<void> | undefined {
    if (this.#state === 'failed') return undefined
    if (this.#state === 'moved') {
      this.#pass = this.#move('short')
      return this.#pass
    }
    const frames = this.#frames()
    if (this.#state === 'short' && frames >= this.#next) this.#pass = this.#move('moved')
    return this.#state === 'moving' && frames >= WAIT_PAGES ? this.#pass : undefined
  }

  async close(): Promise<void> {
    await this.#pass
    const worker = this.#worker
    if (worker === undefined) return
    const ended = new Promise(resolve => worker.once('exit', resolve))
    // Somebody waits: the process must not end before it has.
    worker.ref()
    worker.postMessage('close')
    await ended
  }

  async #move(then: State): Promise<void> {
    this.#state = 'moving'
    try {
      const { frames, moved } = await this.#ask()
      this.#state = then
      // A long query holds pages back, and the log goes on behind them: it is tried again when it has grown by as much.
      this.#next = CHECKPOINT_PAGES + (moved < frames ? frames : 0)
    } catch (error) {
      this.#state = 'failed'
      this.#log.error({ err: error }, 'the thread that keeps the log of the database short failed')
      this.#failed(error)
      await this.#worker?.terminate()
    }
  }

  #ask(): Promise<Moved> {
    return new Promise((resolve, reject) => {
      this.#asked = { resolve, reject }
      this.#worker ??= this.#start()
      this.#worker.ref()
      this.#worker.postMessage('move')
    })
  }

  #start(): Worker {
    const source = import.meta.url.endsWith('.ts')
    const file = source ? './checkpoint-thread.ts' : './checkpoint-thread.js'
    const worker = new Worker(new URL(file, import.meta.url), {
      workerData: this.#path,
      execArgv: source ? ['--conditions=mox-source'] : [],
    })
    worker.unref()
    worker.on('message', (answer: CheckpointAnswer) => {
      worker.unref()
      if ('error' in answer) this.#asked?.reject(Object.assign(new Error(answer.error), { code: answer.code }))
      else this.#asked?.resolve(answer)
    })
    worker.on('error', error => this.#asked?.reject(error))
    worker.on('exit', () => {
      this.#worker = undefined
      this.#asked?.reject(new Error('the thread ended'))
    })
    return worker
  }
}
