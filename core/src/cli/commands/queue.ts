// mox queue …: what waits, what left, and the scheduler's brake.
import {
  type Command,
  type CommandInput,
  type CommandResult,
  type FinalStatus,
  type HistoryFilter,
  type QueueFilter,
  UsageError,
} from '@mox/plugin-sdk'
import { pathToString } from '@mox/plugin-sdk/mail'
import { type CommandDeps, formatReverse, formatTime, lastReply, parseId } from './deps.ts'
import { FILTERS, filterOf } from './filters.ts'

const STATUSES: readonly FinalStatus[] = ['delivered', 'failed', 'suppressed', 'cancelled']

export function queueCommands(deps: CommandDeps): readonly Command[] {
  return [
    {
      path: ['queue', 'list'],
      summary: 'recipients in the queue, next attempt first',
      flags: [
        ...FILTERS,
        { name: 'hold', type: 'boolean', help: 'only recipients on hold, or with --hold=false those that are not' },
      ],
      offline: true,
      run: async input => await list(deps, input),
    },
    {
      path: ['queue', 'retired', 'list'],
      summary: 'recipients that left the queue, newest first',
      flags: [...FILTERS, { name: 'status', type: 'string', help: STATUSES.join(', ') }],
      offline: true,
      run: async input => await retired(deps, input),
    },
    {
      path: ['queue', 'retired', 'print'],
      summary: 'everything known about one retired recipient, as JSON',
      arguments: [{ name: 'ID', help: 'queue id, as `mox queue retired list` shows it' }],
      offline: true,
      run: async ({ arguments: [id = ''] }) => {
        const value = await deps.storage.history.get(parseId(id, 'queue id'))
        if (value === undefined)
          throw new UsageError(`no retired recipient has the queue id ${id}; see mox queue retired list`)
        return { kind: 'value', value }
      },
    },
    {
      path: ['queue', 'status'],
      summary: 'whether deliveries are made, and how many are in progress',
      offline: false,
      run: async () => ({ kind: 'value', value: deps.queue.status() }),
    },
    control('pause', 'make no new delivery attempts until resume or a restart', () => deps.queue.pause()),
    control('resume', 'make delivery attempts again', () => deps.queue.resume()),
    control('kick', 'look for due recipients now', () => deps.queue.kick()),
  ]

  function control(verb: string, summary: string, work: () => void): Command {
    return {
      path: ['queue', verb],
      summary,
      offline: false,
      run: async () => {
        work()
        const { paused, running } = deps.queue.status()
        return { kind: 'text', text: `${paused ? 'paused' : 'running'}, ${running} in progress` }
      },
    }
  }
}

async function list(deps: CommandDeps, input: CommandInput): Promise<CommandResult> {
  const hold = input.flags.get('hold')
  const filter: QueueFilter = { ...filterOf(input), ...(typeof hold === 'boolean' ? { hold } : {}) }
  const found = await deps.storage.queue.list(filter, { limit: input.limit + 1, ascending: true })
  const rows = found.slice(0, input.limit).map(job => ({
    id: job.id,
    message: job.messageId,
    queued: formatTime(job.receivedAt),
    from: formatReverse(job.reversePath),
    to: pathToString(job.recipient),
    attempts: job.attempts,
    next: job.hold ? 'on hold' : formatTime(job.due),
    last: lastReply(job.results),
  }))
  const columns = ['id', 'message', 'queued', 'from', 'to', 'attempts', 'next', 'last']
  return { kind: 'rows', columns, rows, more: found.length > input.limit }
}

async function retired(deps: CommandDeps, input: CommandInput): Promise<CommandResult> {
  const status = input.flags.get('status')
  if (status !== undefined && !STATUSES.includes(status as FinalStatus))
    throw new UsageError(`--status ${JSON.stringify(status)} is unknown; choose one of ${STATUSES.join(', ')}`)
  const filter: HistoryFilter = {
    ...filterOf(input),
    ...(status === undefined ? {} : { status: status as FinalStatus }),
  }
  const found = await deps.storage.history.list(filter, { limit: input.limit + 1 })
  const rows = found.slice(0, input.limit).map(job => ({
    id: job.id,
    message: job.messageId,
    queued: formatTime(job.receivedAt),
    ended: formatTime(job.lastActivity),
    from: formatReverse(job.reversePath),
    to: pathToString(job.recipient),
    status: job.status,
    attempts: job.attempts,
    last: lastReply(job.results),
  }))
  const columns = ['id', 'message', 'queued', 'ended', 'from', 'to', 'status', 'attempts', 'last']
  return { kind: 'rows', columns, rows, more: found.length > input.limit }
}
