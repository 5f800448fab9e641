// login-security@1: what the owner of an account can do for its safety beside a password: a second factor, and passwords for programs
// that cannot ask for one.
import { defineService, type ServiceToken } from '../define/service.ts'
import type { LoginContext, LoginResult } from './directory.ts'

/** What lets somebody in and can be taken back alone: a password that was made for one program, or a passkey. */
export interface LoginKey {
  /** Of a passkey: its credential, base64url. */
  readonly id: string
  /** What it is for, as its owner wrote it. */
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  /** To the hour for app passwords; undefined: never used. */
  readonly usedAt?: number
}

/** What a browser has of a new passkey; bytes in base64url. `publicKey`: DER (SPKI). */
export interface PasskeyRegistration {
  readonly id: string
  readonly clientData: string
  readonly authenticatorData: string
  readonly publicKey: string
}

/** What a browser has of a passkey's answer; bytes in base64url. */
export interface PasskeyAnswer {
  readonly id: string
  readonly clientData: string
  readonly authenticatorData: string
  readonly signature: string
}

export interface LoginSecurityState {
  /** Since when, milliseconds since the epoch; undefined: there is none. */
  readonly secondFactorSince?: number
  /** Recovery codes that were not used yet. */
  readonly recoveryCodes: number
  /** Oldest first. */
  readonly appPasswords: readonly LoginKey[]
  /** Keys in devices of the user (WebAuthn), a second factor beside codes; oldest first. */
  readonly passkeys: readonly LoginKey[]
}

/**
 * With a second factor (TOTP, RFC 6238) the account's own password is good only where a code can be asked for; app passwords are good
 * everywhere else. Changes are refused with a UsageError that says what to do.
 */
export interface LoginSecurity {
  state(account: string): Promise<LoginSecurityState>
  /** A secret to put into an app, in base32. Nothing is changed. */
  newSecret(): string
  /** `code`: of the secret, now; undefined when it is wrong. Returns recovery codes, which cannot be shown again. */
  enable(account: string, secret: string, code: string): Promise<readonly string[] | undefined>
  /** False when there was none. */
  disable(account: string): Promise<boolean>
  /** New recovery codes; the others are not good any more. */
  renewRecoveryCodes(account: string): Promise<readonly string[]>
  /**
   * Whether a code of the app, or a recovery code, is right; each is good once. A wrong one counts as a failed login. For an
   * account whose login had the result "secondfactor".
   */
  checkCode(account: string, loginAddress: string, code: string, context: LoginContext): Promise<LoginResult>
  /**
   * What to give to the browser to make a passkey, as JSON. `host`: where the browser is, "mail.example.org:8443"; `challenge`:
   * random, in base64url, and good for one answer. Only for an account with a second factor, whose recovery codes help where the
   * passkey is lost.
   */
  passkeyOptions(account: string, loginAddress: string, host: string, challenge: string): Promise<unknown>
  /** False when the answer is not right. */
  addPasskey(
    account: string,
    name: string,
    host: string,
    challenge: string,
    answer: PasskeyRegistration,
  ): Promise<boolean>
  /** False when there is no such passkey. */
  removePasskey(account: string, id: string): Promise<boolean>
  /** What to give to the browser to be answered by a passkey; undefined when the account has none. */
  passkeyRequest(account: string, host: string, challenge: string): Promise<unknown>
  /** As `checkCode`. */
  checkPasskey(
    account: string,
    loginAddress: string,
    asked: { readonly host: string; readonly challenge: string },
    answer: PasskeyAnswer,
    context: LoginContext,
  ): Promise<LoginResult>
  /** Returns the password, which cannot be shown again. */
  addAppPassword(account: string, name: string): Promise<{ readonly id: string; readonly password: string }>
  /** False when there is no such app password. */
  removeAppPassword(account: string, id: string): Promise<boolean>
}

export const loginSecurity: ServiceToken<LoginSecurity, 'one'> = defineService<LoginSecurity>('login-security@1')
