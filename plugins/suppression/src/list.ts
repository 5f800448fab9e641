// suppression@1 on the database. A check is one query on one index, whatever the size of the list; entries that have expired
// count for nothing from that moment on and are swept up later.
import {
  type Clock,
  type NewSuppression,
  type Statement,
  type Storage,
  type SuppressionCause,
  type SuppressionEntry,
  type Suppressions,
  UsageError,
} from '@mox/plugin-sdk'
import type { Path } from '@mox/plugin-sdk/mail'
import type { Audit } from './audit.ts'
import { formsFor, type Listed, listedOf, parseListed, type Rules } from './base.ts'
import { ENTRY, type EntryRow } from './schema.ts'

/** Characters kept of a reason. */
export const REASON_LENGTH = 500
/** Entries of one page at most. */
export const PAGE_LIMIT = 10_000
/** Forms that one recipient can have: base, exact, and two names of its domain. */
const FORMS = 4

type Filter = Parameters<Suppressions['list']>[0]
type Page = Parameters<Suppressions['list']>[1]
type Check = Readonly<Record<string, string>>

export class SuppressionList implements Omit<Suppressions, 'learn'> {
  readonly #storage: Storage
  readonly #clock: Clock
  readonly #audit: Audit
  readonly #rules: Rules
  #checked: Statement<Check, EntryRow> | undefined
  #caused: Statement<{ queueId: number }, { id: number }> | undefined

  constructor(storage: Storage, clock: Clock, audit: Audit, rules: Rules) {
    this.#storage = storage
    this.#clock = clock
    this.#audit = audit
    this.#rules = rules
  }

  /** Throws a UsageError for what is neither "local@domain" nor "@domain". */
  listed(address: string): Listed {
    const parsed = parseListed(address, this.#rules)
    if (!parsed.ok) throw new UsageError(parsed.problem)
    return parsed.listed
  }

  listedOf(path: Path): Listed {
    return listedOf(path, this.#rules)
  }

  async check(account: string, stream: string, recipient: Path): Promise<SuppressionEntry | undefined> {
    this.#checked ??= this.#storage.statement((db, p) =>
      db(ENTRY)
        .select('*')
        .whereIn(
          'base',
          Array.from({ length: FORMS }, (_, index) => p(`form${index}`)),
        )
        .whereIn('account', [p('none'), p('account')])
        .whereIn('stream', [p('none'), p('stream')]),
    )
    const forms = formsFor(recipient, this.#rules)
    const values = Object.fromEntries(Array.from({ length: FORMS }, (_, i) => [`form${i}`, forms[i] ?? forms[0] ?? '']))
    const rows = await this.#checked.all({ ...values, none: '', account, stream })
    const now = this.#clock.now()
    const valid = rows.filter(row => !expired(row, now)).sort((a, b) => Number(a.id) - Number(b.id))
    return valid[0] === undefined ? undefined : entryOf(valid[0])
  }

  async add(entry: NewSuppression, by = 'api'): Promise<SuppressionEntry | undefined> {
    const { address, base, forms } = this.listed(entry.address)
    const now = this.#clock.now()
    const row: Omit<EntryRow, 'id'> = {
      ...{ account: entry.account, stream: entry.stream, address, base, cause: entry.cause },
      reason: oneLine(entry.reason),
      code: entry.code ?? null,
      enhanced: entry.enhanced?.slice(0, 20) ?? null,
      queue_id: entry.queueId ?? null,
      created_at: now,
      expires_at: entry.expiresAt ?? null,
    }
    return await this.#storage.write(async db => {
      const known = await this.#find(entry.account, entry.stream, forms)
      if (known.some(one => !expired(one, now))) return undefined
      for (const one of known) await this.#delete(one, now, 'expiry', 'expire')
      const [inserted] = await db<EntryRow>(ENTRY).insert(row).returning('id')
      await this.#audit.record(now, by, 'add', row)
      return entryOf({ ...row, id: Number(inserted?.id) })
    })
  }

  async remove(account: string, stream: string, address: string, by = 'api'): Promise<boolean> {
    const { forms } = this.listed(address)
    const now = this.#clock.now()
    return await this.#storage.write(async () => {
      const found = await this.#find(account, stream, forms)
      for (const row of found) await this.#delete(row, now, by, 'remove')
      return found.some(row => !expired(row, now))
    })
  }

  async list(filter: Filter, { limit, after }: Page): Promise<SuppressionEntry[]> {
    if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_LIMIT)
      throw new RangeError(`suppression: limit must be 1 to ${PAGE_LIMIT}, not ${limit}`)
    const now = this.#clock.now()
    const query = this.#storage.db<EntryRow>(ENTRY).select('*').orderBy('id').limit(limit)
    void query.where(q => void q.whereNull('expires_at').orWhere('expires_at', '>', now))
    if (filter.account !== undefined) void query.where('account', filter.account)
    if (filter.stream !== undefined) void query.where('stream', filter.stream)
    if (filter.address !== undefined) void query.whereIn('base', this.listed(filter.address).forms)
    if (after !== undefined) void query.where('id', '>', after)
    const rows: EntryRow[] = await query
    return rows.map(entryOf)
  }

  async causedBy(queueId: number): Promise<boolean> {
    this.#caused ??= this.#storage.statement((db, p) => db(ENTRY).select('id').where('queue_id', p('queueId')))
    return (await this.#caused.get({ queueId })) !== undefined
  }

  /** Inside a unit of work: removes entries that expired; returns how many. */
  async expire(limit: number): Promise<number> {
    const now = this.#clock.now()
    const query = this.#storage.db<EntryRow>(ENTRY).select('*').where('expires_at', '<=', now)
    const rows: EntryRow[] = await query.orderBy('expires_at').limit(limit)
    for (const row of rows) await this.#delete(row, now, 'expiry', 'expire')
    return rows.length
  }

  async #find(account: string, stream: string, forms: readonly string[]): Promise<EntryRow[]> {
    return await this.#storage.db<EntryRow>(ENTRY).select('*').where({ account, stream }).whereIn('base', forms)
  }

  async #delete(row: EntryRow, now: number, who: string, what: 'remove' | 'expire'): Promise<void> {
    await this.#storage.db<EntryRow>(ENTRY).where('id', row.id).delete()
    await this.#audit.record(now, who, what, row)
  }
}

function expired(row: EntryRow, now: number): boolean {
  return row.expires_at !== null && Number(row.expires_at) <= now
}

/** What a server says goes into tables and terminals: one bounded line without controls. */
export function oneLine(text: string): string {
  return text
    .slice(0, REASON_LENGTH)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
}

function entryOf(row: EntryRow): SuppressionEntry {
  return {
    id: Number(row.id),
    account: row.account,
    stream: row.stream,
    address: row.address,
    base: row.base,
    cause: row.cause as SuppressionCause,
    reason: row.reason,
    ...(row.code === null ? {} : { code: row.code }),
    ...(row.enhanced === null ? {} : { enhanced: row.enhanced }),
    ...(row.queue_id === null ? {} : { queueId: Number(row.queue_id) }),
    createdAt: Number(row.created_at),
    ...(row.expires_at === null ? {} : { expiresAt: Number(row.expires_at) }),
  }
}
