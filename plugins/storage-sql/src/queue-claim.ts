// Which queued recipients are tried next: oldest due first, recipients that may share a transaction together, nothing of
// domains without a free place. First the head of the line is looked at; when that is taken up by domains that must wait,
// the line of each domain by itself. So neither a long line of one domain nor many domains make a claim slow, and nobody
// starves.
import type { ClaimJobs, JobGroup, Statement } from '@mox/plugin-sdk'
import { compile } from './compile.ts'
import type { SqlEngine } from './engine.ts'
import { type JoinedQueueRow, jobOf, joinedBy } from './recipient-rows.ts'
import { QUEUE } from './schema.ts'

/** Recipients of one group at most. */
export const GROUP_LIMIT = 1_000
/** Groups of one claim at most. */
export const CLAIM_GROUPS = 1_000
/** Rows without a lease that are read at the head of the line, and of one domain's line. */
const HEAD = 256
/** Domains whose line is looked at in one claim; the next claim goes on behind them. */
const DOMAINS = 1_000

interface Head {
  readonly id: number
  readonly domain: string
}

const HEAD_COLUMNS = ['id', 'domain'] as const satisfies readonly (keyof Head)[]

export class QueueClaims {
  readonly #head: Statement<{ now: number }, Head>
  readonly #nextDomain: Statement<{ after: string }, { domain: string; due: number }>
  readonly #ofDomain: Statement<{ domain: string; now: number }, Head>
  readonly #one: Statement<{ id: number }, JoinedQueueRow>
  readonly #siblings: Statement<{ batch: number; now: number }, JoinedQueueRow>
  readonly #lease: Statement<{ id: number; lease: number }, unknown>
  /** The last domain whose line was looked at. */
  #cursor = ''

  constructor(engine: SqlEngine) {
    this.#head = compile(engine, (db, p) =>
      db(QUEUE)
        .select(HEAD_COLUMNS)
        .whereRaw('hold = 0')
        .where('due', '<=', p('now'))
        .where('lease', '<=', p('now'))
        .orderBy(['due', 'id'])
        .limit(HEAD, { skipBinding: true }),
    )
    this.#nextDomain = compile(engine, (db, p) =>
      db(QUEUE)
        .select('domain', 'due')
        .whereRaw('hold = 0')
        .where('domain', '>', p('after'))
        .orderBy(['domain', 'due'])
        .limit(1, { skipBinding: true }),
    )
    this.#ofDomain = compile(engine, (db, p) =>
      db(QUEUE)
        .select(HEAD_COLUMNS)
        .whereRaw('hold = 0')
        // Not as an equation, for which SQLite would plan the statement anew at each run.
        .whereBetween('domain', [p('domain'), p('domain')])
        .where('due', '<=', p('now'))
        .where('lease', '<=', p('now'))
        .orderBy(['domain', 'due', 'id'])
        .limit(HEAD, { skipBinding: true }),
    )
    this.#one = compile(engine, (db, p) => joinedBy(db, QUEUE, 'id', p('id')))
    this.#siblings = compile(engine, (db, p) =>
      joinedBy(db, QUEUE, 'batch', p('batch'))
        .whereRaw('q.hold = 0')
        .where('q.due', '<=', p('now'))
        .where('q.lease', '<=', p('now'))
        .orderBy('q.id')
        .limit(GROUP_LIMIT, { skipBinding: true }),
    )
    this.#lease = compile(engine, (db, p) =>
      db(QUEUE)
        .where('id', p('id'))
        .update({ lease: p('lease') }),
    )
  }

  /** Inside a unit of work. */
  async claim(options: ClaimJobs): Promise<JobGroup[]> {
    const { now } = options
    const limit = Math.min(options.limit, CLAIM_GROUPS)
    const claim = new Claim(options, limit)
    const head = await this.#head.all({ now })
    await this.#take(claim, head)
    if (head.length < HEAD || claim.full) return claim.groups
    for (const domain of await this.#waitingDomains(claim)) {
      if (claim.full) break
      await this.#take(claim, await this.#ofDomain.all({ domain, now }))
    }
    return claim.groups
  }

  /** Domains that have due rows and a free place, the longest waiting first. */
  async #waitingDomains(claim: Claim): Promise<string[]> {
    const found: { domain: string; due: number }[] = []
    const start = this.#cursor
    let wrapped = false
    for (let n = 0; n < DOMAINS; n++) {
      const next = await this.#nextDomain.get({ after: this.#cursor })
      if (next === undefined || (wrapped && next.domain > start)) {
        if (wrapped) break
        wrapped = true
        this.#cursor = ''
        continue
      }
      this.#cursor = next.domain
      if (next.due <= claim.now && claim.room(next.domain) > 0) found.push(next)
    }
    return found.sort((a, b) => a.due - b.due).map(({ domain }) => domain)
  }

  async #take(claim: Claim, heads: readonly Head[]): Promise<void> {
    for (const head of heads) {
      if (claim.full) return
      if (claim.ids.has(head.id) || claim.room(head.domain) <= 0) continue
      const group = await this.#groupOf(claim, head)
      if (group.length === 0) continue
      for (const row of group) await this.#lease.run({ id: row.id, lease: claim.now + claim.leaseMs })
      claim.add(head.domain, group)
    }
  }

  async #groupOf(claim: Claim, head: Head): Promise<JoinedQueueRow[]> {
    const first = await this.#one.get({ id: head.id })
    if (first === undefined) return []
    if (first.batch === null) return [first]
    const siblings = await this.#siblings.all({ batch: first.batch, now: claim.now })
    const others = siblings.filter(row => row.id !== first.id && sameTransaction(row, first))
    return [first, ...others.slice(0, GROUP_LIMIT - 1)]
  }
}

/** One batch has message, domain and reverse-path in common; the rest may have changed since. */
function sameTransaction(a: JoinedQueueRow, b: JoinedQueueRow): boolean {
  return a.attempts === b.attempts && a.transport === b.transport && a.require_tls === b.require_tls
}

/** What one claim has taken so far. */
class Claim {
  readonly now: number
  readonly leaseMs: number
  readonly groups: JobGroup[] = []
  readonly ids = new Set<number>()
  readonly #limit: number
  readonly #places: (domain: string) => number
  readonly #used = new Map<string, number>()

  constructor({ now, leaseMs, places }: ClaimJobs, limit: number) {
    this.now = now
    this.leaseMs = leaseMs
    this.#limit = limit
    this.#places = places
  }

  get full(): boolean {
    return this.groups.length >= this.#limit
  }

  room(domain: string): number {
    return this.#places(domain) - (this.#used.get(domain) ?? 0)
  }

  add(domain: string, rows: readonly JoinedQueueRow[]): void {
    const [first, ...rest] = rows.map(jobOf)
    if (first === undefined) return
    for (const { id } of rows) this.ids.add(id)
    this.#used.set(domain, (this.#used.get(domain) ?? 0) + 1)
    this.groups.push([first, ...rest])
  }
}
