// What a caller did wrong, or why a message cannot be sent now: a code of the wire format, a text that says what to do, and
// the field it is about. Nothing was queued when one is thrown.

/**
 * - `protocol`: the request cannot be read. `user`: a mistake without a code of its own. `server`: our side failed.
 * - `error`: a lower layer refused. `badAddress`: an address that does not parse. `missingBody`: neither text nor HTML.
 * - `multipleFrom`, `badFrom`, `domainDisabled`: the author. `noRecipients`: nobody to send to.
 * - `messageLimitReached`, `recipientLimitReached`: a daily limit. `messageTooLarge`. `malformedMessageID`.
 * - `messageNotFound`, `partNotFound`: not there, or of another account.
 */
export type ErrorCode =
  | 'protocol'
  | 'user'
  | 'server'
  | 'error'
  | 'badAddress'
  | 'missingBody'
  | 'multipleFrom'
  | 'badFrom'
  | 'domainDisabled'
  | 'noRecipients'
  | 'messageLimitReached'
  | 'recipientLimitReached'
  | 'messageTooLarge'
  | 'malformedMessageID'
  | 'messageNotFound'
  | 'partNotFound'

export interface ErrorDetails {
  /** Names and indexes from the top of the request: ["to", 0, "address"]. */
  readonly path?: readonly (string | number)[]
  /** Seconds after which the same request may succeed. */
  readonly retryAfter?: number
  readonly cause?: unknown
}

export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: ErrorCode
  readonly path: readonly (string | number)[] | undefined
  readonly retryAfter: number | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.path = details.path
    this.retryAfter = details.retryAfter
  }
}
