// `mox queue webhook …`: calls that wait and calls that are over.
import {
  type Clock,
  type Command,
  type CommandFlag,
  type CommandInput,
  type CommandResult,
  type Page,
  UsageError,
  type WebhookCall,
  type WebhookFilter,
  type Webhooks,
} from '@mox/plugin-sdk'
import { LIST_LIMIT } from '../filters.ts'
import { ALL_KINDS } from '../options.ts'
import { parseDuration, parseRange } from './times.ts'

/** Ids in one --ids flag. */
export const IDS_LIMIT = 1_000

const COMMON: readonly CommandFlag[] = [
  { name: 'ids', type: 'string', help: 'only these ids, separated by commas' },
  { name: 'account', type: 'string', help: 'only calls of this account' },
  { name: 'endpoint', type: 'string', help: 'only calls to endpoints of this name' },
  { name: 'event', type: 'string', help: `only this kind: ${ALL_KINDS.join(', ')}` },
  { name: 'submitted', type: 'string', help: 'when the call was made: "<-24h" for older than a day' },
]
const WAITING: readonly CommandFlag[] = [
  ...COMMON,
  { name: 'nextattempt', type: 'string', help: 'when the next attempt is due: ">1h" for more than an hour ahead' },
]
const OVER: readonly CommandFlag[] = [
  ...COMMON,
  { name: 'lastactivity', type: 'string', help: 'when it ended: ">-1h" for within the last hour' },
  { name: 'result', type: 'string', help: 'success or failure' },
]
/** The first is the default. */
type Sorting = readonly ['nextattempt' | 'lastactivity', 'submitted']
const WAITING_SORTING: Sorting = ['nextattempt', 'submitted']
const OVER_SORTING: Sorting = ['lastactivity', 'submitted']

function pageFlags([field]: Sorting): readonly CommandFlag[] {
  const first = field === 'nextattempt' ? 'the soonest' : 'the newest'
  return [
    { name: 'n', type: 'number', help: 'at most this many' },
    { name: 'sort', type: 'string', help: `${field} (${first} first) or submitted (the newest first)` },
    { name: 'asc', type: 'boolean', help: 'earliest first, or with --asc=false latest first' },
    { name: 'after', type: 'string', help: 'go on where an earlier list ended, as it says itself' },
  ]
}
const ALL: CommandFlag = { name: 'all', type: 'boolean', help: 'all calls: needed where no filter is given' }
const ID = { name: 'ID', help: 'id, as the lists show it' }

export function callCommands(webhooks: Webhooks, clock: Clock): readonly Command[] {
  const filter = (input: CommandInput): WebhookFilter => filterOf(input, clock.now())
  return [
    {
      path: ['queue', 'webhook', 'list'],
      summary: 'webhook calls that wait, next attempt first',
      flags: [...WAITING, ...pageFlags(WAITING_SORTING)],
      offline: true,
      run: async input => await list(input, WAITING_SORTING, page => webhooks.list(filter(input), page)),
    },
    {
      path: ['queue', 'webhook', 'print'],
      summary: 'everything known about one webhook call, as JSON',
      arguments: [ID],
      offline: true,
      run: async ({ arguments: [id = ''] }) => await print(webhooks, id),
    },
    {
      path: ['queue', 'webhook', 'schedule'],
      summary: 'move the next attempt of calls, or with --now set it from now: --now 0 for at once',
      arguments: [{ name: 'DURATION', help: 'such as 15m, 1h30m or -24h' }],
      flags: [...WAITING, ALL, { name: 'now', type: 'boolean', help: 'count from now, not from the next attempt' }],
      offline: false,
      run: async input => {
        const ms = parseDuration(input.arguments[0] ?? '')
        const when = input.flags.get('now') === true ? { at: clock.now() + ms } : { by: ms }
        return counted(await webhooks.reschedule(limited(input, filter(input)), when), 'rescheduled')
      },
    },
    {
      path: ['queue', 'webhook', 'cancel'],
      summary: 'end calls that wait',
      flags: [...WAITING, ALL],
      offline: false,
      run: async input => counted(await webhooks.cancel(limited(input, filter(input))), 'cancelled'),
    },
    {
      path: ['queue', 'webhook', 'retired', 'list'],
      summary: 'webhook calls that are over, last ended first',
      flags: [...OVER, ...pageFlags(OVER_SORTING)],
      offline: true,
      run: async input => await list(input, OVER_SORTING, page => webhooks.retired(filter(input), page)),
    },
    {
      path: ['queue', 'webhook', 'retired', 'print'],
      summary: 'everything known about one webhook call that is over, as JSON',
      arguments: [ID],
      offline: true,
      run: async ({ arguments: [id = ''] }) => await print(webhooks, id),
    },
  ]
}

async function list(
  input: CommandInput,
  sorting: Sorting,
  ask: (page: Page) => Promise<WebhookCall[]>,
): Promise<CommandResult> {
  const { page, most, place } = pageOf(input, sorting)
  const found = await ask(page)
  const rows = found.slice(0, most).map(call => ({
    id: call.id,
    account: call.account,
    endpoint: call.endpoint,
    event: call.event,
    submitted: formatTime(call.submitted),
    attempts: call.attempts,
    next: call.due === undefined ? '' : formatTime(call.due),
    ended: call.ended === undefined ? '' : `${call.ended.success ? 'success' : 'failure'} ${formatTime(call.ended.at)}`,
    last: call.ended?.note || lastResult(call),
  }))
  const columns = ['id', 'account', 'endpoint', 'event', 'submitted', 'attempts', 'next', 'ended', 'last']
  const more = found.length > most
  const last = found[most - 1]
  return { kind: 'rows', columns, rows, more, ...(more && last ? { next: `--after ${place(last)}.${last.id}` } : {}) }
}

/** The page to read: one row more than shown, to know whether there are more. */
function pageOf({ flags, limit }: CommandInput, [field, other]: Sorting) {
  const n = flags.get('n') ?? limit
  if (!Number.isSafeInteger(n) || Number(n) < 1) throw new UsageError(`--n ${n} must be a whole number from 1`)
  const sort = flags.get('sort') ?? field
  if (sort !== field && sort !== other)
    throw new UsageError(`--sort ${JSON.stringify(sort)} is unknown; choose ${field} or ${other}`)
  const after = flags.get('after')
  const [, value, id] = /^(\d{1,15})\.([1-9]\d{0,14})$/.exec(String(after)) ?? []
  if (after !== undefined && id === undefined)
    throw new UsageError(
      `--after ${JSON.stringify(after)} is no place in a list; copy it from the end of the list before`,
    )
  const most = Math.min(Number(n), LIST_LIMIT - 1)
  const ascending = flags.get('asc')
  const page: Page = {
    ...{ limit: most + 1, byId: sort === other },
    ...(typeof ascending === 'boolean' ? { ascending } : {}),
    ...(id === undefined ? {} : { after: { value: Number(value), id: Number(id) } }),
  }
  const place = ({ due, ended, submitted }: WebhookCall): number => due ?? ended?.at ?? submitted
  return { page, most, place }
}

function lastResult({ results }: WebhookCall): string {
  const last = results.at(-1)
  return last === undefined ? '' : last.error === '' ? `HTTP status ${last.code}` : last.error
}

async function print(webhooks: Webhooks, text: string): Promise<CommandResult> {
  const value = await webhooks.get(parseId(text))
  if (value === undefined)
    throw new UsageError(
      `no webhook call has the id ${text}; see mox queue webhook list, mox queue webhook retired list`,
    )
  return { kind: 'value', value }
}

const counted = (count: number, what: string): CommandResult => ({
  kind: 'text',
  text: `${count} ${count === 1 ? 'call' : 'calls'} ${what}`,
})

const formatTime = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z')

function parseId(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text))
    throw new UsageError(`${JSON.stringify(text)} is no id of a webhook call; it is a number such as 12`)
  return Number(text)
}

/** A change of everything must be meant. */
function limited({ flags }: CommandInput, filter: WebhookFilter): WebhookFilter {
  if (Object.keys(filter).length === 0 && flags.get('all') !== true)
    throw new UsageError('give a filter such as --account or --ids, or --all for all calls that wait')
  return filter
}

function filterOf({ flags }: CommandInput, now: number): WebhookFilter {
  const text = (name: string): string | undefined => {
    const value = flags.get(name)
    return typeof value === 'string' ? value : undefined
  }
  const [ids, account, endpoint, event, submitted] = ['ids', 'account', 'endpoint', 'event', 'submitted'].map(text)
  const time = text('nextattempt') ?? text('lastactivity')
  const result = text('result')
  const kind = ALL_KINDS.find(known => known === event)
  if (event !== undefined && kind === undefined)
    throw new UsageError(`--event ${JSON.stringify(event)} is unknown; choose one of ${ALL_KINDS.join(', ')}`)
  if (result !== undefined && result !== 'success' && result !== 'failure')
    throw new UsageError('--result is success or failure')
  return {
    ...(ids === undefined ? {} : { ids: parseIds(ids) }),
    ...(account === undefined ? {} : { account }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(kind === undefined ? {} : { event: kind }),
    ...(submitted === undefined ? {} : { submitted: parseRange(submitted, now) }),
    ...(time === undefined ? {} : { time: parseRange(time, now) }),
    ...(result === undefined ? {} : { success: result === 'success' }),
  }
}

function parseIds(text: string): number[] {
  const ids = text.split(',').map(id => parseId(id.trim()))
  if (ids.length > IDS_LIMIT) throw new UsageError(`--ids has ${ids.length} ids; give at most ${IDS_LIMIT} at a time`)
  return ids
}
