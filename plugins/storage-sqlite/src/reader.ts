// The reader thread: runs queries that may take long on a connection of its own, so that the event loop goes on. Started by the
// first query, and again by the next one after it crashed. It keeps the process alive only while somebody waits for it.
import { Worker } from 'node:worker_threads'
import type { SqlRow, SqlValue } from '@mox/plugin-storage-sql'
import type { DriverName } from './driver.ts'

interface Asked {
  readonly resolve: (rows: SqlRow[]) => void
  readonly reject: (error: Error) => void
}

export class Reader {
  readonly #workerData: { readonly file: string; readonly driver: DriverName }
  #worker: Worker | undefined
  #asked = new Map<number, Asked>()
  #lastId = 0

  constructor(file: string, driver: DriverName) {
    this.#workerData = { file, driver }
  }

  query(sql: string, values: readonly SqlValue[]): Promise<SqlRow[]> {
    return new Promise((resolve, reject) => {
      const worker = this.#start()
      const id = ++this.#lastId
      this.#asked.set(id, { resolve, reject })
      worker.ref()
      worker.postMessage({ id, sql, values })
    })
  }

  /** The query that runs is given up as soon as SQLite lets go of the thread, those that wait at once. */
  async close(): Promise<void> {
    await this.#worker?.terminate()
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker
    const source = import.meta.url.endsWith('.ts')
    const worker = new Worker(new URL(source ? './reader-thread.ts' : './reader-thread.js', import.meta.url), {
      workerData: this.#workerData,
      execArgv: source ? ['--conditions=mox-source'] : [],
    })
    worker.on('message', ({ id, rows, error }: { id: number; rows?: SqlRow[]; error?: string }) => {
      const asked = this.#asked.get(id)
      this.#asked.delete(id)
      if (this.#asked.size === 0) worker.unref()
      if (rows !== undefined) asked?.resolve(rows.map(withBuffers))
      else asked?.reject(new Error(`query on the reader thread failed: ${error}`))
    })
    const gone = (reason: Error): void => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      const asked = this.#asked
      this.#asked = new Map()
      for (const { reject } of asked.values()) reject(reason)
    }
    worker.on('error', error => gone(new Error('the reader thread failed', { cause: error })))
    worker.on('exit', () => gone(new Error('the reader thread ended')))
    this.#worker = worker
    return worker
  }
}

/** Byte values arrive as plain byte arrays. */
function withBuffers(row: SqlRow): SqlRow {
  for (const [key, value] of Object.entries(row) as [string, unknown][])
    if (value instanceof Uint8Array && !Buffer.isBuffer(value))
      row[key] = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return row
}
