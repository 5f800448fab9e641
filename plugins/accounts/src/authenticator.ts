// Deciding logins: limits, finding the account, checking the password, and what is counted, recorded, logged and told. The
// client learns only that a login failed; the record says why.
import { createHmac } from 'node:crypto'
import {
  type AccountInfo,
  type Clock,
  type Log,
  type LoginContext,
  type LoginFailure,
  type LoginResult,
  type Metrics,
  type Random,
  reply,
  type SmtpReply,
} from '@mox/plugin-sdk'
import { formatAddress, parseAddress } from '@mox/plugin-sdk/mail'
import { BusyError } from './argon2.ts'
import type { Attempts } from './attempts.ts'
import type { Credential } from './credential.ts'
import type { LoginLimits } from './limits.ts'
import type { Lookup } from './lookup.ts'
import type { Passwords } from './passwords.ts'
import { prepareName, preparePassword } from './precis.ts'
import { SCRAM_SALT_BYTES, type ScramHash } from './scram.ts'
import { APP_PASSWORD } from './totp.ts'

const REPLIES: Readonly<Record<Exclude<LoginFailure, 'logindisabled'>, SmtpReply>> = {
  baduser: reply(535, '5.7.8', 'wrong user name or password'),
  badpassword: reply(535, '5.7.8', 'wrong user name or password'),
  badcreds: reply(535, '5.7.8', 'wrong user name or password'),
  badcode: reply(535, '5.7.8', 'wrong code'),
  secondfactor: reply(535, '5.7.8', 'a code is needed'),
  badchanbind: reply(535, '5.7.8', 'channel binding does not match'),
  badprotocol: reply(501, '5.5.2', 'malformed authentication message'),
  toomany: reply(454, '4.7.0', 'too many failed logins, try again later'),
  error: reply(454, '4.7.0', 'cannot check logins now, try again later'),
  aborted: reply(501, '5.7.0', 'authentication aborted'),
}

/** Who a login name means. */
export interface Identity {
  /** As given when it means nobody. */
  readonly loginAddress: string
  readonly account?: AccountInfo
  readonly credential?: Credential
  /** One text for all spellings of the name. */
  readonly canonical: string
}

export interface Outcome {
  readonly result: 'ok' | LoginFailure
  readonly identity?: Identity
}

export interface AuthenticatorDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
  readonly limits: LoginLimits
  readonly passwords: Passwords
  readonly attempts: Attempts
  readonly lookup: () => Lookup
  readonly credentialOf: (account: string) => Credential | undefined
  /** Since when the account has a second factor. */
  readonly secondFactorSince: (account: string) => number | undefined
  readonly isAppPassword: (account: string, password: string) => boolean
  /** Stores a new verifier for a password that was right. */
  readonly renew: (account: string, credential: Credential, password: string) => void
  /** Secret of this installation. */
  readonly saltKey: () => Buffer
}

export class Authenticator {
  readonly deps: AuthenticatorDeps
  readonly #total: ReturnType<Metrics['counter']>
  readonly #limited: ReturnType<Metrics['counter']>

  constructor(deps: AuthenticatorDeps) {
    this.deps = deps
    this.#total = deps.metrics.counter('mox_authentication_total', 'Logins by protocol, mechanism and result.')
    this.#limited = deps.metrics.counter(
      'mox_authentication_ratelimited_total',
      'Logins refused since there were too many failed ones.',
    )
  }

  /** Name and password, as PLAIN, LOGIN and web pages have them. */
  async login(name: string, password: string, context: LoginContext, mechanism: string): Promise<LoginResult> {
    try {
      return this.finish(await this.#check(name, password, context), context, mechanism)
    } catch (err) {
      return this.failed(err, context, mechanism)
    }
  }

  async #check(name: string, password: string, context: LoginContext): Promise<Outcome> {
    const { limits, passwords } = this.deps
    if (limits.limited(context.remoteIp)) return { result: 'toomany' }
    const asks = context.asksForCode === true
    const identity = asks ? this.identify(name) : this.forPrograms(name)
    const prepared = preparePassword(password)
    const { account, credential } = identity
    if (
      account !== undefined &&
      !asks &&
      APP_PASSWORD.test(password) &&
      this.deps.isAppPassword(account.name, password)
    )
      return { result: this.allowed(account), identity }
    // What cannot be a password is judged as one, so that it takes as long.
    const who = prepared === null || credential === undefined ? identity.canonical : credential
    const right = await passwords.check(who, prepared ?? '', () => limits.take(context.remoteIp))
    if (account === undefined) return { result: 'baduser', identity }
    if (!right || prepared === null || credential === undefined) return { result: 'badpassword', identity }
    if (credential.outdated) this.deps.renew(account.name, credential, prepared)
    const allowed = this.allowed(account)
    const needsCode = allowed === 'ok' && this.deps.secondFactorSince(account.name) !== undefined
    return { result: needsCode ? 'secondfactor' : allowed, identity }
  }

  /** For an account whose credentials were right. */
  allowed(account: AccountInfo): 'ok' | 'logindisabled' {
    return account.loginDisabled === undefined ? 'ok' : 'logindisabled'
  }

  identify(name: string): Identity {
    const prepared = prepareName(name)
    const parsed = prepared === null ? undefined : parseAddress(prepared)
    if (parsed?.ok !== true) return { loginAddress: name, canonical: name }
    const lookup = this.deps.lookup()
    const account = lookup.login(parsed.path)
    const credential = account === undefined ? undefined : this.deps.credentialOf(account.name)
    return {
      loginAddress: formatAddress(parsed.path),
      canonical: lookup.canonical(parsed.path),
      ...(account && { account }),
      ...(credential && { credential }),
    }
  }

  /** For who cannot ask for a code: with a second factor the account's own password is as good as none. */
  forPrograms(name: string): Identity {
    const { credential, ...identity } = this.identify(name)
    const { account } = identity
    if (credential === undefined || (account && this.deps.secondFactorSince(account.name) !== undefined))
      return identity
    return { ...identity, credential }
  }

  /** What Directory.passwordVersion() gives: keyed, as it is stored by others. */
  passwordVersion(account: string): string {
    const credential = this.deps.credentialOf(account)
    if (credential === undefined) return ''
    const since = this.deps.secondFactorSince(account)
    const factor = since === undefined ? [] : [since]
    return createHmac('sha256', this.deps.saltKey())
      .update(JSON.stringify(['password', account, credential.version, ...factor]))
      .digest('base64url')
  }

  /** The salt of a name without SCRAM secrets: always the same, so that it does not tell who is here. */
  salt(hash: ScramHash, name: string): Buffer {
    const bytes = createHmac('sha256', this.deps.saltKey()).update(`${hash} ${name}`).digest()
    return bytes.subarray(0, SCRAM_SALT_BYTES)
  }

  /** Counts, records and logs an outcome, and says what the client is told. */
  finish({ result, identity }: Outcome, context: LoginContext, mechanism: string): LoginResult {
    const { attempts, log } = this.deps
    const { account, loginAddress = '' } = identity ?? {}
    const variant = mechanism.toLowerCase()
    this.#total.inc({ kind: context.protocol, variant, result })
    if (result === 'toomany') this.#limited.inc({ kind: context.protocol })
    else attempts.add(context, { account: account?.name, loginAddress, mechanism: variant, result })
    const fields = { protocol: context.protocol, variant, remoteIp: context.remoteIp, loginAddress, result }
    if (result === 'ok' && account !== undefined) {
      log.debug({ ...fields, account: account.name }, 'logged in')
      return { ok: true, account: account.name, loginAddress }
    }
    if (result === 'secondfactor' && account !== undefined)
      return { ok: false, result, reply: REPLIES[result], account: account.name, loginAddress }
    if (result === 'badchanbind') log.warn(fields, 'login failed: channel binding, perhaps somebody in the middle')
    else log.info(fields, 'login failed')
    if (result === 'logindisabled')
      return { ok: false, result, reply: reply(525, '5.7.13', account?.loginDisabled ?? 'logins are disabled') }
    const failure = result === 'ok' || result === 'secondfactor' ? 'error' : result
    return { ok: false, result: failure, reply: REPLIES[failure] }
  }

  failed(err: unknown, context: LoginContext, mechanism: string): LoginResult {
    const { log } = this.deps
    if (err instanceof BusyError) log.warn({ protocol: context.protocol }, 'too many logins at the same time')
    else log.error({ err, protocol: context.protocol }, 'a login could not be checked')
    return this.finish({ result: 'error' }, context, mechanism)
  }
}
