// Second factors and app passwords of accounts: rows of the database, held in memory by the registry. A code is good once: the last
// step that was used is stored before it is let in. Guessing is slow for each account, from however many addresses it comes.
import {
  type Clock,
  type LoginContext,
  type LoginKey,
  type LoginResult,
  type LoginSecurity,
  type LoginSecurityState,
  type PasskeyAnswer,
  type PasskeyRegistration,
  type Random,
  type Storage,
  UsageError,
} from '@mox/plugin-sdk'
import type { Authenticator } from './authenticator.ts'
import type { LoginLimits } from './limits.ts'
import type { Registry } from './registry.ts'
import {
  APP_PASSWORD_TABLE,
  type AppPasswordRow,
  type Db,
  PASSKEY,
  type PasskeyRow,
  SECOND_FACTOR,
  type SecondFactorRow,
} from './schema.ts'
import { appPassword, base32, cleanCode, digestOf, parseSecret, recoveryCode, SECRET_BYTES, stepOf } from './totp.ts'
import { answered, creationOptions, registered, requestOptions } from './webauthn.ts'

export const RECOVERY_CODES = 10
export const APP_PASSWORDS = 50
export const PASSKEYS = 20
export const APP_NAME_LENGTH = 100
/** Wrong codes of one account in an hour. */
export const WRONG_CODES = 20
const HOUR = 3_600_000

interface Deps {
  readonly storage: Storage
  readonly clock: Clock
  readonly random: Random
  readonly registry: Registry
  readonly limits: LoginLimits
  readonly authenticator: Authenticator
}

export class SecondFactors implements LoginSecurity {
  readonly #deps: Deps
  /** Of accounts, in the hour that began at `since`. */
  readonly #wrong = new Map<string, { since: number; count: number }>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  async state(account: string): Promise<LoginSecurityState> {
    const { db } = this.#deps.storage
    const factor = await db<SecondFactorRow>(SECOND_FACTOR).where({ account }).first()
    const rows = await db<AppPasswordRow>(APP_PASSWORD_TABLE).where({ account }).orderBy(['created_at', 'id'])
    const appPasswords = rows.map(keyOf)
    const passkeys = (await this.#passkeys(account)).map(keyOf)
    if (factor === undefined) return { recoveryCodes: 0, appPasswords, passkeys }
    return { secondFactorSince: Number(factor.since), recoveryCodes: codesOf(factor).length, appPasswords, passkeys }
  }

  newSecret(): string {
    return base32(this.#deps.random.bytes(SECRET_BYTES))
  }

  async enable(account: string, secret: string, code: string): Promise<readonly string[] | undefined> {
    const { clock, registry } = this.#deps
    const parsed = parseSecret(secret)
    if (parsed === undefined) throw new UsageError('this is no secret of ours; begin again')
    const now = clock.now()
    const step = stepOf(parsed, cleanCode(code), now, -1)
    if (step === undefined) return undefined
    const { codes, recovery } = this.#newCodes()
    await registry.change(async db => {
      const row: SecondFactorRow = { account, secret, last_step: step, recovery, since: now }
      const there = await db<SecondFactorRow>(SECOND_FACTOR).where({ account }).first('account')
      if (there !== undefined) throw new UsageError('there is a second factor already; turn it off first')
      await db<SecondFactorRow>(SECOND_FACTOR).insert(row)
    })
    return codes
  }

  async disable(account: string): Promise<boolean> {
    let removed = 0
    await this.#deps.registry.change(async db => {
      removed = await db(SECOND_FACTOR).where({ account }).delete()
      await db(PASSKEY).where({ account }).delete()
    })
    return removed > 0
  }

  async renewRecoveryCodes(account: string): Promise<readonly string[]> {
    const { codes, recovery } = this.#newCodes()
    const changed = await this.#deps.storage.write(
      async db => await db<SecondFactorRow>(SECOND_FACTOR).where({ account }).update({ recovery }),
    )
    if (changed === 0) throw new UsageError('there is no second factor')
    return codes
  }

  async checkCode(account: string, loginAddress: string, code: string, context: LoginContext): Promise<LoginResult> {
    return await this.#check(account, loginAddress, context, 'code', () => this.#use(account, cleanCode(code)))
  }

  async addAppPassword(account: string, name: string): Promise<{ readonly id: string; readonly password: string }> {
    const { random, clock, registry } = this.#deps
    const shown = shownName(name)
    const [id, password] = [random.id(), appPassword(random)]
    await registry.change(async db => {
      const [row] = await db(APP_PASSWORD_TABLE).where({ account }).count({ n: '*' })
      if (Number(row?.['n']) >= APP_PASSWORDS)
        throw new UsageError(`an account has at most ${APP_PASSWORDS} app passwords; remove one first`)
      await db<AppPasswordRow>(APP_PASSWORD_TABLE).insert({
        ...{ id, account, name: shown, digest: digestOf(password), created_at: clock.now(), used_at: null },
      })
    })
    return { id, password }
  }

  async removeAppPassword(account: string, id: string): Promise<boolean> {
    let removed = 0
    await this.#deps.registry.change(async db => {
      removed = await db(APP_PASSWORD_TABLE).where({ account, id }).delete()
    })
    return removed > 0
  }

  async passkeyOptions(account: string, loginAddress: string, host: string, challenge: string): Promise<unknown> {
    if (this.#deps.registry.secondFactorSince(account) === undefined)
      throw new UsageError('turn on the second factor first: its recovery codes help when a passkey is lost')
    const known = (await this.#passkeys(account)).map(({ id }) => id)
    return creationOptions(host, { account, loginAddress, challenge, known })
  }

  async addPasskey(
    account: string,
    name: string,
    host: string,
    challenge: string,
    answer: PasskeyRegistration,
  ): Promise<boolean> {
    const shown = shownName(name)
    const key = registered(host, challenge, answer)
    if (key === undefined) return false
    await this.#deps.storage.write(async db => {
      const there = await this.#passkeys(account)
      if (there.length >= PASSKEYS)
        throw new UsageError(`an account has at most ${PASSKEYS} passkeys; remove one first`)
      if (there.some(({ id }) => id === answer.id)) throw new UsageError('this passkey is there already')
      await db<PasskeyRow>(PASSKEY).insert({
        ...{ id: answer.id, account, name: shown, public_key: key.toString('base64'), counter: 0 },
        ...{ created_at: this.#deps.clock.now(), used_at: null },
      })
    })
    return true
  }

  async removePasskey(account: string, id: string): Promise<boolean> {
    return (await this.#deps.storage.write(async db => await db(PASSKEY).where({ account, id }).delete())) > 0
  }

  async passkeyRequest(account: string, host: string, challenge: string): Promise<unknown> {
    const known = (await this.#passkeys(account)).map(({ id }) => id)
    return known.length === 0 ? undefined : requestOptions(host, challenge, known)
  }

  async checkPasskey(
    account: string,
    loginAddress: string,
    { host, challenge }: { readonly host: string; readonly challenge: string },
    answer: PasskeyAnswer,
    context: LoginContext,
  ): Promise<LoginResult> {
    const { storage, clock } = this.#deps
    return await this.#check(account, loginAddress, context, 'passkey', () =>
      storage.write(async db => {
        const row = (await this.#passkeys(account)).find(({ id }) => id === answer.id)
        if (row === undefined) return false
        const counter = answered(host, challenge, Buffer.from(row.public_key, 'base64'), answer)
        const before = Number(row.counter)
        // §6.1.1: one that goes back is that of a copy. Many devices do not count.
        if (counter === undefined || (counter <= before && (counter > 0 || before > 0))) return false
        await db<PasskeyRow>(PASSKEY).where({ account, id: row.id }).update({ counter, used_at: clock.now() })
        return true
      }),
    )
  }

  /** In the unit of work that removes the account. */
  async removeOf(db: Db, account: string): Promise<void> {
    for (const table of [SECOND_FACTOR, APP_PASSWORD_TABLE, PASSKEY]) await db(table).where({ account }).delete()
  }

  /** What `right` says counts: into the limits, the record and the log. */
  async #check(
    account: string,
    loginAddress: string,
    context: LoginContext,
    mechanism: string,
    right: () => Promise<boolean>,
  ): Promise<LoginResult> {
    const { authenticator, limits, registry } = this.#deps
    const info = registry.lookup.account(account)
    const identity = { loginAddress, canonical: loginAddress, ...(info && { account: info }) }
    const finish = (result: Parameters<Authenticator['finish']>[0]['result']): LoginResult =>
      authenticator.finish({ result, identity }, context, mechanism)
    if (info === undefined) return finish('baduser')
    if (limits.limited(context.remoteIp) || this.#guessed(account)) return finish('toomany')
    const giveBack = limits.take(context.remoteIp)
    const takeBack = this.#take(account)
    try {
      if (!(await right())) return finish('badcode')
    } catch (err) {
      return authenticator.failed(err, context, mechanism)
    }
    giveBack()
    takeBack()
    return finish(authenticator.allowed(info))
  }

  async #passkeys(account: string): Promise<PasskeyRow[]> {
    return await this.#deps.storage.db<PasskeyRow>(PASSKEY).where({ account }).orderBy(['created_at', 'id'])
  }

  /** Marks a code as used. False when it is wrong, or was used. */
  async #use(account: string, code: string): Promise<boolean> {
    const { storage, clock } = this.#deps
    return await storage.write(async db => {
      const row = await db<SecondFactorRow>(SECOND_FACTOR).where({ account }).first()
      if (row === undefined) return false
      const secret = parseSecret(row.secret)
      const step = secret && stepOf(secret, code, clock.now(), Number(row.last_step))
      if (step !== undefined) {
        await db<SecondFactorRow>(SECOND_FACTOR).where({ account }).update({ last_step: step })
        return true
      }
      const codes = codesOf(row)
      const left = codes.filter(digest => digest !== digestOf(code))
      if (left.length === codes.length) return false
      await db<SecondFactorRow>(SECOND_FACTOR)
        .where({ account })
        .update({ recovery: JSON.stringify(left) })
      return true
    })
  }

  #newCodes(): { readonly codes: readonly string[]; readonly recovery: string } {
    const codes = Array.from({ length: RECOVERY_CODES }, () => recoveryCode(this.#deps.random))
    return { codes, recovery: JSON.stringify(codes.map(code => digestOf(cleanCode(code)))) }
  }

  #guessed(account: string): boolean {
    const wrong = this.#wrong.get(account)
    return wrong !== undefined && this.#deps.clock.now() - wrong.since < HOUR && wrong.count >= WRONG_CODES
  }

  /** Counts a code before it is judged; the function that it returns forgets what was wrong before. */
  #take(account: string): () => void {
    const now = this.#deps.clock.now()
    const wrong = this.#wrong.get(account)
    if (wrong === undefined || now - wrong.since >= HOUR) this.#wrong.set(account, { since: now, count: 1 })
    else wrong.count++
    return () => void this.#wrong.delete(account)
  }
}

function keyOf({ id, name, created_at, used_at }: AppPasswordRow | PasskeyRow): LoginKey {
  return { id, name, createdAt: Number(created_at), ...(used_at === null ? {} : { usedAt: Number(used_at) }) }
}

function shownName(name: string): string {
  const shown = name.trim()
  if (shown !== '' && shown.length <= APP_NAME_LENGTH && !/\p{Cc}/u.test(shown)) return shown
  throw new UsageError(`say in 1 to ${APP_NAME_LENGTH} characters what it is for`)
}

function codesOf(row: SecondFactorRow): string[] {
  return JSON.parse(row.recovery) as string[]
}
