// Out of the queue: history, onRetire.tx in savepoints, and the events of onRetire.done, all in the unit of work of the
// caller. A failing onRetire.tx handler is undone and recorded, and keeps nothing in the queue.
import type { Attempt, FinalStatus, Job, Retired } from '@mox/plugin-sdk'
import { formatAddress } from '@mox/plugin-sdk/mail'
import { outboxRows } from '../notify/outbox.ts'
import type { MessageFacts } from '../receive/facts.ts'
import { forRecipient, newScope } from '../receive/scope.ts'
import type { StageDeps } from '../stages.ts'

export interface Retirement {
  readonly job: Job
  readonly status: FinalStatus
  /** All results, the last one included. */
  readonly results: readonly Attempt[]
}

const DAY_MS = 86_400_000

/** Hooks here do no I/O of their own: nothing has to be aborted. */
const NEVER = new AbortController().signal

/** Inside a unit of work. */
export async function retireInUnit(
  deps: StageDeps,
  retirements: readonly Retirement[],
  facts: MessageFacts,
): Promise<void> {
  const now = deps.clock.now()
  const days = new Map<string, number>()
  for (const { job } of retirements)
    if (!days.has(job.account)) days.set(job.account, await keptDays(deps, job.account))
  const all = retirements.map((retirement): Retired => {
    const { due: _, hold: __, ...job } = retirement.job
    const { status, results } = retirement
    const keepUntil = now + (days.get(job.account) ?? 0) * DAY_MS
    return { ...job, results, status, lastActivity: now, keepUntil, trace: [] }
  })
  await deps.storage.queue.retire(all)
  for (const retired of all) {
    await runHooks(deps, retired, facts)
    await outboxRows(deps, 'onRetire.done', facts, { retired })
  }
}

/** The account's own choice, else the configuration's; that is also for mail from outside and for accounts that are gone. */
async function keptDays({ directory, config }: StageDeps, account: string): Promise<number> {
  const found = account === '' ? undefined : await directory.account(account)
  return found?.keepRetiredDays ?? config.keepRetiredDays
}

async function runHooks(deps: StageDeps, retired: Retired, facts: MessageFacts): Promise<void> {
  if (!deps.hooks.has('onRetire.tx')) return
  const scope = forRecipient(newScope(NEVER, facts), formatAddress(retired.recipient))
  await deps.hooks.write('onRetire.tx', { retired }, scope, work => deps.storage.write(work))
  if (scope.trace.length > 0) await deps.storage.history.update(retired.id, { trace: scope.trace })
}
