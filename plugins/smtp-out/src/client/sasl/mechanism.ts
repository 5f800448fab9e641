// One SASL mechanism (RFC 4422) from the client's side, for one login.

export interface Mechanism {
  readonly name: string
  /** What the client says first; undefined when the server begins. */
  readonly first: Buffer | undefined
  /** Answers a challenge. Rejects with a SaslError. */
  respond(challenge: Buffer): Promise<Buffer>
  /** Whether a success may be believed now: false until the server has proved itself, where the mechanism has that. */
  readonly complete: boolean
}

/** The server does not keep to the mechanism or cannot prove who it is: the login is given up, whatever the server says. */
export class SaslError extends Error {
  override readonly name = 'SaslError'
}
