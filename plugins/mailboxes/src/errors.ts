// The refusals of the store, each with its SMTP reply.
import { MailboxError, type MailboxProblem, reply, type SmtpReply } from '@mox/plugin-sdk'

/** RFC 5321 §4.2.3, RFC 3463 §3.3: temporary, since the user can make room. */
export const OVER_QUOTA: SmtpReply = reply(452, '4.2.2', 'account storage full')

export function refuse(problem: MailboxProblem, text: string): MailboxError {
  const r = problem === 'quota' ? OVER_QUOTA : reply(550, problem === 'limit' ? '5.3.4' : '5.2.0', text)
  return new MailboxError(problem, r)
}
