// suppression@1: recipients that an account must not be sent mail for, since they do not exist, complained or unsubscribed.
import { defineService, type ServiceToken } from '../define/service.ts'
import type { DsnDone } from '../hooks/notify.ts'
import type { Path } from '../mail/address.ts'

/** Why an entry is there. */
export type SuppressionCause = 'manual' | 'import' | 'bounce' | 'dsn' | 'complaint' | 'unsubscribe'

export interface NewSuppression {
  /** '' for all accounts. */
  readonly account: string
  /** Only mail of this stream; '' for all streams. */
  readonly stream: string
  /** "local@domain", or "@domain" for all its addresses. */
  readonly address: string
  readonly cause: SuppressionCause
  readonly reason: string
  readonly code?: number
  readonly enhanced?: string
  /** The recipient in queue or history that caused it. */
  readonly queueId?: number
  /** Milliseconds since the epoch; absent: for good. */
  readonly expiresAt?: number
}

export interface SuppressionEntry extends NewSuppression {
  readonly id: number
  /** What is compared: lower case, without separators and dots where the recipient's domain ignores them. */
  readonly base: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
}

export interface Suppressions {
  /** The entry that forbids sending, if any; expired ones do not count. */
  check(account: string, stream: string, recipient: Path): Promise<SuppressionEntry | undefined>
  /**
   * Undefined when the same address is listed already for the account and stream. Joins the surrounding unit of work. `by` is
   * who did it, for the audit trail, such as "webapi"; at most 20 characters, default "api". Throws a UsageError for what is
   * no address.
   */
  add(entry: NewSuppression, by?: string): Promise<SuppressionEntry | undefined>
  /** Any spelling of the address with the same base removes the entry. */
  remove(account: string, stream: string, address: string, by?: string): Promise<boolean>
  /** By id, ascending, above `after`. */
  list(
    filter: { readonly account?: string; readonly stream?: string; readonly address?: string },
    page: { readonly limit: number; readonly after?: number },
  ): Promise<SuppressionEntry[]>
  /**
   * Takes in what a report says of a recipient. The same report twice changes nothing: whoever tells of a report first calls
   * this, and then sees what the list made of it.
   */
  learn(report: DsnDone): Promise<void>
  /** Whether this recipient of the queue or the history caused an entry. */
  causedBy(queueId: number): Promise<boolean>
}

export const suppressions: ServiceToken<Suppressions, 'one'> = defineService<Suppressions>('suppression@1')
