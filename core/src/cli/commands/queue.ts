// mox queue list, dump, and the scheduler's brake; mox queue retired: what waits and what left.
import {
  type Command,
  type CommandFlag,
  type CommandInput,
  type CommandResult,
  type FinalStatus,
  type HistoryFilter,
  type QueueFilter,
  UsageError,
} from '@mox/plugin-sdk'
import { pathToString } from '@mox/plugin-sdk/mail'
import { type CommandDeps, formatReverse, formatTime, lastReply, parseId } from './deps.ts'
import { bounds, FILTERS, sharedFilter, TIME_HELP, timeBound } from './filters.ts'
import { cursorText, pageFlags, pageOf, type Sorting } from './pages.ts'

const STATUSES: readonly FinalStatus[] = ['delivered', 'failed', 'suppressed', 'cancelled']
const BY_DUE: Sorting = { field: 'nextattempt', ascending: true }
const BY_ACTIVITY: Sorting = { field: 'lastactivity', ascending: false }

/** The flags that choose among queued recipients. */
export const QUEUE_FILTERS: readonly CommandFlag[] = [
  ...FILTERS,
  { name: 'nextattempt', type: 'string', help: `only those to be tried then, ${TIME_HELP}` },
  { name: 'hold', type: 'boolean', help: 'only recipients on hold, or with --hold=false those that are not' },
]

export function queueFilter(input: CommandInput, now: number): QueueFilter {
  const hold = input.flags.get('hold')
  return {
    ...sharedFilter(input, now),
    ...bounds(timeBound(input.flags, 'nextattempt', now), 'dueBefore', 'dueAfter'),
    ...(typeof hold === 'boolean' ? { hold } : {}),
  }
}

export function queueCommands(deps: CommandDeps): readonly Command[] {
  return [
    {
      path: ['queue', 'list'],
      summary: 'recipients in the queue, next attempt first',
      flags: [...QUEUE_FILTERS, ...pageFlags(BY_DUE)],
      offline: true,
      run: async input => await list(deps, input),
    },
    {
      path: ['queue', 'dump'],
      summary: 'the whole message of a recipient, as it is sent',
      arguments: [{ name: 'ID', help: 'queue id, as `mox queue list` and `mox queue retired list` show it' }],
      offline: true,
      run: async ({ arguments: [id = ''] }) => {
        const chunks = await deps.queue.dump(parseId(id, 'queue id'))
        if (chunks !== undefined) return { kind: 'bytes', chunks }
        throw new UsageError(`no message is kept for the queue id ${id}; see mox queue list, mox queue retired list`)
      },
    },
    {
      path: ['queue', 'retired', 'list'],
      summary: 'recipients that left the queue, newest first',
      flags: [
        ...FILTERS,
        { name: 'lastactivity', type: 'string', help: `only those that ended then, ${TIME_HELP}` },
        { name: 'status', type: 'string', help: STATUSES.join(', ') },
        { name: 'result', type: 'string', help: 'success for delivered, failure for all others' },
        ...pageFlags(BY_ACTIVITY),
      ],
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
    brake('pause', 'make no new delivery attempts until resume or a restart', () => deps.queue.pause()),
    brake('resume', 'make delivery attempts again', () => deps.queue.resume()),
  ]

  function brake(verb: string, summary: string, work: () => void): Command {
    return {
      path: ['queue', verb],
      summary,
      offline: false,
      run: async () => {
        work()
        return progress(deps)
      },
    }
  }
}

/** "running, 2 in progress" */
export function progress(deps: CommandDeps): CommandResult {
  const { paused, running } = deps.queue.status()
  return { kind: 'text', text: `${paused ? 'paused' : 'running'}, ${running} in progress` }
}

async function list(deps: CommandDeps, input: CommandInput): Promise<CommandResult> {
  const { page, shown } = pageOf(input, BY_DUE)
  const found = await deps.storage.queue.list(queueFilter(input, deps.now()), page)
  const rows = found.map(job => ({
    id: job.id,
    message: job.messageId,
    queued: formatTime(job.receivedAt),
    account: job.account,
    from: formatReverse(job.reversePath),
    to: pathToString(job.recipient),
    attempts: job.attempts,
    next: job.hold ? 'on hold' : formatTime(job.due),
    last: lastReply(job.results),
    hold: job.hold,
    due: formatTime(job.due),
    transport: job.transport ?? null,
    requireTls: job.requireTls ?? null,
    cursor: cursorText(job.due, job.id),
  }))
  return table(['id', 'message', 'queued', 'from', 'to', 'attempts', 'next', 'last'], rows, shown)
}

/** The columns of the table; --json shows all fields of the rows. */
function table(
  columns: readonly string[],
  found: readonly { readonly cursor: string }[],
  shown: number,
): CommandResult {
  const rows = found.slice(0, shown)
  const more = found.length > shown
  const last = rows.at(-1)
  return { kind: 'rows', columns, rows, more, ...(more && last ? { next: `--after ${last.cursor}` } : {}) }
}

async function retired(deps: CommandDeps, input: CommandInput): Promise<CommandResult> {
  const { page, shown } = pageOf(input, BY_ACTIVITY)
  const found = await deps.storage.history.list(historyFilter(input, deps.now()), page)
  const rows = found.map(job => ({
    id: job.id,
    message: job.messageId,
    queued: formatTime(job.receivedAt),
    ended: formatTime(job.lastActivity),
    account: job.account,
    from: formatReverse(job.reversePath),
    to: pathToString(job.recipient),
    status: job.status,
    attempts: job.attempts,
    last: lastReply(job.results),
    cursor: cursorText(job.lastActivity, job.id),
  }))
  return table(['id', 'message', 'queued', 'ended', 'from', 'to', 'status', 'attempts', 'last'], rows, shown)
}

function historyFilter(input: CommandInput, now: number): HistoryFilter {
  const { flags } = input
  const status = flags.get('status')
  const result = flags.get('result')
  if (status !== undefined && !STATUSES.includes(status as FinalStatus))
    throw new UsageError(`--status ${JSON.stringify(status)} is unknown; choose one of ${STATUSES.join(', ')}`)
  if (result !== undefined && result !== 'success' && result !== 'failure')
    throw new UsageError(`--result ${JSON.stringify(result)} is unknown; choose success or failure`)
  return {
    ...sharedFilter(input, now),
    ...bounds(timeBound(flags, 'lastactivity', now), 'activeBefore', 'activeAfter'),
    ...(status === undefined ? {} : { status: status as FinalStatus }),
    ...(result === undefined ? {} : { delivered: result === 'success' }),
  }
}
