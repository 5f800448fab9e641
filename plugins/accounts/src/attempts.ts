// A record of who logged in, or tried to: attempts that are alike are one row with a count. They are written together a
// moment later, never delaying a login; what cannot be written is dropped and logged. Hostile text is cut and escaped.
import { hash } from 'node:crypto'
import type { Clock, Log, LoginContext, LoginFailure, Storage } from '@mox/plugin-sdk'
import { LOGIN, type LoginRow } from './schema.ts'

/** Milliseconds that attempts are collected before they are written. */
export const FLUSH_MS = 2_000
/** Different attempts that wait to be written; further ones are dropped. */
export const PENDING = 2_000
/** Failed attempts kept for one account; the oldest go first. */
export const FAILED_PER_ACCOUNT = 10_000
/** Days since the last one of a row. */
export const KEEP_DAYS = 30
/** Characters kept of a text from outside. */
export const TEXT_LENGTH = 200
/** The account of attempts whose name nobody has. */
export const UNKNOWN = '-'

const DAY_MS = 86_400_000
const CHUNK = 50

export interface LoginAttempt {
  readonly account: string | undefined
  readonly loginAddress: string
  readonly mechanism: string
  readonly result: 'ok' | LoginFailure
}

export class Attempts {
  readonly #storage: Storage
  readonly #clock: Clock
  readonly #log: Log
  #pending = new Map<string, LoginRow>()
  #dropped = 0
  #cancelFlush: (() => void) | undefined
  #cancelPurge: (() => void) | undefined
  /** All writing, one after the other. */
  #work: Promise<void> = Promise.resolve()

  constructor(services: { readonly storage: Storage; readonly clock: Clock; readonly log: Log }) {
    this.#storage = services.storage
    this.#clock = services.clock
    this.#log = services.log
  }

  start(): void {
    this.#enqueue(() => this.#purge())
    this.#cancelPurge = this.#clock.after(DAY_MS, () => this.start())
  }

  async stop(): Promise<void> {
    this.#cancelPurge?.()
    await this.flush()
  }

  add(context: LoginContext, attempt: LoginAttempt): void {
    const now = this.#clock.now()
    const { tls } = context
    const fields = {
      account: attempt.account ?? UNKNOWN,
      login_address: clean(attempt.loginAddress),
      remote_ip: clean(context.remoteIp),
      local_ip: clean(context.localIp),
      tls: tls === undefined ? '' : clean(`${tls.version} ${tls.cipher}`),
      protocol: clean(context.protocol),
      user_agent: clean(context.userAgent ?? ''),
      mechanism: attempt.mechanism,
      result: attempt.result,
    }
    const key = JSON.stringify(Object.values(fields))
    const known = this.#pending.get(key)
    if (known !== undefined) {
      known.attempts++
      known.last_at = now
      return
    }
    if (this.#pending.size >= PENDING) {
      this.#dropped++
      return
    }
    const success = attempt.result === 'ok' ? 1 : 0
    const id = hash('sha256', key)
    this.#pending.set(key, { id, ...fields, success, attempts: 1, first_at: now, last_at: now })
    this.#cancelFlush ??= this.#clock.after(FLUSH_MS, () => void this.flush())
  }

  /** Writes what waits. */
  async flush(): Promise<void> {
    this.#cancelFlush?.()
    this.#cancelFlush = undefined
    const rows = [...this.#pending.values()]
    this.#pending = new Map()
    if (this.#dropped > 0) this.#log.warn({ dropped: this.#dropped }, 'login attempts were not recorded: too many')
    this.#dropped = 0
    for (let i = 0; i < rows.length; i += CHUNK) this.#enqueue(() => this.#write(rows.slice(i, i + CHUNK)))
    await this.#work
  }

  /** Newest first; of all accounts unless one is given. */
  async list(options: { account?: string | undefined; failed: boolean; limit: number }): Promise<LoginRow[]> {
    await this.flush()
    const { db } = this.#storage
    let query = db<LoginRow>(LOGIN).select('*').orderBy('last_at', 'desc').orderBy('id').limit(options.limit)
    if (options.account !== undefined) query = query.where('account', options.account)
    if (options.failed) query = query.where('success', 0)
    return await query
  }

  #enqueue(task: () => Promise<void>): void {
    this.#work = this.#work.then(task).catch((err: unknown) => {
      this.#log.warn({ err }, 'login attempts could not be recorded')
    })
  }

  async #write(rows: readonly LoginRow[]): Promise<void> {
    await this.#storage.write(async db => {
      const ids = rows.map(row => row.id)
      const stored: LoginRow[] = await db<LoginRow>(LOGIN).select('*').whereIn('id', ids)
      const known = new Map(stored.map(row => [row.id, row]))
      const merged = rows.map(row => ({ ...row, attempts: row.attempts + Number(known.get(row.id)?.attempts ?? 0) }))
      await db<LoginRow>(LOGIN).insert(merged).onConflict('id').merge(['attempts', 'last_at'])
      const failing = new Set(rows.filter(row => row.success === 0 && !known.has(row.id)).map(row => row.account))
      for (const account of failing) await this.#cap(account)
    })
  }

  async #cap(account: string): Promise<void> {
    const failed = () => this.#storage.db<LoginRow>(LOGIN).where({ account, success: 0 })
    const [row] = await failed().count({ n: '*' })
    const excess = Number(row?.['n'] ?? 0) - FAILED_PER_ACCOUNT
    if (excess <= 0) return
    const oldest: Pick<LoginRow, 'id'>[] = await failed().select('id').orderBy('last_at').limit(excess)
    await this.#remove(oldest)
  }

  async #purge(): Promise<void> {
    const before = this.#clock.now() - KEEP_DAYS * DAY_MS
    for (;;) {
      const { db } = this.#storage
      const old: Pick<LoginRow, 'id'>[] = await db<LoginRow>(LOGIN)
        .select('id')
        .where('last_at', '<', before)
        .limit(CHUNK)
      if (old.length === 0) return
      await this.#storage.write(() => this.#remove(old))
    }
  }

  async #remove(rows: readonly Pick<LoginRow, 'id'>[]): Promise<void> {
    for (let i = 0; i < rows.length; i += CHUNK) {
      const ids = rows.slice(i, i + CHUNK).map(row => row.id)
      await this.#storage.db<LoginRow>(LOGIN).whereIn('id', ids).delete()
    }
  }
}

/** One line of at most TEXT_LENGTH characters, safe to show. */
function clean(text: string): string {
  const line = text.slice(0, TEXT_LENGTH).toWellFormed()
  return line.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd')
}
