// What a peer is told when something of ours fails. An error that carries a reply speaks for itself; of everything else
// the peer gets a temporary reply with an id, and the log gets the rest.
import { type Log, MailError, type Random, reply, type SmtpReply } from '@mox/plugin-sdk'
import { REPLIES } from './replies.ts'

/** Codes of errors that mean a full disk or database. */
const NO_SPACE = new Set<unknown>(['ENOSPC', 'EDQUOT', 'SQLITE_FULL', '53100'])

export function failureReply(
  deps: { readonly log: Log; readonly random: Random },
  fields: { readonly session: string; readonly stage: string },
  error: unknown,
): SmtpReply {
  if (error instanceof MailError) {
    // A limit or a rule refused; but when there is no room, somebody has to make some.
    const log = hasNoSpace(error.cause) ? 'error' : 'info'
    deps.log[log]({ ...fields, part: error.part, err: error }, 'mail refused')
    return error.reply
  }
  const id = deps.random.id().slice(0, 12)
  deps.log.error({ ...fields, id, err: error }, 'mail could not be processed')
  if (hasNoSpace(error)) return REPLIES.outOfSpace
  return reply(451, '4.3.0', `local error, try again later (${id})`)
}

function hasNoSpace(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && NO_SPACE.has(error.code)
}
