// Every hook as data: its sort, its ladder of verdicts, its limits and what a failing handler counts as. The guard, the
// merge of verdicts, the host's checks and `mox plugin explain` all read it; nothing else knows a hook by name.
import type { HookName } from '@mox/plugin-sdk'
import {
  DSN_FIELDS,
  type FieldChecks,
  HEAD_FIELDS,
  QUEUE_FIELDS,
  WEBHOOK_EVENT_FIELDS,
  WEBHOOK_REQUEST_FIELDS,
} from './fields.ts'

/**
 * - `decide`: reads and returns a verdict; the strongest of all wins.
 * - `shape`: returns changes to a draft, or a verdict about it.
 * - `write`: uses the open transaction, each handler in a savepoint.
 * - `react`: after the commit, from the outbox, repeated until it succeeds.
 */
export type HookSort = 'decide' | 'shape' | 'write' | 'react'

/**
 * What a failure counts as: a verdict of the ladder, or
 * - `retry`: the call rejects and its stage tries again later.
 * - `undo`: the handler's savepoint is rolled back, the rest goes on.
 */
export type FailureOutcome = VerdictKind | 'retry' | 'undo'

export type VerdictKind =
  | ('pass' | 'exempt' | 'tag' | 'quarantine' | 'defer' | 'reject' | 'hold' | 'refuse' | 'route' | 'postpone' | 'fail')
  | ('skip' | 'withhold' | 'match' | 'draft' | 'accept')

export interface HookEntry {
  readonly name: HookName
  readonly sort: HookSort
  /** Verdicts, weakest first. The last one ends the hook: nothing is stronger, and the first match or draft is enough. */
  readonly ladder: readonly VerdictKind[]
  /** What a patch may change, where handlers may return one. */
  readonly patch?: FieldChecks
  /** Milliseconds that one handler has. */
  readonly limitMs: number
  /** Milliseconds that all handlers have together. */
  readonly totalMs?: number
  /** Runs inside a database transaction: no network. */
  readonly inTransaction?: true
  /** What a handler that throws, is late or returns something wrong counts as. */
  readonly failure: FailureOutcome
  /** What `onError` may say instead. */
  readonly otherFailures: readonly FailureOutcome[]
  /** SMTP code of a failure that counts as `defer`; 451 by default. */
  readonly deferCode?: number
}

const ENTRY = ['pass', 'exempt', 'defer', 'reject'] as const

const RECEIVE = {
  sort: 'decide',
  ladder: ENTRY,
  limitMs: 5_000,
  failure: 'defer',
  otherFailures: ['pass', 'reject'],
} as const
const REACT = { sort: 'react', ladder: [], limitMs: 30_000, failure: 'retry', otherFailures: ['pass'] } as const
const MATCH = { sort: 'decide', failure: 'pass', otherFailures: [] } as const

const ENTRIES: readonly HookEntry[] = [
  { name: 'onReceive.connect', ...RECEIVE, deferCode: 421 },
  { name: 'onReceive.mail', ...RECEIVE },
  { name: 'onReceive.rcpt', ...RECEIVE },
  {
    name: 'onReceive.data',
    sort: 'decide',
    ladder: ['pass', 'tag', 'exempt', 'quarantine', 'defer', 'reject'],
    limitMs: 30_000,
    totalMs: 120_000,
    failure: 'defer',
    otherFailures: ['pass', 'quarantine', 'reject'],
  },
  {
    name: 'onReceive.head',
    sort: 'shape',
    ladder: ['pass', 'defer', 'reject'],
    patch: HEAD_FIELDS,
    limitMs: 5_000,
    failure: 'defer',
    otherFailures: ['pass', 'reject'],
  },
  { name: 'onReceive.done', ...REACT },
  {
    name: 'onQueue',
    sort: 'shape',
    ladder: ['pass', 'hold', 'refuse'],
    patch: QUEUE_FIELDS,
    limitMs: 2_000,
    inTransaction: true,
    failure: 'refuse',
    otherFailures: ['pass', 'hold'],
  },
  {
    name: 'beforeDeliver',
    sort: 'decide',
    ladder: ['pass', 'route', 'postpone', 'hold', 'fail'],
    limitMs: 10_000,
    failure: 'postpone',
    otherFailures: ['pass', 'hold', 'fail'],
  },
  { name: 'onAttempt', ...REACT },
  {
    name: 'onDSN.compose',
    sort: 'shape',
    ladder: ['pass', 'withhold'],
    patch: DSN_FIELDS,
    limitMs: 10_000,
    failure: 'retry',
    otherFailures: ['pass', 'withhold'],
  },
  { name: 'onDSN.match', ...MATCH, ladder: ['pass', 'match'], limitMs: 5_000 },
  { name: 'onDSN.done', ...REACT },
  {
    name: 'onRetire.tx',
    sort: 'write',
    ladder: [],
    limitMs: 1_000,
    inTransaction: true,
    failure: 'undo',
    otherFailures: [],
  },
  { name: 'onRetire.done', ...REACT },
  {
    name: 'onWebhook.compose',
    sort: 'shape',
    ladder: ['pass', 'skip'],
    patch: WEBHOOK_EVENT_FIELDS,
    limitMs: 1_000,
    inTransaction: true,
    failure: 'pass',
    otherFailures: ['skip'],
  },
  {
    name: 'onWebhook.send',
    sort: 'shape',
    ladder: ['pass', 'skip'],
    patch: WEBHOOK_REQUEST_FIELDS,
    limitMs: 5_000,
    failure: 'retry',
    otherFailures: ['pass', 'skip'],
  },
  {
    name: 'onReport.due',
    sort: 'decide',
    ladder: ['pass', 'draft'],
    limitMs: 60_000,
    failure: 'retry',
    otherFailures: ['pass'],
  },
  { name: 'onReport.received', ...MATCH, ladder: ['pass', 'accept'], limitMs: 10_000 },
  {
    name: 'onAccount.remove',
    sort: 'write',
    ladder: [],
    limitMs: 60_000,
    inTransaction: true,
    failure: 'retry',
    otherFailures: [],
  },
]

/** By name, in the order in which a message meets them. */
export const HOOKS: ReadonlyMap<string, HookEntry> = new Map(ENTRIES.map(entry => [entry.name, entry]))

/** The entry of a hook that is known to exist. */
export function entryOf(hook: HookName): HookEntry {
  const entry = HOOKS.get(hook)
  if (entry === undefined) throw new Error(`there is no hook ${hook}`)
  return entry
}
