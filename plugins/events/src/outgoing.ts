// What the hooks of the queue say, as events: one recipient of a message that an account sent. Mail that nobody here sent, such
// as a refused copy of mail from outside, makes none.
import type {
  Attempt,
  AttemptInput,
  DsnDone,
  EventKind,
  FinalStatus,
  Job,
  NewEvent,
  Retired,
  Storage,
} from '@mox/plugin-sdk'
import { type Path, pathToString } from '@mox/plugin-sdk/mail'

const KINDS: Readonly<Record<FinalStatus, EventKind>> = {
  delivered: 'delivered',
  failed: 'failed',
  suppressed: 'suppressed',
  cancelled: 'canceled',
}

/** What events of one recipient have in common. */
type Recipient = Pick<
  Job,
  | 'id'
  | 'messageId'
  | 'account'
  | 'recipient'
  | 'messageIdHeader'
  | 'subject'
  | 'fromId'
  | 'stream'
  | 'extra'
  | 'attempts'
>

function eventFor(job: Recipient, kind: EventKind, attempt: Attempt | undefined): NewEvent {
  return {
    account: job.account,
    kind,
    queueId: job.id,
    messageId: job.messageId,
    messageIdHeader: job.messageIdHeader,
    subject: job.subject,
    recipient: pathToString(job.recipient),
    fromId: job.fromId ?? '',
    stream: job.stream ?? '',
    extra: job.extra,
    dsn: false,
    suppressing: false,
    code: attempt?.code ?? 0,
    enhanced: attempt?.enhanced ?? '',
    error: kind === 'delivered' ? '' : (attempt?.text ?? ''),
    attempt: job.attempts,
    remoteMta: attempt?.remoteHost ?? '',
  }
}

/** `suppressing`: whether the failure put the recipient on a suppression list. */
export function retiredEvent(retired: Retired, suppressing: boolean): NewEvent {
  return { ...eventFor(retired, KINDS[retired.status], retired.results.at(-1)), suppressing }
}

export async function delayedEvent(storage: Storage, input: AttemptInput, eventId: string): Promise<NewEvent> {
  const { queueId, attempt, nextAttempt } = input
  const job = (await find(storage, queueId)) ?? (await leftovers(storage, input))
  return {
    ...eventFor({ ...job, attempts: attempt.number }, 'delayed', attempt),
    ...(nextAttempt === undefined ? {} : { nextAttempt }),
    dedupe: `attempt ${eventId}`,
  }
}

/** `caused`: the recipient caused a suppression entry. Undefined when it is in the history no more: nobody knows what it was about. */
export async function reportEvent(
  storage: Storage,
  { queueId, account, event }: DsnDone,
  caused: boolean,
  eventId: string,
): Promise<NewEvent | undefined> {
  const job = await find(storage, queueId)
  if (job === undefined || job.account !== account) return undefined
  const good = event.action === 'delivered' || event.action === 'relayed' || event.action === 'expanded'
  return {
    ...eventFor(job, event.action, undefined),
    dsn: true,
    suppressing: caused && (event.action === 'failed' || event.action === 'complained'),
    code: event.code,
    enhanced: event.enhanced,
    error: good ? '' : event.text,
    remoteMta: event.remoteMta ?? '',
    dedupe: `report ${eventId}`,
  }
}

async function find(storage: Storage, queueId: number): Promise<Job | Retired | undefined> {
  return (await storage.queue.get(queueId)) ?? (await storage.history.get(queueId))
}

/** Of a recipient that has left the history too: what the message itself still says. */
async function leftovers(
  storage: Storage,
  { queueId, messageId, account, recipient }: { queueId: number; messageId: number; account: string; recipient: Path },
): Promise<Recipient> {
  const message = await storage.messages.get(messageId)
  return {
    ...{ id: queueId, messageId, account, recipient, extra: {}, attempts: 0 },
    messageIdHeader: message?.messageIdHeader ?? '',
    subject: message?.subject ?? '',
  }
}
