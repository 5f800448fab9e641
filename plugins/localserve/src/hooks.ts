// The receive side of the simulation: replies to MAIL FROM, RCPT TO and DATA that magic localparts ask for. What the queue
// replays to us was decided by the transport already, and what comes over HTTP is taken and fails in the queue.
import type {
  Clock,
  Defer,
  ReceiveData,
  ReceiveMail,
  ReceiveRcpt,
  Reject,
  SessionInfo,
  SmtpReply,
} from '@mox/plugin-sdk'
import { type Magic, magicOf, stageOf } from './magic.ts'
import { LISTENER } from './transport.ts'

type Answer = Promise<Defer | Reject | undefined>

/** Only SMTP has the replies that are asked for. */
const isSmtp = (session: SessionInfo): boolean => session.listener !== LISTENER && session.submitted === undefined

export function onMail(
  { reversePath, session, signal }: ReceiveMail & { signal: AbortSignal },
  clock: Clock,
): Answer | undefined {
  const local = reversePath?.localpart ?? ''
  return !isSmtp(session) || stageOf(local) !== 'mailfrom' ? undefined : act(magicOf(local), clock, signal)
}

export function onRcpt(
  { recipient, session, signal }: ReceiveRcpt & { signal: AbortSignal },
  clock: Clock,
): Answer | undefined {
  const local = recipient.path.localpart
  return !isSmtp(session) || stageOf(local) !== 'rcptto' ? undefined : act(magicOf(local), clock, signal)
}

export function onData(
  { envelope, session, signal }: ReceiveData & { signal: AbortSignal },
  clock: Clock,
): Answer | undefined {
  if (!isSmtp(session)) return undefined
  for (const { path } of envelope.recipients) {
    const stage = stageOf(path.localpart)
    const later = stage === 'queue' && session.kind === 'submission'
    const magic = later || stage === 'mailfrom' || stage === 'rcptto' ? undefined : magicOf(path.localpart)
    if (magic !== undefined) return act(magic, clock, signal)
  }
  return undefined
}

async function act(magic: Magic | undefined, clock: Clock, signal: AbortSignal): Answer {
  if (magic === undefined) return undefined
  // The hook's own deadline ends the wait long before; the peer then gets the hook's temporary failure.
  if (magic.kind === 'timeout') await clock.sleep(3_600_000, signal)
  return verdict(magic.reply)
}

const verdict = (reply: SmtpReply): Defer | Reject => ({
  kind: reply.code < 500 ? 'defer' : 'reject',
  reply,
  reason: 'magic localpart',
})
