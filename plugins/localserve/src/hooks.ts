// The receive side of the simulation: replies to MAIL FROM, RCPT TO and DATA that magic localparts ask for. What the queue
// replays to us was decided by the transport already, what comes over HTTP is taken and fails in the queue, and the reports that
// we make are never in trouble.
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
import { pathToString } from '@mox/plugin-sdk/mail'
import type { Greylist } from './greylist.ts'
import { REPORTS } from './later.ts'
import { type Magic, magicOf, stageOf } from './magic.ts'
import { LISTENER } from './transport.ts'

type Answer = Promise<Defer | Reject | undefined>

export interface ReceiveDeps {
  readonly clock: Clock
  readonly greylist: Greylist
}

/** Only SMTP has the replies that are asked for. */
const isSmtp = ({ listener, submitted }: SessionInfo): boolean =>
  listener !== LISTENER && listener !== REPORTS && submitted === undefined

export function onMail(
  { reversePath, session, signal }: ReceiveMail & { signal: AbortSignal },
  deps: ReceiveDeps,
): Answer | undefined {
  const local = reversePath?.localpart ?? ''
  const sender = pathToString(reversePath)
  return !isSmtp(session) || stageOf(local) !== 'mailfrom' ? undefined : act(deps, magicOf(local), sender, '', signal)
}

export function onRcpt(
  { envelope, recipient, session, signal }: ReceiveRcpt & { signal: AbortSignal },
  deps: ReceiveDeps,
): Answer | undefined {
  const { path } = recipient
  return !isSmtp(session) || stageOf(path.localpart) !== 'rcptto'
    ? undefined
    : act(deps, magicOf(path.localpart), pathToString(envelope.reversePath), pathToString(path), signal)
}

export async function onData(
  { envelope, session, signal }: ReceiveData & { signal: AbortSignal },
  deps: ReceiveDeps,
): Answer {
  if (!isSmtp(session)) return undefined
  for (const { path } of envelope.recipients) {
    const stage = stageOf(path.localpart)
    const later = stage === 'queue' && session.kind === 'submission'
    const magic = later || stage === 'mailfrom' || stage === 'rcptto' ? undefined : magicOf(path.localpart)
    const answer = await act(deps, magic, pathToString(envelope.reversePath), pathToString(path), signal)
    if (answer !== undefined) return answer
  }
  return undefined
}

async function act(
  { clock, greylist }: ReceiveDeps,
  magic: Magic | undefined,
  sender: string,
  recipient: string,
  signal: AbortSignal,
): Answer {
  if (magic === undefined) return undefined
  // The hook's own deadline may end the wait before; the peer then gets the hook's temporary failure.
  if (magic.slowMs > 0) await clock.sleep(magic.slowMs, signal)
  const grey = magic.greylistMs > 0 ? greylist.ask(sender, recipient, magic.greylistMs) : undefined
  const reply = grey ?? magic.refusal
  return reply && verdict(reply)
}

const verdict = (reply: SmtpReply): Defer | Reject => ({
  kind: reply.code < 500 ? 'defer' : 'reject',
  reply,
  reason: 'magic localpart',
})
