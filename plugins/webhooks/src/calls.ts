// The hot statements on calls: adding them, taking the next ones of a lane, and recording what became of them, in portions that
// share one unit of work. A call is registered (attempt counted, lease, next time) before it is posted.
import type { Clock, Statement, Storage, WebhookResult } from '@mox/plugin-sdk'
import { CALL, CALL_COLUMNS, type CallRow } from './schema.ts'

/** How many calls a turn may take; each has a statement of its own, since a limit cannot be a place for a value. */
export const TURN_SIZES = [1, 8, 64] as const
export type TurnSize = (typeof TURN_SIZES)[number]

/** Results kept of one call: the first and the latest ones. */
export const RESULTS_KEPT = 30

const DAY_MS = 86_400_000

export type TakenCall = Omit<CallRow, 'payload' | 'source'>
export type NewCall = Omit<CallRow, 'id'>

/** What became of a call that was taken. */
export type Outcome =
  /** It was not posted: as if it had not been taken. */
  | { readonly kind: 'unsent' }
  | { readonly kind: 'ended'; readonly success: boolean; readonly note: string; readonly result?: WebhookResult }
  | { readonly kind: 'retry'; readonly due: number; readonly result: WebhookResult }

export interface Finished {
  readonly call: TakenCall
  readonly outcome: Outcome
}

export interface Taken {
  readonly calls: readonly TakenCall[]
  /** When the lane has something to do again; undefined when nothing waits in it. */
  readonly next?: number
}

export interface TakeOptions {
  readonly lane: string
  readonly size: TurnSize
  readonly ordered: boolean
  readonly leaseMs: number
  /** The next attempt when the process ends during this one. */
  readonly dueAfter: (attempt: number) => number
}

interface Statements {
  readonly insert: Statement<NewCall, unknown>
  /** Oldest first, due or not. */
  readonly oldest: ReadonlyMap<TurnSize, Statement<{ lane: string }, TakenCall>>
  /** Due and free, most overdue first. */
  readonly due: ReadonlyMap<TurnSize, Statement<{ lane: string; now: number }, TakenCall>>
  readonly nextDue: Statement<{ lane: string }, { due: number; lease: number }>
  readonly take: Statement<{ id: number; attempts: number; due: number; lease: number }, unknown>
  readonly end: Statement<
    { id: number; results: string; success: number; note: string; ended_at: number; keep_until: number },
    unknown
  >
  readonly retry: Statement<{ id: number; results: string; due: number }, unknown>
  /** For a call that was cancelled while it was posted. */
  readonly append: Statement<{ id: number; results: string }, unknown>
  readonly untake: Statement<{ id: number; attempts: number; due: number }, unknown>
  readonly payload: Statement<{ id: number }, Pick<CallRow, 'payload' | 'source' | 'content_id'>>
  readonly compose: Statement<{ id: number; payload: string }, unknown>
  readonly nextLane: Statement<{ after: string }, { lane: string }>
}

const INSERTED: readonly (keyof NewCall)[] = [
  ...(CALL_COLUMNS.filter(column => column !== 'id') as (keyof NewCall)[]),
  'payload',
  'source',
]

function prepare(storage: Storage): Statements {
  const bySize = <P extends object>(build: (size: TurnSize) => Statement<P, TakenCall>) =>
    new Map(TURN_SIZES.map(size => [size, build(size)]))
  return {
    insert: storage.statement((db, p) =>
      db(CALL).insert(Object.fromEntries(INSERTED.map(column => [column, p(column)]))),
    ),
    oldest: bySize(size =>
      storage.statement((db, p) =>
        db(CALL)
          .select(CALL_COLUMNS)
          .where('lane', p('lane'))
          .whereNull('ended_at')
          .orderBy('id')
          .limit(size, { skipBinding: true })
          .forUpdate(),
      ),
    ),
    due: bySize(size =>
      storage.statement((db, p) =>
        db(CALL)
          .select(CALL_COLUMNS)
          .where('lane', p('lane'))
          .whereNull('ended_at')
          .where('due', '<=', p('now'))
          .where('lease', '<=', p('now'))
          .orderBy('due')
          .limit(size, { skipBinding: true })
          .forUpdate(),
      ),
    ),
    nextDue: storage.statement((db, p) =>
      db(CALL)
        .select('due', 'lease')
        .where('lane', p('lane'))
        .whereNull('ended_at')
        .orderBy('due')
        .limit(1, { skipBinding: true }),
    ),
    take: storage.statement((db, p) =>
      db(CALL)
        .where('id', p('id'))
        .update({ attempts: p('attempts'), due: p('due'), lease: p('lease') }),
    ),
    end: storage.statement((db, p) =>
      db(CALL)
        .where('id', p('id'))
        .whereNull('ended_at')
        .update({
          ...{ results: p('results'), success: p('success'), note: p('note'), ended_at: p('ended_at') },
          ...{ keep_until: p('keep_until'), lease: 0 },
        }),
    ),
    retry: storage.statement((db, p) =>
      db(CALL)
        .where('id', p('id'))
        .whereNull('ended_at')
        .update({ results: p('results'), due: p('due'), lease: 0 }),
    ),
    append: storage.statement((db, p) =>
      db(CALL)
        .where('id', p('id'))
        .update({ results: p('results') }),
    ),
    untake: storage.statement((db, p) =>
      db(CALL)
        .where('id', p('id'))
        .whereNull('ended_at')
        .update({ attempts: p('attempts'), due: p('due'), lease: 0 }),
    ),
    payload: storage.statement((db, p) => db(CALL).select('payload', 'source', 'content_id').where('id', p('id'))),
    compose: storage.statement((db, p) =>
      db(CALL)
        .where('id', p('id'))
        .update({ payload: p('payload'), source: null, content_id: null }),
    ),
    nextLane: storage.statement((db, p) =>
      db(CALL)
        .select('lane')
        .whereNull('ended_at')
        .where('lane', '>', p('after'))
        .orderBy('lane')
        .limit(1, { skipBinding: true }),
    ),
  }
}

export class Calls {
  readonly #storage: Storage
  readonly #clock: Clock
  readonly #keepDays: (account: string) => number
  #statements: Statements | undefined

  /** `keepDays`: of an account, once its calls are over. */
  constructor(storage: Storage, clock: Clock, keepDays: (account: string) => number) {
    this.#storage = storage
    this.#clock = clock
    this.#keepDays = keepDays
  }

  get #prepared(): Statements {
    this.#statements ??= prepare(this.#storage)
    return this.#statements
  }

  /** Inside a unit of work. */
  async add(call: NewCall): Promise<void> {
    await this.#prepared.insert.run(call)
  }

  /** Lanes in which something waits. */
  async lanes(): Promise<string[]> {
    const lanes: string[] = []
    for (;;) {
      const row = await this.#prepared.nextLane.get({ after: lanes.at(-1) ?? '' })
      if (row === undefined) return lanes
      lanes.push(row.lane)
    }
  }

  /** After a start, where no other process posts: a lease of one that is gone protects nothing. */
  async releaseAll(): Promise<void> {
    await this.#storage.write(db => db(CALL).whereNull('ended_at').where('lease', '>', 0).update({ lease: 0 }))
  }

  payload(id: number): Promise<Pick<CallRow, 'payload' | 'source' | 'content_id'> | undefined> {
    return this.#prepared.payload.get({ id })
  }

  /** Inside a unit of work: the payload of an incoming message was made, its content is needed no more. */
  async composed(id: number, payload: string, contentId: number | null): Promise<void> {
    await this.#prepared.compose.run({ id, payload })
    if (contentId !== null) await this.#storage.content.release(contentId)
  }

  /** Inside a unit of work: records what became of calls and takes the next ones. */
  async turn(finished: readonly Finished[], options: TakeOptions | undefined): Promise<Taken> {
    for (const one of finished) await this.#finish(one)
    return options === undefined ? { calls: [] } : await this.#take(options)
  }

  async #finish({ call, outcome }: Finished): Promise<void> {
    const { id, due } = call
    if (outcome.kind === 'unsent') {
      await this.#prepared.untake.run({ id, attempts: call.attempts, due })
      return
    }
    const results = addResult(call.results, outcome.result)
    const { changes } =
      outcome.kind === 'retry'
        ? await this.#prepared.retry.run({ id, results, due: outcome.due })
        : await this.#prepared.end.run({
            id,
            results,
            success: outcome.success ? 1 : 0,
            note: outcome.note,
            ...this.#ended(call.account),
          })
    if (changes === 0) await this.#prepared.append.run({ id, results })
    // The content that nobody composed from.
    else if (outcome.kind === 'ended' && call.content_id !== null) await this.#releaseContent(id)
  }

  #ended(account: string): { ended_at: number; keep_until: number } {
    const now = this.#clock.now()
    return { ended_at: now, keep_until: now + this.#keepDays(account) * DAY_MS }
  }

  async #releaseContent(id: number): Promise<void> {
    const row = await this.payload(id)
    if (row !== undefined && row.content_id !== null) await this.composed(id, row.payload, row.content_id)
  }

  async #take({ lane, size, ordered, leaseMs, dueAfter }: TakeOptions): Promise<Taken> {
    const now = this.#clock.now()
    const found = ordered
      ? await this.#prepared.oldest.get(size)!.all({ lane })
      : await this.#prepared.due.get(size)!.all({ lane, now })
    const waits = found.findIndex(call => call.due > now || call.lease > now)
    const calls = waits < 0 ? found : found.slice(0, waits)
    for (const { id, attempts } of calls)
      await this.#prepared.take.run({ id, attempts: attempts + 1, due: dueAfter(attempts + 1), lease: now + leaseMs })
    if (calls.length > 0) return { calls }
    const first = ordered ? found[0] : await this.#prepared.nextDue.get({ lane })
    return first === undefined ? { calls } : { calls, next: Math.max(first.due, first.lease) }
  }

  /** Inside a unit of work: ends calls that wait, at most `ids` of them; returns how many did. */
  async end(ids: readonly number[], note: string): Promise<number> {
    let ended = 0
    for (const id of ids) {
      const row: Pick<CallRow, 'account' | 'results' | 'content_id'> | undefined = await this.#storage
        .db<CallRow>(CALL)
        .select('account', 'results', 'content_id')
        .where({ id })
        .first()
      if (row === undefined) continue
      const { account, results } = row
      const { changes } = await this.#prepared.end.run({ id, results, success: 0, note, ...this.#ended(account) })
      ended += changes
      if (changes > 0 && row.content_id !== null) await this.#releaseContent(id)
    }
    return ended
  }
}

function addResult(results: string, result: WebhookResult | undefined): string {
  if (result === undefined) return results
  const all = JSON.parse(results) as WebhookResult[]
  const kept = all.length < RESULTS_KEPT ? all : [...all.slice(0, 1), ...all.slice(-(RESULTS_KEPT - 2))]
  return JSON.stringify([...kept, result])
}
