// Reading and writing what is kept. All of it is small and written only when it changed.
import type { Storage } from '@mox/plugin-sdk'
import { FORGET_MS, type Learned } from './pace.ts'
import { DOMAIN, type DomainRow, PACE, type PaceRow, SENT, type SentRow } from './schema.ts'

/** Domains whose servers are remembered, in memory and in the table. */
export const DOMAINS = 10_000

export class Store {
  readonly #storage: Storage

  constructor(storage: Storage) {
    this.#storage = storage
  }

  /** What is still worth something. Removes the rest. */
  async read(now: number): Promise<{
    readonly paces: readonly (readonly [name: string, learned: Learned])[]
    /** Longest not seen first. */
    readonly domains: readonly (readonly [domain: string, group: string])[]
    readonly sent: readonly SentRow[]
  }> {
    return await this.#storage.write(async db => {
      await db<PaceRow>(PACE)
        .where('slowed_at', '<=', now - FORGET_MS)
        .delete()
      const paces: PaceRow[] = await db<PaceRow>(PACE).select('*')
      const domains: DomainRow[] = await db<DomainRow>(DOMAIN).select('*').orderBy('seen_at', 'desc').limit(DOMAINS)
      const oldest = domains.at(-1)
      if (domains.length === DOMAINS && oldest !== undefined)
        await db<DomainRow>(DOMAIN).where('seen_at', '<', oldest.seen_at).delete()
      const sent: SentRow[] = await db<SentRow>(SENT).select('*')
      return {
        paces: paces.map(row => [row.name, learnedOf(row)]),
        domains: domains.reverse().map(row => [row.domain, row.host_group]),
        sent,
      }
    })
  }

  /** `learned` undefined: it was forgotten. */
  async pace(name: string, learned: Learned | undefined): Promise<void> {
    await this.#storage.write(async db => {
      if (learned === undefined) await db<PaceRow>(PACE).where({ name }).delete()
      else await db<PaceRow>(PACE).insert(rowOf(name, learned)).onConflict('name').merge()
    })
  }

  async domain(domain: string, group: string, now: number): Promise<void> {
    const row: DomainRow = { domain, host_group: group, seen_at: now }
    await this.#storage.write(async db => void (await db<DomainRow>(DOMAIN).insert(row).onConflict('domain').merge()))
  }

  async sent(row: SentRow): Promise<void> {
    await this.#storage.write(async db => void (await db<SentRow>(SENT).insert(row).onConflict('ip').merge()))
  }
}

function learnedOf(row: PaceRow): Learned {
  return {
    concurrency: row.concurrency,
    perMinute: row.per_minute,
    pausedUntil: Number(row.paused_until),
    slowdowns: row.slowdowns,
    words: row.words,
    slowedAt: Number(row.slowed_at),
    changedAt: Number(row.changed_at),
  }
}

function rowOf(name: string, learned: Learned): PaceRow {
  return {
    ...{ name, concurrency: learned.concurrency, per_minute: learned.perMinute, paused_until: learned.pausedUntil },
    ...{ slowdowns: learned.slowdowns, words: learned.words },
    ...{ slowed_at: learned.slowedAt, changed_at: learned.changedAt },
  }
}
