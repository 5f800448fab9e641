// Which queued recipients are tried next: oldest due first, recipients that may share a transaction together, nothing of
// domains without a free place. First the head of the line is looked at; when that is taken up by domains that must wait,
// the line of each domain by itself. So neither a long line of one domain nor many domains make a claim slow, and nobody
// starves.
import type { ClaimJobs, JobGroup, Placeholder, Statement } from '@mox/plugin-sdk'
import type { Knex } from 'knex'
import { compile } from './compile.ts'
import type { SqlEngine } from './engine.ts'
import { type JoinedQueueRow, jobOf, joined, joinedBy } from './recipient-rows.ts'
import { QUEUE } from './schema.ts'

/** Recipients of one group at most. */
export const GROUP_LIMIT = 1_000
/** Groups of one claim at most. */
export const CLAIM_GROUPS = 1_000
/** Rows without a lease that are read at the head of the line. */
const HEAD = 256
/** Rows of one domain's line: it has few places. */
const DOMAIN_HEAD = 32
/** Domains whose line is looked at in one claim; the next claim goes on behind them. */
const DOMAINS = 1_000

/** Rows that one statement reads or leases; fewer are filled up with the last one. */
const CHUNK = 25

interface Head {
  readonly id: number
  readonly domain: string
  readonly batch: number | null
}

const HEAD_COLUMNS = ['id', 'domain', 'batch'] as const satisfies readonly (keyof Head)[]

export class QueueClaims {
  readonly #head: Statement<{ now: number }, Head>
  readonly #nextDomain: Statement<{ after: string }, { domain: string; due: number }>
  readonly #ofDomain: Statement<{ domain: string; now: number }, Head>
  readonly #rows: Many<JoinedQueueRow>
  readonly #siblings: Statement<{ batch: number; now: number }, JoinedQueueRow>
  readonly #lease: Many<unknown>
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
        .limit(DOMAIN_HEAD, { skipBinding: true }),
    )
    this.#rows = new Many(engine, (db, places) => joined(db, QUEUE).whereRaw(`q.id in (${marks(places)})`, places))
    this.#siblings = compile(engine, (db, p) =>
      joinedBy(db, QUEUE, 'batch', p('batch'))
        .whereRaw('q.hold = 0')
        .where('q.due', '<=', p('now'))
        .where('q.lease', '<=', p('now'))
        .orderBy('q.id')
        .limit(GROUP_LIMIT, { skipBinding: true }),
    )
    this.#lease = new Many(engine, (db, places, p) =>
      db(QUEUE)
        .whereRaw(`id in (${marks(places)})`, places)
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

  /** Domains that have due rows and a free place, the longest waiting first; twice as many as can be used are enough. */
  async #waitingDomains(claim: Claim): Promise<string[]> {
    const found: { domain: string; due: number }[] = []
    const start = this.#cursor
    let wrapped = false
    for (let n = 0; n < DOMAINS && found.length < 2 * claim.left; n++) {
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
    const groups: (Head | readonly JoinedQueueRow[])[] = []
    for (const head of heads) {
      if (claim.full) break
      if (claim.ids.has(head.id) || claim.room(head.domain) <= 0) continue
      const group = head.batch === null ? head : await this.#batchOf(head, head.batch, claim.now)
      const ids = 'id' in group ? [group.id] : group.map(({ id }) => id)
      if (ids.length === 0) continue
      claim.take(head.domain, ids)
      groups.push(group)
    }
    const alone = groups.flatMap(group => ('id' in group ? [group.id] : []))
    const rows = new Map((await this.#rows.all(alone)).map(row => [row.id, row]))
    const taken = groups.map(group => ('id' in group ? [rows.get(group.id)].filter(row => row !== undefined) : group))
    await this.#lease.run(
      taken.flat().map(({ id }) => id),
      { lease: claim.now + claim.leaseMs },
    )
    claim.groups.push(...taken.flatMap(asGroup))
  }

  /** The head and those of its batch that may share its transaction. */
  async #batchOf(head: Head, batch: number, now: number): Promise<JoinedQueueRow[]> {
    const siblings = await this.#siblings.all({ batch, now })
    const first = siblings.find(({ id }) => id === head.id) ?? (await this.#rows.all([head.id]))[0]
    if (first === undefined) return []
    const others = siblings.filter(row => row.id !== first.id && sameTransaction(row, first))
    return [first, ...others.slice(0, GROUP_LIMIT - 1)]
  }
}

function asGroup(rows: readonly JoinedQueueRow[]): JobGroup[] {
  const [first, ...rest] = rows.map(jobOf)
  return first === undefined ? [] : [[first, ...rest]]
}

const marks = (places: readonly unknown[]): string => places.map(() => 'cast(? as bigint)').join()

/** A statement for one id, and the same for a chunk of them. */
class Many<R> {
  readonly #one: Statement<object, R>
  readonly #chunk: Statement<object, R>

  constructor(
    engine: SqlEngine,
    build: (db: Knex, places: readonly Knex.Value[], p: Placeholder) => Knex.QueryBuilder,
  ) {
    const sized = (size: number) =>
      compile<object, R>(engine, (db, p) =>
        build(
          db,
          Array.from({ length: size }, (_, n) => p(`id${n}`)),
          p,
        ),
      )
    this.#one = sized(1)
    this.#chunk = sized(CHUNK)
  }

  async all(ids: readonly number[]): Promise<R[]> {
    const found: R[] = []
    for (const { statement, values } of this.#parts(ids)) found.push(...(await statement.all(values)))
    return found
  }

  async run(ids: readonly number[], more: object): Promise<void> {
    for (const { statement, values } of this.#parts(ids)) await statement.run({ ...values, ...more })
  }

  *#parts(ids: readonly number[]): Iterable<{ statement: Statement<object, R>; values: Record<string, number> }> {
    for (let at = 0; at < ids.length; at += CHUNK) {
      const part = ids.slice(at, at + CHUNK)
      const size = part.length === 1 ? 1 : CHUNK
      const values = Object.fromEntries(Array.from({ length: size }, (_, n) => [`id${n}`, part[n] ?? part[0]!]))
      yield { statement: size === 1 ? this.#one : this.#chunk, values }
    }
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
  #count = 0

  constructor({ now, leaseMs, places }: ClaimJobs, limit: number) {
    this.now = now
    this.leaseMs = leaseMs
    this.#limit = limit
    this.#places = places
  }

  /** Groups that may still be taken. */
  get left(): number {
    return this.#limit - this.#count
  }

  get full(): boolean {
    return this.left <= 0
  }

  room(domain: string): number {
    return this.#places(domain) - (this.#used.get(domain) ?? 0)
  }

  /** One group. */
  take(domain: string, ids: readonly number[]): void {
    for (const id of ids) this.ids.add(id)
    this.#used.set(domain, (this.#used.get(domain) ?? 0) + 1)
    this.#count++
  }
}
