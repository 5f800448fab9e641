// One row: how a server behaves, and what the client makes of it for each recipient.
import type { ClientMessage, ClientRecipient, ClientTls, Credentials } from '../../../src/client/index.ts'
import type { Behaviour } from '../../support/peer.ts'

export interface Row {
  readonly name: string
  readonly server: Behaviour
  /** Default: none. */
  readonly tls?: Partial<ClientTls>
  readonly login?: Partial<Credentials>
  readonly message?: Partial<Omit<ClientMessage, 'recipients'>>
  /** Default "Subject: hello", an empty line and "hello". */
  readonly content?: string | (() => AsyncIterable<Buffer>)
  /** Default bob and carol at example.com. */
  readonly to?: readonly (string | (Partial<ClientRecipient> & { readonly address: string }))[]
  /** "kind stage code enhanced text" of the ClientError; "-" for no enhanced code, "/" between lines. */
  readonly session?: string
  /** The same for each recipient; one for all when they are told the same. */
  readonly answers?: string | readonly string[]
  /** Whether the connection may be used again. Default true, false with `session`. */
  readonly usable?: boolean
  /** All commands that the server got, but QUIT. */
  readonly commands?: readonly string[]
  /** The messages that the server got whole. Default: not looked at. */
  readonly messages?: readonly string[]
}

/** What an ordinary delivery ends in. */
export const TAKEN = 'ok end 250 2.0.0 taken'
