// submission@1: how plugins send mail. The same session, hooks and unit of work as for a submission over SMTP.
import { MailError, type SmtpReply, type Submission, type SubmitMessage } from '@mox/plugin-sdk'
import { formatPath, type Path } from '@mox/plugin-sdk/mail'
import type { StageDeps } from '../stages.ts'
import { openSession } from './receiver.ts'
import { isPositive, REPLIES } from './replies.ts'
import type { Session } from './session.ts'
import type { Acceptance } from './transaction.ts'

const LOOPBACK = '127.0.0.1'
/** Made once: a new reason for every message costs as much as a query. */
const OVER = new Error('the submission is over')
/** Octets; plugins that take messages from outside have smaller limits of their own. */
const MAX_SIZE = 1024 * 1024 * 1024

export function makeSubmission(deps: StageDeps): Submission {
  return {
    submit: async message => {
      const abort = new AbortController()
      try {
        const { session, reply } = await openSession(deps, sessionInfo(deps, message), abort.signal)
        check(reply)
        return await send(session, message)
      } finally {
        abort.abort(OVER)
      }
    },
  }
}

function sessionInfo(deps: StageDeps, message: SubmitMessage) {
  const { account, loginAddress, source, remoteIp = LOOPBACK, extra, stream, requireTls } = message
  const submitted = {
    ...(extra === undefined ? {} : { extra }),
    ...(stream === undefined ? {} : { stream }),
    ...(requireTls === undefined ? {} : { requireTls }),
  }
  return {
    ...{ id: deps.random.id(), kind: 'submission' as const, listener: source, hostname: deps.system.hostname },
    ...{ localIp: LOOPBACK, remoteIp, remotePort: 0, connectedAt: deps.clock.now(), helo: '', protocol: 'HTTP' },
    account,
    submitted,
    ...(loginAddress === undefined ? {} : { loginAddress }),
  }
}

async function send(session: Session, { envelope, content }: SubmitMessage) {
  const { reversePath, recipients, ...parameters } = envelope
  check(await session.mail(reversePath, parameters))
  for (const recipient of recipients) check(await session.rcpt(recipient), recipient.path)
  let acceptance: Acceptance | undefined
  const sink = session.sink({ maxSize: MAX_SIZE }, made => {
    acceptance = made
  })
  if (sink === undefined) throw new MailError('submission', REPLIES.needRcpt)
  try {
    for await (const chunk of Buffer.isBuffer(content) ? [content] : content) {
      await sink.write(chunk)
      if (sink.refused !== undefined) break
    }
  } catch (error) {
    await sink.abort()
    throw error
  }
  const [only] = recipients
  check(await sink.finish(), recipients.length === 1 ? only?.path : undefined)
  const { messageId = 0, queueIds = [], fromIds = [] } = acceptance ?? {}
  return { messageId, queueIds, fromIds }
}

/** `about`: whom the reply concerns, which whoever submits over SMTP knows from the order of commands. */
function check(reply: SmtpReply | undefined, about?: Path): void {
  if (reply === undefined || isPositive(reply)) return
  const named = about !== undefined && reply.enhanced?.startsWith('5.1.') === true
  throw new MailError('submission', named ? { ...reply, text: `${formatPath(about)}: ${reply.text}` } : reply)
}
