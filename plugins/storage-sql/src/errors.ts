// Failures that a remote side is told about. The cause stays in the log.
import { MailError, reply } from '@mox/plugin-sdk'

/** RFC 5321 §4.2.3: 452. Clients try again later. */
export function insufficientStorage(cause: unknown): MailError {
  return new MailError('storage', reply(452, '4.3.1', 'insufficient system storage'), cause)
}

/** Writing failed in a way after which nobody knows what is on the disk. */
export function storageFailed(cause: unknown): MailError {
  return new MailError('storage', reply(451, '4.3.0', 'storage failed, the server must be restarted'), cause)
}

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EFBIG'])

/** The error of a file operation as a MailError where the disk is the reason. */
export function fileError(error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code
  return code !== undefined && FULL.has(code) ? insufficientStorage(error) : error
}
