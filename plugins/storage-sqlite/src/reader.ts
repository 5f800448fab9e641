// The reader thread: runs queries that may take long on a connection of its own, so that the event loop goes on.
import { Worker } from 'node:worker_threads'
import type { SqlRow, SqlValue } from '@mox/plugin-storage-sql'

interface Asked {
  readonly resolve: (rows: SqlRow[]) => void
  readonly reject: (error: Error) => void
}

export class Reader {
  readonly #file: string
  readonly #driver: string
  #worker: Worker | undefined
  readonly #asked = new Map<number, Asked>()
  #next = 0

  constructor(file: string, driver: string) {
    this.#file = file
    this.#driver = driver
  }

  query(sql: string, values: readonly SqlValue[]): Promise<SqlRow[]> {
    return new Promise((resolve, reject) => {
      const id = ++this.#next
      this.#asked.set(id, { resolve, reject })
      this.#start().postMessage({ id, sql, values })
    })
  }

  async close(): Promise<void> {
    await this.#worker?.terminate()
    this.#worker = undefined
  }

  /** Started by the first query, and again after a crash. */
  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker
    const source = import.meta.url.endsWith('.ts')
    const worker = new Worker(new URL(source ? './reader-thread.ts' : './reader-thread.js', import.meta.url), {
      workerData: { file: this.#file, driver: this.#driver },
      execArgv: source ? ['--conditions=mox-source'] : [],
    })
    worker.unref()
    worker.on('message', ({ id, rows, error }: { id: number; rows?: SqlRow[]; error?: string }) => {
      const asked = this.#asked.get(id)
      this.#asked.delete(id)
      if (error === undefined) asked?.resolve((rows ?? []).map(buffers))
      else asked?.reject(new Error(error))
    })
    const gone = (reason: Error): void => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      for (const { reject } of this.#asked.values()) reject(reason)
      this.#asked.clear()
    }
    worker.on('error', error => gone(error instanceof Error ? error : new Error(String(error))))
    worker.on('exit', () => gone(new Error('the reader thread ended')))
    this.#worker = worker
    return worker
  }
}

/** Buffers arrive as plain byte arrays. */
function buffers(row: SqlRow): SqlRow {
  for (const [key, value] of Object.entries(row) as [string, unknown][])
    if (value instanceof Uint8Array && !Buffer.isBuffer(value))
      row[key] = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return row
}
