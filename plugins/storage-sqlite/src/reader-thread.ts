// Runs in the reader thread: one query after another on a read-only connection.
import { parentPort, workerData } from 'node:worker_threads'
import type { SqlValue } from '@mox/plugin-storage-sql'
import { connect, type DriverName } from './driver.ts'

const { file, driver } = workerData as { file: string; driver: DriverName }
const connection = connect(driver, file, { readOnly: true })

parentPort?.on('message', ({ id, sql, values }: { id: number; sql: string; values: SqlValue[] }) => {
  void (async () => {
    try {
      const bound = values.map(v => (v instanceof Uint8Array && !Buffer.isBuffer(v) ? Buffer.from(v) : v))
      parentPort?.postMessage({ id, rows: await (await connection).all(sql, bound) })
    } catch (error) {
      parentPort?.postMessage({ id, error: error instanceof Error ? error.message : String(error) })
    }
  })()
})
