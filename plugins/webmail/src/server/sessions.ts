// Sessions of browsers. The browser has two random tokens, one as a cookie and one that a page of another site cannot send;
// the database has only their hashes. A session ends 24 hours after its last use, when it is revoked, when the account's
// password changes and when its logins are disabled. A crash loses at most five minutes of use.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Clock, Directory, Random, Statement, Storage } from '@mox/plugin-sdk'
import { SESSION, type SessionRow } from '../schema.ts'
import { FLUSH_MS, KNOWN_SESSIONS, MAX_SESSIONS, SESSION_MS, USER_AGENT_LENGTH } from './limits.ts'

const TOKEN_BYTES = 32
const TOKEN_FORM = /^[A-Za-z0-9_-]{43}$/
/** Tells other processes of sessions that ended. */
const CHANNEL = 'webmail-sessions'

export interface Session {
  /** The hash of its token. */
  readonly id: string
  readonly account: string
  readonly loginAddress: string
  readonly userAgent: string
  readonly remoteIp: string
  readonly createdAt: number
  readonly usedAt: number
}

interface Known {
  readonly row: SessionRow
  usedAt: number
  flushedAt: number
}

interface Deps {
  readonly storage: Storage
  readonly clock: Clock
  readonly random: Random
  readonly directory: Directory
}

export class Sessions {
  readonly #deps: Deps
  readonly #find: Statement<{ id: string }, SessionRow>
  readonly #known = new Map<string, Known>()
  readonly #listeners = new Set<(account: string) => void>()
  #generation = 0
  #unsubscribe: (() => void) | undefined

  constructor(deps: Deps) {
    this.#deps = deps
    this.#find = deps.storage.statement((db, p) =>
      db(SESSION)
        .select('*')
        .where({ id: p('id') }),
    )
  }

  start(): void {
    this.#unsubscribe = this.#deps.storage.subscribe(CHANNEL, account => this.#forget(String(account)))
  }

  /** Calls back when sessions of an account may have ended, here or in another process; returns how to stop. */
  onEnd(listener: (account: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  stop(): void {
    this.#unsubscribe?.()
  }

  /** A new session after a login; the tokens cannot be shown again. */
  async open(login: {
    readonly account: string
    readonly loginAddress: string
    readonly userAgent: string
    readonly remoteIp: string
  }): Promise<{ readonly token: string; readonly csrf: string }> {
    const { storage, clock, random, directory } = this.#deps
    const [token, csrf] = [this.#token(random), this.#token(random)]
    const { account, loginAddress, remoteIp } = login
    const now = clock.now()
    const row: SessionRow = {
      ...{ id: hashOf(token), csrf: hashOf(csrf), account, login_address: loginAddress, remote_ip: remoteIp },
      user_agent: login.userAgent.slice(0, USER_AGENT_LENGTH),
      password_version: await directory.passwordVersion(account),
      ...{ created_at: now, used_at: now },
    }
    await storage.write(async db => {
      await db<SessionRow>(SESSION)
        .where('used_at', '<=', now - SESSION_MS)
        .delete()
      const others: { id: string }[] = await db<SessionRow>(SESSION)
        .select('id')
        .where({ account })
        .orderBy('used_at', 'desc')
      const surplus = others.slice(MAX_SESSIONS - 1).map(other => other.id)
      if (surplus.length > 0) {
        await db<SessionRow>(SESSION).whereIn('id', surplus).delete()
        storage.notify(CHANNEL, account)
      }
      await db<SessionRow>(SESSION).insert(row)
    })
    return { token, csrf }
  }

  /** The session of a token, which is used now; undefined when there is none, or `csrf` is given and is not its token. */
  async find(token: string, csrf: string | undefined): Promise<Session | undefined> {
    if (!TOKEN_FORM.test(token)) return undefined
    const known = await this.#use(hashOf(token))
    if (known === undefined) return undefined
    if (csrf !== undefined && !timingSafeEqual(Buffer.from(hashOf(csrf)), Buffer.from(known.row.csrf))) return undefined
    return shown(known)
  }

  /** Whether a session goes on, by its id; for what lasts longer than a request. It counts as a use. */
  async stillValid(id: string): Promise<boolean> {
    return (await this.#use(id)) !== undefined
  }

  /** Those used last first. */
  async list(account: string): Promise<Session[]> {
    const { storage, clock, directory } = this.#deps
    const version = await directory.passwordVersion(account)
    const rows: SessionRow[] = await storage
      .db<SessionRow>(SESSION)
      .where({ account, password_version: version })
      .where('used_at', '>', clock.now() - SESSION_MS)
      .limit(MAX_SESSIONS)
    return rows
      .map(row => shown({ row, usedAt: this.#known.get(row.id)?.usedAt ?? Number(row.used_at) }))
      .sort((a, b) => b.usedAt - a.usedAt)
  }

  /** False when the account has no such session. */
  async end(account: string, id: string): Promise<boolean> {
    const { storage } = this.#deps
    const removed = await storage.write(async db => {
      storage.notify(CHANNEL, account)
      return await db<SessionRow>(SESSION).where({ account, id }).delete()
    })
    this.#forget(account)
    return removed > 0
  }

  /** After a change that ends sessions, made in this one: it goes on. */
  async renew(account: string, id: string): Promise<void> {
    const { storage, directory } = this.#deps
    const version = await directory.passwordVersion(account)
    await storage.write(async db => {
      storage.notify(CHANNEL, account)
      await db<SessionRow>(SESSION).where({ account, id }).update({ password_version: version })
    })
    this.#forget(account)
  }

  /** In the unit of work that removes the account. */
  async removeOf(account: string): Promise<void> {
    const { storage } = this.#deps
    storage.notify(CHANNEL, account)
    await storage.db(SESSION).where({ account }).delete()
    storage.afterCommit(() => this.#forget(account))
  }

  async #use(id: string): Promise<Known | undefined> {
    const { clock, directory } = this.#deps
    const known = await this.#read(id)
    if (known === undefined) return undefined
    const now = clock.now()
    const { account, password_version } = known.row
    const info = await directory.account(account)
    const lasts =
      now - known.usedAt < SESSION_MS &&
      info !== undefined &&
      info.loginDisabled === undefined &&
      (await directory.passwordVersion(account)) === password_version
    if (!lasts) {
      await this.end(account, id)
      return undefined
    }
    known.usedAt = now
    if (now - known.flushedAt >= FLUSH_MS) await this.#flush(known)
    return known
  }

  async #flush(known: Known): Promise<void> {
    known.flushedAt = known.usedAt
    const { id } = known.row
    await this.#deps.storage.write(async db => {
      await db<SessionRow>(SESSION).where({ id }).update({ used_at: known.usedAt })
    })
  }

  async #read(id: string): Promise<Known | undefined> {
    const there = this.#known.get(id)
    if (there !== undefined) return there
    const generation = this.#generation
    const row = await this.#find.get({ id })
    if (row === undefined) return undefined
    const usedAt = Number(row.used_at)
    const known = { row, usedAt, flushedAt: usedAt }
    // One that was ended meanwhile must not stay.
    if (generation === this.#generation) {
      if (this.#known.size >= KNOWN_SESSIONS) this.#known.clear()
      this.#known.set(id, known)
    }
    return known
  }

  /** Uses of the last minutes are lost with it, which ends a session that much earlier at most. */
  #forget(account: string): void {
    this.#generation++
    this.#known.clear()
    for (const listener of this.#listeners) listener(account)
  }

  #token(random: Random): string {
    return random.bytes(TOKEN_BYTES).toString('base64url')
  }
}

function shown({ row, usedAt }: Pick<Known, 'row' | 'usedAt'>): Session {
  const { id, account, login_address: loginAddress, user_agent: userAgent, remote_ip: remoteIp, created_at } = row
  return { id, account, loginAddress, userAgent, remoteIp, createdAt: Number(created_at), usedAt }
}

/** The id of the session of a token. */
export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
