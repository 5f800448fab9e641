// The flags that choose recipients, for all commands on the queue and its history. All that are given must hold.
import { type CommandFlag, type CommandInput, parseTimeBound, type TimeBound, UsageError } from '@mox/plugin-sdk'
import { parseId } from './deps.ts'

/** Ids in one --ids flag. */
export const IDS_LIMIT = 1000

/** What filters of the queue and of the history have in common. */
interface SharedFilter {
  readonly ids?: readonly number[]
  readonly account?: string
  readonly from?: string
  readonly to?: string
  readonly messageId?: number
  readonly transport?: string
  readonly receivedBefore?: number
  readonly receivedAfter?: number
}

export const TIME_HELP = 'such as "<-24h" for more than a day ago, ">1h" for more than an hour ahead, "<now"'

export const FILTERS: readonly CommandFlag[] = [
  { name: 'ids', type: 'string', help: 'only these queue ids, separated by commas' },
  { name: 'account', type: 'string', help: 'only what this account submitted' },
  { name: 'from', type: 'string', help: 'only reverse-paths with this text' },
  { name: 'to', type: 'string', help: 'only recipients with this text; "@example.com" for a domain' },
  { name: 'message', type: 'number', help: 'only recipients of this message id' },
  { name: 'submitted', type: 'string', help: `only what was queued then, ${TIME_HELP}` },
  { name: 'transport', type: 'string', help: 'only those with this transport set; "" for those without' },
]

export const COUNT: CommandFlag = { name: 'n', type: 'number', help: 'at most this many' }

export function sharedFilter({ flags }: CommandInput, now: number): SharedFilter {
  const ids = flags.get('ids')
  const account = flags.get('account')
  const message = flags.get('message')
  const transport = flags.get('transport')
  const submitted = timeBound(flags, 'submitted', now)
  return {
    ...(typeof ids === 'string' ? { ids: parseIds(ids) } : {}),
    ...(typeof account === 'string' ? { account } : {}),
    ...addressText(flags, 'from'),
    ...addressText(flags, 'to'),
    ...(typeof message === 'number' ? { messageId: message } : {}),
    ...(typeof transport === 'string' ? { transport } : {}),
    ...bounds(submitted, 'receivedBefore', 'receivedAfter'),
  }
}

/** Domains are compared in lower case. */
function addressText(flags: CommandInput['flags'], name: 'from' | 'to'): { readonly [N in 'from' | 'to']?: string } {
  const text = flags.get(name)
  if (typeof text !== 'string' || text === '') return {}
  const at = text.lastIndexOf('@')
  return { [name]: at < 0 ? text : text.slice(0, at) + text.slice(at).toLowerCase().normalize('NFC') }
}

/** The fields of a filter for a bound of a time. */
export function bounds<B extends string, A extends string>(
  bound: TimeBound | undefined,
  before: B,
  after: A,
): { readonly [N in B | A]?: number } {
  if (bound === undefined) return {}
  return ('before' in bound ? { [before]: bound.before } : { [after]: bound.after }) as { [N in B | A]?: number }
}

export function timeBound(flags: CommandInput['flags'], name: string, now: number): TimeBound | undefined {
  const text = flags.get(name)
  if (text === undefined) return undefined
  const bound = parseTimeBound(String(text), now)
  if (bound !== undefined) return bound
  throw new UsageError(`--${name} ${JSON.stringify(text)} is no time to compare with; write one ${TIME_HELP}`)
}

/** --n; undefined when not given. */
export function countOf({ flags }: CommandInput): number | undefined {
  const n = flags.get('n')
  if (n === undefined || (Number.isSafeInteger(n) && Number(n) >= 1)) return n as number | undefined
  throw new UsageError(`--n ${String(n)} must be a whole number from 1`)
}

function parseIds(text: string): number[] {
  const ids = text.split(',').map(id => parseId(id.trim(), 'queue id'))
  if (ids.length > IDS_LIMIT) throw new UsageError(`--ids has ${ids.length} ids; give at most ${IDS_LIMIT} at a time`)
  return ids
}
