// directory@1: who is here. Domains, addresses, accounts, aliases, and checking who logs in.
import { defineService, type ServiceToken } from '../define/service.ts'
import type { Path } from '../mail/address.ts'
import type { SmtpReply } from '../model/reply.ts'
import type { TlsFacts } from '../model/session.ts'

/** A domain of ours. */
export interface DomainInfo {
  /** ASCII, lower case. */
  readonly name: string
  /** Refuses mail and submission for now; logins still work. */
  readonly disabled: boolean
  /** Characters or strings after which a localpart is ignored for finding the account, such as "+". */
  readonly separators: readonly string[]
  readonly caseSensitive: boolean
}

/** An account, without its credentials. */
export interface AccountInfo {
  readonly name: string
  readonly fullName: string
  /** Set when logins are refused: what the user is told. */
  readonly loginDisabled?: string
  /** Bytes of messages; 0: no limit. */
  readonly quota: number
  /** Recipients of its messages in 24 hours; 0: no limit. */
  readonly maxOutgoingPerDay: number
  /** Recipients in 24 hours that it never wrote to before; 0: no limit. */
  readonly maxFirstTimeRecipientsPerDay: number
  /** Recipients of its messages in the queue; 0: no limit. */
  readonly maxQueued: number
  /** Bytes of its messages in the queue, counted for each recipient; 0: no limit. */
  readonly maxQueuedBytes: number
  /** Days that its delivered and failed recipients stay in the history; absent: as the queue's configuration says. */
  readonly keepRetiredDays?: number
  /** Addresses that the account receives for, as text; "@domain" is a catch-all. */
  readonly addresses: readonly string[]
  /** Aliases that it is a member of and may write as. Default: none. */
  readonly writesAs?: readonly string[]
}

/**
 * What an address means here.
 * - `remote`: the domain is not ours.
 * - `disabled`: the domain is ours and disabled.
 * - `unknown`: the domain is ours, nobody has the address.
 * - `account`: mail for this account.
 * - `alias`: mail for several accounts.
 */
export type Resolution =
  | { readonly kind: 'remote' }
  | { readonly kind: 'disabled'; readonly domain: DomainInfo }
  | { readonly kind: 'unknown'; readonly domain: DomainInfo }
  | AccountResolution
  | {
      readonly kind: 'alias'
      readonly address: string
      readonly members: readonly AccountResolution[]
      readonly postPublic: boolean
      readonly allowMsgFrom: boolean
    }

/** An address of an account. */
export interface AccountResolution {
  readonly kind: 'account'
  readonly account: string
  /** The configured address that matched, without separator suffix; "@domain" for a catch-all. */
  readonly address: string
  /** Where mail for this address is filed; default Inbox. */
  readonly mailbox: string
  /** Configured to be refused at RCPT. */
  readonly refuse?: SmtpReply
}

/** What a failed or successful login was checked against, for limits and records. */
export interface LoginContext {
  /** "submission", "imap", "webmail", "webapi", "admin". */
  readonly protocol: string
  readonly remoteIp: string
  readonly localIp: string
  readonly tls?: TlsFacts
  readonly userAgent?: string
  /**
   * The caller asks for a code where an account has a second factor (login-security@1). Without, the account's own password is not
   * good for it.
   */
  readonly asksForCode?: true
  /** Channel binding data of the TLS connection by type: "tls-exporter" (RFC 9266), "tls-unique" (RFC 5929). Undefined without TLS. */
  readonly channelBinding?: (type: string) => Buffer | undefined
}

/** `reply` is what the peer is told, for any protocol. */
export type LoginResult =
  | { readonly ok: true; readonly account: string; readonly loginAddress: string }
  | { readonly ok: false; readonly result: Exclude<LoginFailure, 'secondfactor'>; readonly reply: SmtpReply }
  /** The password was right and a code is needed too; only for who asks for codes. */
  | {
      readonly ok: false
      readonly result: 'secondfactor'
      readonly reply: SmtpReply
      readonly account: string
      readonly loginAddress: string
    }

/** Why a login failed, as recorded; the peer is told less. */
export type LoginFailure =
  | 'baduser'
  | 'badpassword'
  | 'badcreds'
  | 'badcode'
  | 'secondfactor'
  | 'badchanbind'
  | 'badprotocol'
  | 'logindisabled'
  | 'toomany'
  | 'error'
  | 'aborted'

/** What to send to the client next, or how the login ended. */
export type SaslStep =
  | { readonly kind: 'challenge'; readonly data: Buffer }
  /** `data` is the server's last message where the mechanism has one; the client answers it with an empty response. */
  | { readonly kind: 'done'; readonly result: LoginResult; readonly data?: Buffer }

/** The server side of one SASL exchange (RFC 4422); feed it the client's decoded responses. */
export interface SaslExchange {
  /** `null` when the client sent no initial response. Never throws. */
  step(response: Buffer | null): Promise<SaslStep>
  /** The client gave up ("*"). */
  abort(): void
}

/** Who is here. Names of domains are ASCII, in lower case. */
export interface Directory {
  resolve(path: Path): Promise<Resolution>
  domain(name: string): Promise<DomainInfo | undefined>
  domains(): Promise<readonly DomainInfo[]>
  account(name: string): Promise<AccountInfo | undefined>
  accounts(): Promise<readonly AccountInfo[]>
  /** Whether the account may use the address as From or reverse-path. */
  maySendAs(account: string, path: Path): Promise<boolean>
  /** Names of the SASL mechanisms to announce, strongest first; PLAIN and LOGIN only when `tls` or allowed without. */
  mechanisms(context: { readonly tls: boolean; readonly allowPlain: boolean }): readonly string[]
  /** Undefined for an unknown mechanism. */
  sasl(mechanism: string, context: LoginContext): SaslExchange | undefined
  /** Checks a login name and a password. Counts failures. */
  login(name: string, password: string, context: LoginContext): Promise<LoginResult>
  /**
   * A text that changes whenever the account's password or second factor does, and never else; '' without a password. It tells nothing of the
   * password and may be stored: a session that began with another one has ended.
   */
  passwordVersion(account: string): Promise<string>
  /** True when the address or its network has too many failed logins; checked before a greeting. */
  limited(remoteIp: string): boolean
}

/** Who is here, and who may log in. */
export const directory: ServiceToken<Directory, 'one'> = defineService<Directory>('directory@1')
