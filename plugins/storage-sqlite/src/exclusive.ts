// One process per data directory: an exclusive lock on a small database of its own, which ends with the process however it
// ends, on every platform.
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UsageError } from '@mox/plugin-sdk'
import { type Connection, connect, type DriverName } from './driver.ts'

export interface Exclusive {
  release(): Promise<void>
}

/** Throws a UsageError when another process has the directory. */
export async function takeDirectory(dir: string, driver: DriverName): Promise<Exclusive> {
  const pidFile = join(dir, 'mox.pid')
  let connection: Connection | undefined
  try {
    connection = await connect(driver, join(dir, 'lock.db'), false)
    await connection.exec('pragma busy_timeout = 0')
    await connection.exec('begin exclusive')
  } catch (error) {
    await connection?.close()
    if (!String((error as { code?: unknown }).code ?? '').startsWith('SQLITE_BUSY')) throw error
    const pid = (await readFile(pidFile, 'utf8').catch(() => '')).trim()
    throw new UsageError(
      `the data directory ${dir} is in use by another mox${/^\d+$/.test(pid) ? ` (process ${pid})` : ''}; stop it, or set another dataDir`,
    )
  }
  await writeFile(pidFile, `${process.pid}\n`, { mode: 0o640 })
  return {
    release: async () => {
      await rm(pidFile, { force: true })
      await connection.close()
    },
  }
}
