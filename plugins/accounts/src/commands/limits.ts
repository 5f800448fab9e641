// `mox account limits`: how much an account may send and have in the queue, and how long what it sent is remembered. The flags are those of `mox account add` too.
import { type Command, type CommandFlag, type CommandInput, UsageError } from '@mox/plugin-sdk'
import { DEFAULT_MAX_FIRST_TIME, DEFAULT_MAX_OUTGOING, MAX_KEEP_DAYS } from '../entries.ts'
import { ACCOUNT, type AccountRow } from '../schema.ts'
import { type CommandContext, findAccount, mustBeStored } from './context.ts'

type Limits = Pick<
  AccountRow,
  'max_outgoing' | 'max_first_time' | 'max_queued' | 'max_queued_bytes' | 'keep_retired_days'
>

const UNITS = ['', 'k', 'm', 'g', 't']

export const LIMIT_FLAGS: readonly CommandFlag[] = [
  {
    name: 'max-outgoing',
    type: 'number',
    help: `recipients of its messages in 24 hours; default ${DEFAULT_MAX_OUTGOING}; 0 for no limit`,
  },
  {
    name: 'max-first-time',
    type: 'number',
    help: `recipients in 24 hours that it never wrote to before; default ${DEFAULT_MAX_FIRST_TIME}; 0 for no limit`,
  },
  { name: 'max-queued', type: 'number', help: 'recipients of its messages in the queue; default 0: no limit' },
  {
    name: 'max-queued-bytes',
    type: 'string',
    help: 'bytes in the queue, counted for each recipient, such as 1g; default 0: no limit',
  },
  {
    name: 'keep-retired-days',
    type: 'string',
    help: 'days that sent mail stays in the history; 0 keeps nothing; default: "default", those of the queue',
  },
]

/** The limits that were given. */
export function limitsOf(flags: CommandInput['flags']): Partial<Limits> {
  const count = (name: string): number | undefined => {
    const given = flags.get(name)
    if (given === undefined) return undefined
    if (Number.isSafeInteger(given) && Number(given) >= 0) return Number(given)
    throw new UsageError(`--${name} ${String(given)} must be a whole number, 0 for no limit`)
  }
  const outgoing = count('max-outgoing')
  const firstTime = count('max-first-time')
  const queued = count('max-queued')
  const bytes = flags.get('max-queued-bytes')
  const days = flags.get('keep-retired-days')
  return {
    ...(outgoing === undefined ? {} : { max_outgoing: outgoing }),
    ...(firstTime === undefined ? {} : { max_first_time: firstTime }),
    ...(queued === undefined ? {} : { max_queued: queued }),
    ...(bytes === undefined ? {} : { max_queued_bytes: parseSize(String(bytes)) }),
    ...(days === undefined ? {} : { keep_retired_days: parseDays(String(days)) }),
  }
}

export function limitsCommand(context: CommandContext): Command {
  return {
    path: ['account', 'limits'],
    summary: 'show how much an account may send, or set it',
    arguments: [{ name: 'account', help: 'name of the account' }],
    flags: LIMIT_FLAGS,
    offline: true,
    run: async ({ arguments: [name = ''], flags }) => {
      const account = findAccount(context, name)
      const given = limitsOf(flags)
      if (Object.keys(given).length > 0) {
        mustBeStored(account, `account ${name}`, 'set its limits')
        await context.registry.change(async db => void (await db<AccountRow>(ACCOUNT).where({ name }).update(given)))
      }
      const { maxOutgoingPerDay, maxFirstTimeRecipientsPerDay, maxQueued, maxQueuedBytes, keepRetiredDays } =
        findAccount(context, name)
      const limits = { maxOutgoingPerDay, maxFirstTimeRecipientsPerDay, maxQueued, maxQueuedBytes }
      return { kind: 'value', value: { ...limits, keepRetiredDays: keepRetiredDays ?? 'default' } }
    },
  }
}

/** Null for "default". */
function parseDays(text: string): number | null {
  if (text === 'default') return null
  const days = /^\d{1,6}(?:\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN
  if (days <= MAX_KEEP_DAYS) return days
  throw new UsageError(`--keep-retired-days ${text} must be a number of days up to ${MAX_KEEP_DAYS}, or "default"`)
}

/** "10g", "500000". */
export function parseSize(text: string): number {
  const match = /^(\d{1,15})([kmgt]?)b?$/i.exec(text)
  const bytes = match === null ? Number.NaN : Number(match[1]) * 1024 ** UNITS.indexOf(match[2]!.toLowerCase())
  if (Number.isSafeInteger(bytes)) return bytes
  throw new UsageError(`${JSON.stringify(text)} is no size; write bytes, or with a unit such as 10g, or 0 for no limit`)
}
