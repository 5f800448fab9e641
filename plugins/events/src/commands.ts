// `mox event …`: looking into the event log from the command line.
import { type Command, type CommandFlag, type EventKind, type Events, UsageError } from '@mox/plugin-sdk'
import { LIST_LIMIT } from './log.ts'

/** All kinds, for messages and checks. */
export const EVENT_KINDS: readonly EventKind[] = [
  ...(['delivered', 'delayed', 'failed', 'suppressed', 'canceled', 'relayed', 'expanded'] as const),
  ...(['complained', 'unsubscribed', 'unrecognized', 'incoming'] as const),
]

const FILTERS: readonly CommandFlag[] = [
  { name: 'account', type: 'string', help: 'only events of this account' },
  { name: 'kind', type: 'string', help: `only these kinds, separated by commas: ${EVENT_KINDS.join(', ')}` },
  { name: 'message', type: 'number', help: 'only events of this message id' },
  { name: 'after', type: 'number', help: 'oldest first, from behind this event id; without it the newest come first' },
]

export function eventCommands(events: Events): readonly Command[] {
  return [
    {
      path: ['event', 'list'],
      summary: 'what became of messages: delivered, delayed, failed, incoming and so on',
      flags: FILTERS,
      offline: true,
      run: async ({ flags, limit }) => {
        const account = flags.get('account')
        const kind = flags.get('kind')
        const message = flags.get('message')
        const after = flags.get('after')
        const filter = {
          ...(typeof account === 'string' ? { account } : {}),
          ...(typeof kind === 'string' ? { kinds: parseKinds(kind) } : {}),
          ...(typeof message === 'number' ? { messageId: message } : {}),
        }
        const page = typeof after === 'number' ? { after } : { descending: true }
        const most = Math.min(limit, LIST_LIMIT - 1)
        const found = await events.list(filter, { ...page, limit: most + 1 })
        const rows = found.slice(0, most).map(event => ({
          id: event.id,
          at: new Date(event.at).toISOString(),
          account: event.account,
          kind: event.kind,
          message: event.messageId,
          queue: event.queueId === 0 ? '' : event.queueId,
          recipient: event.recipient,
          error: [event.code === 0 ? '' : event.code, event.enhanced, event.error].filter(t => t !== '').join(' '),
          event: event.eventId,
        }))
        const columns = ['id', 'at', 'account', 'kind', 'message', 'queue', 'recipient', 'error', 'event']
        return { kind: 'rows', columns, rows, more: found.length > most }
      },
    },
    {
      path: ['event', 'print'],
      summary: 'everything known about one event, as JSON',
      arguments: [{ name: 'EVENT', help: 'the stable id in the last column of `mox event list`' }],
      offline: true,
      run: async ({ arguments: [id = ''] }) => {
        const value = await events.get(id)
        if (value === undefined) throw new UsageError(`no event has the id ${JSON.stringify(id)}; see mox event list`)
        return { kind: 'value', value }
      },
    },
  ]
}

function parseKinds(text: string): EventKind[] {
  return text.split(',').map(word => {
    const kind = EVENT_KINDS.find(known => known === word.trim())
    if (kind === undefined)
      throw new UsageError(`--kind ${JSON.stringify(word.trim())} is unknown; choose from ${EVENT_KINDS.join(', ')}`)
    return kind
  })
}
