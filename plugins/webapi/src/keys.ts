// API keys: "mox_" and 32 random bytes, shown once; only their SHA-256 is stored, so that a copy of the database lets nobody
// in. A key has an account, permissions, the domains it may send from, an expiry, and may be for tests only.
import { createHash } from 'node:crypto'
import type { Clock, Directory, Random, Statement, Storage } from '@mox/plugin-sdk'
import { MAX_KEYS } from './limits.ts'
import { isPermission, type Permission } from './permissions.ts'
import { KEY, type KeyRow } from './schema.ts'
import type { Authenticated } from './web/auth.ts'

const PREFIX = 'mox_'
const KEY_BYTES = 32
/** Keys in memory. */
const KNOWN = 1_000
const CHANNEL = 'webapi-keys'
const KEY_FORM = /^mox_[A-Za-z0-9_-]{43}$/

export interface NewKey {
  readonly account: string
  readonly name: string
  readonly permissions: readonly Permission[]
  /** A-labels; empty: all of the account. */
  readonly domains: readonly string[]
  readonly test: boolean
  readonly expiresAt?: number
}

export class Keys {
  readonly #storage: Storage
  readonly #directory: Directory
  readonly #clock: Clock
  readonly #random: Random
  readonly #find: Statement<{ hash: string }, KeyRow>
  /** By hash; forgotten when any key changes. */
  readonly #known = new Map<string, KeyRow>()
  #generation = 0
  #unsubscribe: (() => void) | undefined

  constructor(services: { storage: Storage; directory: Directory; clock: Clock; random: Random }) {
    this.#storage = services.storage
    this.#directory = services.directory
    this.#clock = services.clock
    this.#random = services.random
    this.#find = services.storage.statement((db, p) =>
      db(KEY)
        .select('*')
        .where({ hash: p('hash') }),
    )
  }

  /** Who a key speaks for; undefined when it is unknown or expired, or when the account may not log in. */
  async find(key: string): Promise<Omit<Authenticated, 'remoteIp'> | undefined> {
    if (!KEY_FORM.test(key)) return undefined
    const hash = hashOf(key)
    const generation = this.#generation
    const row = this.#known.get(hash) ?? (await this.#find.get({ hash }))
    // A key that was revoked meanwhile must not stay.
    if (row !== undefined && generation === this.#generation) this.#remember(row)
    if (row === undefined || (row.expires_at !== null && Number(row.expires_at) <= this.#clock.now())) return undefined
    const account = await this.#directory.account(row.account)
    if (account === undefined || account.loginDisabled !== undefined) return undefined
    const domains = JSON.parse(row.domains) as string[]
    return {
      ...{ account: row.account, test: row.test === 1 },
      ...(domains.length === 0 ? {} : { senderDomains: domains }),
      permissions: new Set((JSON.parse(row.permissions) as string[]).filter(isPermission)),
    }
  }

  /** Returns the key, which cannot be shown again; undefined when the account has too many. */
  async add(key: NewKey): Promise<{ readonly id: string; readonly key: string } | undefined> {
    const text = PREFIX + this.#random.bytes(KEY_BYTES).toString('base64url')
    const id = this.#random.id()
    return await this.#storage.write(async db => {
      const [row] = await db(KEY).where({ account: key.account }).count({ n: '*' })
      if (Number(row?.['n']) >= MAX_KEYS) return undefined
      await db<KeyRow>(KEY).insert({
        ...{ hash: hashOf(text), id, account: key.account, name: key.name },
        ...{ permissions: JSON.stringify(key.permissions), domains: JSON.stringify(key.domains) },
        ...{ test: key.test ? 1 : 0, created_at: this.#clock.now(), expires_at: key.expiresAt ?? null },
      })
      return { id, key: text }
    })
  }

  /** Oldest first. */
  async list(account: string | undefined, limit: number): Promise<KeyRow[]> {
    const query = this.#storage.db<KeyRow>(KEY).select('*').orderBy('created_at').orderBy('id').limit(limit)
    return await (account === undefined ? query : query.where({ account }))
  }

  #remember(row: KeyRow): void {
    if (this.#known.size >= KNOWN) this.#known.clear()
    this.#known.set(row.hash, row)
  }

  async revoke(id: string): Promise<boolean> {
    const removed = await this.#storage.write(async db => {
      this.#storage.notify(CHANNEL)
      return await db<KeyRow>(KEY).where({ id }).delete()
    })
    this.#forget()
    return removed > 0
  }

  /** In the unit of work that removes the account. */
  async removeOf(account: string): Promise<void> {
    this.#storage.notify(CHANNEL)
    await this.#storage.db(KEY).where({ account }).delete()
    this.#storage.afterCommit(() => this.#forget())
  }

  /** Other processes tell of keys that they revoked. */
  start(): void {
    this.#unsubscribe = this.#storage.subscribe(CHANNEL, () => this.#forget())
  }

  stop(): void {
    this.#unsubscribe?.()
  }

  #forget(): void {
    this.#generation++
    this.#known.clear()
  }
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}
