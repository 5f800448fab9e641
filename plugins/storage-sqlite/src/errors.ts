// What SQLite's errors mean for us. Codes are those of sqlite.org/rescode.html as both drivers give them.
import { insufficientStorage, storageFailed } from '@mox/plugin-storage-sql'

/** No room: nothing was written, and it may be written later. The shared memory of the log has no other code for this. */
const FULL = new Set(['SQLITE_FULL', 'SQLITE_IOERR_SHMSIZE', 'SQLITE_IOERR_SHMMAP'])

const code = (error: unknown): string => String((error as { code?: unknown } | undefined)?.code ?? '')

/** SQLite may have undone the whole transaction by itself (sqlite.org/lang_transaction.html §2.3), or could not have. */
export function isFatal(error: unknown): boolean {
  return /^SQLITE_(?:FULL|IOERR|NOMEM|BUSY|LOCKED|INTERRUPT|CORRUPT|NOTADB|CANTOPEN|PROTOCOL|READONLY)/.test(
    code(error),
  )
}

/** Nobody knows what is on the disk: no more writes until a restart, which checks the log. */
export function isFinal(error: unknown): boolean {
  return /^SQLITE_(?:IOERR|CORRUPT|NOTADB)/.test(code(error)) && !FULL.has(code(error))
}

/** What the caller of a unit of work gets. */
export function mailError(error: unknown): unknown {
  if (FULL.has(code(error))) return insufficientStorage(error)
  return isFinal(error) ? storageFailed(error) : error
}

/** Says what to do where SQLite only says what it refuses. */
export function explainRefusal(error: unknown): unknown {
  if (!code(error).startsWith('SQLITE_READONLY')) return error
  return new Error('a change outside of a unit of work: use storage.write()', { cause: error })
}
