// Runs in the reader thread: one query after another on a read-only connection. An error is an answer too.
import { parentPort, workerData } from 'node:worker_threads'
import type { SqlRow, SqlValue } from '@mox/plugin-storage-sql'
import { connect, type DriverName } from './driver.ts'

/** Statements kept prepared; queries of plugins may be of any number. */
const STATEMENTS = 100

const { file, driver } = workerData as { file: string; driver: DriverName }
let asked = 0
let connection = connect(driver, file, true)

async function read(sql: string, values: readonly SqlValue[]): Promise<SqlRow[]> {
  if (++asked % STATEMENTS === 0) {
    await (await connection).close()
    connection = connect(driver, file, true)
  }
  // Buffers arrive as plain byte arrays.
  const bound = values.map(v =>
    (v as unknown) instanceof Uint8Array && !Buffer.isBuffer(v) ? Buffer.from(v as never) : v,
  )
  return await (await connection).prepare(sql).all(bound)
}

let last: Promise<unknown> = Promise.resolve()
parentPort?.on('message', ({ id, sql, values }: { id: number; sql: string; values: SqlValue[] }) => {
  last = last.then(async () => {
    try {
      parentPort?.postMessage({ id, rows: await read(sql, values) })
    } catch (error) {
      parentPort?.postMessage({ id, error: error instanceof Error ? error.message : String(error) })
    }
  })
})
