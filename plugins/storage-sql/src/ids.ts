// Ids without a counter row that every message touches: counters in memory, which start behind everything that the tables
// have and behind a reserved mark. The mark moves once in many ids, so that ids of rows that are gone, even after a crash,
// are never given out again.
import type { Statement } from '@mox/plugin-sdk'
import { compile } from './compile.ts'
import type { SqlEngine } from './engine.ts'
import { CONTENT, COUNTER, HISTORY, MESSAGE, OUTBOX, QUEUE } from './schema.ts'

/** Ids between two moves of the mark: as many may be skipped by a crash. */
export const RESERVED_IDS = 1000

export type IdKind = 'content' | 'message' | 'queue' | 'outbox'

const TABLES: Readonly<Record<IdKind, readonly string[]>> = {
  content: [CONTENT],
  message: [MESSAGE],
  queue: [QUEUE, HISTORY],
  outbox: [OUTBOX],
}

export class Ids {
  readonly #engine: SqlEngine
  readonly #counters = new Map<IdKind, { last: number; reserved: number }>()
  readonly #reserve: Statement<{ name: string; reserved: number }, unknown>

  constructor(engine: SqlEngine) {
    this.#engine = engine
    this.#reserve = compile(engine, (db, p) =>
      db(COUNTER)
        .insert({ name: p('name'), reserved: p('reserved') })
        .onConflict('name')
        .merge(),
    )
  }

  async open(): Promise<void> {
    const { db } = this.#engine
    const marks = (await db(COUNTER).select('name', 'reserved')) as { name: string; reserved: number }[]
    for (const [kind, tables] of Object.entries(TABLES) as [IdKind, readonly string[]][]) {
      const reserved = marks.find(mark => mark.name === kind)?.reserved ?? 0
      let last = reserved
      for (const table of tables) {
        const row = (await db(table).max('id as id').first()) as { id: number | null } | undefined
        last = Math.max(last, row?.id ?? 0)
      }
      this.#counters.set(kind, { last, reserved })
    }
  }

  /** Inside a unit of work. */
  async next(kind: IdKind): Promise<number> {
    const counter = this.#counters.get(kind)
    if (counter === undefined) throw new Error('storage is not open')
    const id = ++counter.last
    if (id > counter.reserved) {
      const reserved = id + RESERVED_IDS - 1
      await this.#reserve.run({ name: kind, reserved })
      // Only a committed mark counts; until then the next id moves it again.
      this.#engine.afterUnit(committed => {
        if (committed) counter.reserved = Math.max(counter.reserved, reserved)
      })
    }
    return id
  }

  /** Gives back what was reserved and not used, so that numbers go on without a gap. */
  async close(): Promise<void> {
    await this.#engine.write(async () => {
      for (const [name, { last }] of this.#counters) await this.#reserve.run({ name, reserved: last })
    })
  }
}
