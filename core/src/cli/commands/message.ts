// mox message list, explain: the whole story of one message. What every handler said, what became of each recipient,
// what the other side answered.
import { type Command, type Job, type Retired, type StoredMessage, UsageError } from '@mox/plugin-sdk'
import { type CommandDeps, formatReverse, formatTime, parseId } from './deps.ts'
import { formatStory, type Story } from './story.ts'

/** Recipients of one message that are shown. */
const RECIPIENT_LIMIT = 1000

export function messageCommands(deps: CommandDeps): readonly Command[] {
  return [
    {
      path: ['message', 'list'],
      summary: 'messages that were accepted, newest first',
      offline: true,
      run: async ({ limit }) => {
        const found = await deps.storage.messages.list({ limit: limit + 1 })
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
        return { kind: 'rows', columns, rows, more: found.length > limit }
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
  )
}

function story(
  message: StoredMessage | undefined,
  messageId: number,
  queued: readonly Job[],
  retired: readonly Retired[],
  copies: Story['copies'],
): Story {
  if (message === undefined) return { messageId, queued, retired, copies }
  // Bytes of trace fields are of no use here.
  const { prefix: _, ...rest } = message
  return { messageId, message: rest, queued, retired, copies }
}
