// Who put whom on the list or took them off, when and why. Written in the same unit of work as the change itself; kept longer
// than the entries, so that "why did she get no mail in May" has an answer.
import type { Storage } from '@mox/plugin-sdk'
import { AUDIT, type AuditRow, type EntryRow } from './schema.ts'

export type AuditAction = 'add' | 'remove' | 'expire'

export interface AuditFilter {
  readonly account?: string | undefined
  /** Forms of one address. */
  readonly forms?: readonly string[] | undefined
}

export class Audit {
  readonly #storage: Storage

  constructor(storage: Storage) {
    this.#storage = storage
  }

  /** Inside a unit of work. */
  async record(at: number, who: string, what: AuditAction, entry: Omit<EntryRow, 'id'>): Promise<void> {
    const { account, stream, address, base, cause, reason, queue_id } = entry
    const row = { at, who, what, account, stream, address, base, cause, reason, queue_id }
    await this.#storage.db<AuditRow>(AUDIT).insert(row)
  }

  /** Newest first. */
  async list(filter: AuditFilter, limit: number): Promise<AuditRow[]> {
    const query = this.#storage.db<AuditRow>(AUDIT).select('*').orderBy('id', 'desc').limit(limit)
    if (filter.account !== undefined) void query.where('account', filter.account)
    if (filter.forms !== undefined) void query.whereIn('base', filter.forms)
    return await query
  }

  /** Inside a unit of work; returns how many. */
  async purge(before: number, limit: number): Promise<number> {
    const { db } = this.#storage
    return await db(AUDIT)
      .whereIn('id', db(AUDIT).select('id').where('at', '<', before).limit(limit))
      .delete()
  }
}
