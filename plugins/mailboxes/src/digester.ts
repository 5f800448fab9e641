// Takes from a message what lists and search need. Small messages at once; large ones in a thread with limits of time and
// memory, so that none keeps the event loop or the process. A message that the thread fails on is known by its beginning.
import { Worker } from 'node:worker_threads'
import type { Clock, Log } from '@mox/plugin-sdk'
import { type MessageDigest, messageDigest } from '@mox/plugin-sdk/mail'

/** Larger messages go to the thread. */
export const INLINE_OCTETS: number = 32 * 1024
export const THREAD_MS = 5_000
const THREAD_MIB = 256

export class Digester {
  readonly #clock: Clock
  readonly #log: Log
  #worker: Worker | undefined
  /** One message at a time. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  /** Never rejects. `bytes` is given away. */
  async digest(id: number, bytes: Buffer): Promise<MessageDigest> {
    if (bytes.length <= INLINE_OCTETS) return messageDigest(bytes)
    const start = Buffer.from(bytes.subarray(0, INLINE_OCTETS))
    const result = this.#last.then(async () => {
      try {
        return await this.#ask(bytes)
      } catch (err) {
        this.#log.warn({ err, id }, 'message could not be read for search, only its beginning is')
        return messageDigest(start)
      }
    })
    this.#last = result
    return await result
  }

  async close(): Promise<void> {
    await this.#worker?.terminate()
  }

  #ask(bytes: Buffer): Promise<MessageDigest> {
    this.#worker ??= start()
    const worker = this.#worker
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void => {
        this.#worker = undefined
        done()
        void worker.terminate()
        reject(error)
      }
      const answered = (digest: MessageDigest): void => {
        done()
        resolve(digest)
      }
      const ended = (): void => failed(new Error('the thread ended'))
      const cancel = this.#clock.after(THREAD_MS, () => failed(new Error(`took longer than ${THREAD_MS} ms`)))
      const done = (): void => {
        cancel()
        worker.off('message', answered).off('error', failed).off('exit', ended)
        worker.unref()
      }
      worker.on('message', answered).on('error', failed).on('exit', ended)
      worker.ref()
      worker.postMessage(bytes)
    })
  }
}

function start(): Worker {
  const source = import.meta.url.endsWith('.ts')
  return new Worker(new URL(source ? './digest-thread.ts' : './digest-thread.js', import.meta.url), {
    execArgv: source ? ['--conditions=mox-source'] : [],
    resourceLimits: { maxOldGenerationSizeMb: THREAD_MIB },
  })
}
