// mox message list, explain: the whole story of one message. What every handler said, what became of each recipient,
// what the other side answered.
import {
  type Command,
  type Job,
  type MessageNotes,
  type Retired,
  type StoredMessage,
  UsageError,
} from '@mox/plugin-sdk'
import { type CommandDeps, formatReverse, formatTime, parseId } from './deps.ts'
import { formatStory, type Story } from './story.ts'

/** Recipients of one message that are shown. */
const RECIPIENT_LIMIT = 1000
/** Notes of one plugin that are shown. */
const NOTES_LIMIT = 1000

export function messageCommands(deps: CommandDeps): readonly Command[] {
  return [
    {
      path: ['message', 'list'],
      summary: 'messages that were accepted, newest first',
      offline: true,
      flags: [{ name: 'after', type: 'number', help: 'go on where an earlier list ended, as it says itself' }],
      run: async ({ limit, flags }) => {
        const before = messageAfter(flags.get('after'))
        const found = await deps.storage.messages.list({
          limit: limit + 1,
          ...(before === undefined ? {} : { before }),
        })
        const more = found.length > limit
        const rows = found.slice(0, limit).map(m => ({
          id: m.id,
          received: formatTime(m.receivedAt),
          kind: m.kind,
          account: m.account,
          from: formatReverse(m.reversePath),
          to:
            m.recipients.length > 1
              ? `${m.recipients[0] ?? ''} and ${m.recipients.length - 1} more`
              : (m.recipients[0] ?? ''),
          size: m.size,
          subject: m.subject,
        }))
        const columns = ['id', 'received', 'kind', 'account', 'from', 'to', 'size', 'subject']
        return { kind: 'rows', columns, rows, more, ...(more ? { next: `--after ${rows.at(-1)?.id}` } : {}) }
      },
    },
    {
      path: ['message', 'explain'],
      summary: 'what happened to a message and why',
      arguments: [{ name: 'ID', help: 'message id, or q and a queue id for one recipient: 12, q34' }],
      offline: true,
      run: async ({ arguments: [id = ''], flags }) => {
        const story = await tell(deps, id)
        return flags.get('json') === true ? { kind: 'value', value: story } : { kind: 'text', text: formatStory(story) }
      },
    },
  ]
}

function messageAfter(value: unknown): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && Number(value) >= 1)) return value as number | undefined
  throw new UsageError(`--after ${String(value)} is no message id; copy it from the end of the list before`)
}

async function tell(deps: CommandDeps, id: string): Promise<Story> {
  const { messages, queue, history } = deps.storage
  if (id.startsWith('q')) {
    const queueId = parseId(id.slice(1), 'queue id')
    const [job, retired] = [await queue.get(queueId), await history.get(queueId)]
    const one = job ?? retired
    if (one === undefined)
      throw new UsageError(`no recipient has the queue id ${queueId}; see mox queue list, mox queue retired list`)
    return story(
      await messages.get(one.messageId),
      one.messageId,
      job === undefined ? [] : [job],
      retired === undefined ? [] : [retired],
      [],
      await notesOf(deps, { messageId: one.messageId, queueId }),
    )
  }
  const messageId = parseId(id, 'message id')
  const message = await messages.get(messageId)
  const queued = await queue.list({ messageId }, { limit: RECIPIENT_LIMIT, ascending: true })
  const retired = await history.list({ messageId }, { limit: RECIPIENT_LIMIT, ascending: true })
  if (message === undefined && queued.length === 0 && retired.length === 0)
    throw new UsageError(
      `no message has the id ${messageId}; see mox message list, or write q${messageId} for a queue id`,
    )
  const copies = (await deps.mailboxes?.copies(messageId)) ?? []
  return story(
    message,
    messageId,
    queued,
    retired,
    copies.map(({ account, id, mailboxId, uid }) => ({ account, id, mailboxId, uid })),
    await notesOf(deps, { messageId }),
  )
}

async function notesOf({ notes }: CommandDeps, about: Parameters<MessageNotes['list']>[0]): Promise<Story['notes']> {
  const found: Story['notes'][number][] = []
  for (const source of notes) {
    const list = await source.list(about, NOTES_LIMIT)
    if (list.length > 0) found.push({ title: source.title, notes: list })
  }
  return found
}

function story(
  message: StoredMessage | undefined,
  messageId: number,
  queued: readonly Job[],
  retired: readonly Retired[],
  copies: Story['copies'],
  notes: Story['notes'],
): Story {
  if (message === undefined) return { messageId, queued, retired, copies, notes }
  // Bytes of trace fields are of no use here.
  const { prefix: _, ...rest } = message
  return { messageId, message: rest, queued, retired, copies, notes }
}
