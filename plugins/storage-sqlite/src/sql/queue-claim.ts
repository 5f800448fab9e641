// Which due recipients to try now: oldest first, only at domains with a free place, siblings of one message together.
import type { ClaimJobs, Job, JobGroup } from '@mox/plugin-sdk'
import type { Row, SqlEngine } from './base.ts'
import { withMessage } from './recipients.ts'
import { job } from './rows.ts'

/** Rows looked at in one step; domains without a place are left out of the next. */
const STEP = 200
/** Steps of one claim: a queue full of busy domains must not make it long. */
const STEPS = 8

/** Recipients with equal keys may share a transaction. */
const groupKey = (j: Job): string =>
  JSON.stringify([j.messageId, j.recipientDomain, j.attempts, j.transport ?? null, j.requireTls ?? null, j.reversePath])

export async function claimJobs(engine: SqlEngine, { now, limit, places }: ClaimJobs): Promise<JobGroup[]> {
  const groups = new Map<string, [Job, ...Job[]]>()
  const started = new Map<string, number>()
  const full = new Set<string>()
  const seen = new Set<number>()
  const free = (domain: string): boolean => (started.get(domain) ?? 0) < places(domain)
  for (let step = 0; step < STEPS && groups.size < limit; step++) {
    const rows = await dueRows(engine, now, [...full])
    let fresh = 0
    for (const candidate of rows.map(job)) {
      if (seen.has(candidate.id)) continue
      fresh++
      const group = groups.get(groupKey(candidate))
      if (group !== undefined) group.push(candidate)
      else if (!free(candidate.recipientDomain)) full.add(candidate.recipientDomain)
      else if (groups.size < limit) {
        groups.set(groupKey(candidate), [candidate])
        started.set(candidate.recipientDomain, (started.get(candidate.recipientDomain) ?? 0) + 1)
      } else break
      seen.add(candidate.id)
    }
    if (rows.length < STEP || fresh === 0) break
    for (const domain of started.keys()) if (!free(domain)) full.add(domain)
  }
  for (const [key, group] of groups) await addSiblings(engine, now, key, group, seen)
  return [...groups.values()]
}

async function dueRows(engine: SqlEngine, now: number, without: readonly string[]): Promise<Row[]> {
  const query = withMessage(engine.db, 'mox_queue')
    .whereRaw('r.hold = 0')
    .where('r.due', '<=', now)
    .where('r.lease', '<=', now)
    .orderBy(['r.due', 'r.id'])
    .limit(STEP)
  if (without.length > 0) query.whereNotIn('r.recipient_domain', without)
  return (await query) as Row[]
}

/** Siblings that were further back in the queue. A message with one recipient has none: its ids are looked up by index. */
async function addSiblings(
  engine: SqlEngine,
  now: number,
  key: string,
  group: [Job, ...Job[]],
  seen: Set<number>,
): Promise<void> {
  const rows = (await withMessage(engine.db, 'mox_queue')
    .where('r.message_id', group[0].messageId)
    .where('r.recipient_domain', group[0].recipientDomain)
    .whereRaw('r.hold = 0')
    .where('r.due', '<=', now)
    .where('r.lease', '<=', now)) as Row[]
  for (const sibling of rows.map(job)) {
    if (seen.has(sibling.id) || groupKey(sibling) !== key) continue
    seen.add(sibling.id)
    group.push(sibling)
  }
}
