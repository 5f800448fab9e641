// The present state of the directory: the config file's entries and the database's, checked together and held in memory. A
// change is checked as a whole inside its unit of work, so that nothing is stored that could not be started with again.
import { type Log, type Storage, UsageError } from '@mox/plugin-sdk'
import { checkEntries, type Roles } from './check.ts'
import { type Credential, parseCredential } from './credential.ts'
import type { Entries } from './entries.ts'
import { Lookup } from './lookup.ts'
import { readAppPasswords, readCredentials, readEntries, readSecondFactors } from './rows.ts'
import { APP_PASSWORD_TABLE, type AppPasswordRow, CREDENTIAL, type CredentialRow, type Db } from './schema.ts'
import { digestOf } from './totp.ts'

const HOUR = 3_600_000

/** Tells every process that uses the database that something changed. */
export const CHANNEL = 'accounts'

export class Registry {
  readonly #config: Entries
  readonly #storage: Storage
  readonly #log: Log
  readonly #roles: Roles
  readonly #hostname: string
  readonly #onChange: () => void
  #lookup: Lookup
  #verifiers: ReadonlyMap<string, CredentialRow> = new Map()
  #secondFactors: ReadonlyMap<string, number> = new Map()
  #appPasswords: ReadonlyMap<string, AppPasswordRow> = new Map()
  readonly #parsed = new Map<string, Credential | undefined>()
  #unsubscribe: (() => void) | undefined
  /** The reading that is under way, and the one after it. */
  #reading: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined

  constructor(options: {
    readonly config: Entries
    readonly storage: Storage
    readonly log: Log
    readonly roles: Roles
    readonly hostname: string
    /** Runs whenever another state was read. */
    readonly onChange: () => void
  }) {
    this.#config = options.config
    this.#storage = options.storage
    this.#log = options.log
    this.#roles = options.roles
    this.#hostname = options.hostname
    this.#onChange = options.onChange
    this.#lookup = new Lookup(options.config, options.roles, options.hostname)
  }

  get lookup(): Lookup {
    return this.#lookup
  }

  get roles(): Roles {
    return this.#roles
  }

  /** Throws a UsageError that lists all problems. */
  async start(): Promise<void> {
    await this.#read()
    this.#unsubscribe = this.#storage.subscribe(CHANNEL, () => void this.#reloadQuietly())
  }

  async stop(): Promise<void> {
    this.#unsubscribe?.()
    await Promise.allSettled([this.#reading, this.#next])
  }

  /** The credential that the database has for an account. */
  credential(account: string): Credential | undefined {
    if (this.#parsed.has(account)) return this.#parsed.get(account)
    const row = this.#verifiers.get(account)
    const credential =
      row === undefined ? undefined : parseCredential(account, row.verifier, `set at ${Number(row.changed_at)}`)
    if (row !== undefined && credential === undefined)
      this.#log.error({ account }, 'the stored password cannot be read; set it again')
    // Only names of accounts are asked for, so that this stays as small as the directory.
    this.#parsed.set(account, credential)
    return credential
  }

  /** Since when an account has a second factor. */
  secondFactorSince(account: string): number | undefined {
    return this.#secondFactors.get(account)
  }

  /** Whether this is an app password of the account. It is noted, once an hour, that it was used. */
  isAppPassword(account: string, password: string, now: number): boolean {
    const row = this.#appPasswords.get(`${account} ${digestOf(password)}`)
    if (row === undefined) return false
    const hour = now - (now % HOUR)
    if (row.used_at !== hour) {
      row.used_at = hour
      this.#storage
        .write(
          async db =>
            void (await db<AppPasswordRow>(APP_PASSWORD_TABLE).where({ id: row.id }).update({ used_at: hour })),
        )
        .catch(err => this.#log.warn({ err, account }, 'the use of an app password could not be noted'))
    }
    return true
  }

  /**
   * One change of the database. Throws a UsageError, with nothing changed, when the whole would not be right any more. The new
   * state is in use when this resolves.
   */
  async change(work: (db: Db) => Promise<void>): Promise<void> {
    await this.#storage.write(async db => {
      await work(db)
      const problems = checkEntries(await this.#entries(db), this.#roles)
      if (problems.length > 0) throw new UsageError(problems.join('\n'))
      this.#storage.notify(CHANNEL)
    })
    await this.reload()
  }

  async setVerifier(account: string, verifier: string, now: number): Promise<void> {
    await this.change(async db => {
      const row: CredentialRow = { account, verifier, changed_at: now }
      await db<CredentialRow>(CREDENTIAL).insert(row).onConflict('account').merge()
    })
  }

  /** Replaces a verifier unless somebody changed the password meanwhile. */
  async replaceVerifier(account: string, old: Credential, verifier: string): Promise<void> {
    await this.#storage.write(async db => {
      const same = { account, verifier: old.id.slice(account.length + 1) }
      await db<CredentialRow>(CREDENTIAL).where(same).update({ verifier })
      this.#storage.notify(CHANNEL)
    })
  }

  /** Reads the database again; resolves when a reading that began after the call is in use. */
  reload(): Promise<void> {
    this.#next ??= this.#reading
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined
        this.#reading = this.#read()
        return this.#reading
      })
    return this.#next
  }

  async #reloadQuietly(): Promise<void> {
    try {
      await this.reload()
    } catch (err) {
      this.#log.error({ err }, 'accounts changed but cannot be read; the old ones stay in use')
    }
  }

  async #read(): Promise<void> {
    const entries = await this.#entries(this.#storage.db)
    const verifiers = await readCredentials(this.#storage.db)
    const secondFactors = await readSecondFactors(this.#storage.db)
    const appPasswords = await readAppPasswords(this.#storage.db)
    const problems = checkEntries(entries, this.#roles)
    if (problems.length > 0) throw new UsageError(['accounts:', ...problems].join('\n  '))
    this.#lookup = new Lookup(entries, this.#roles, this.#hostname)
    this.#verifiers = verifiers
    this.#secondFactors = secondFactors
    this.#appPasswords = appPasswords
    this.#parsed.clear()
    this.#onChange()
  }

  async #entries(db: Db): Promise<Entries> {
    const stored = await readEntries(db)
    return {
      domains: [...this.#config.domains, ...stored.domains],
      accounts: [...this.#config.accounts, ...stored.accounts],
      addresses: [...this.#config.addresses, ...stored.addresses],
      aliases: [...this.#config.aliases, ...stored.aliases],
    }
  }
}
