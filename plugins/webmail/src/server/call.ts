// How the calls of the API are answered: a table of handlers, put together from the folders of this plugin.
import type { TlsFacts } from '@mox/plugin-sdk'
import type { z } from 'zod'
import type { CallName, Calls, ErrorCode } from '../api/calls.ts'

/** Who calls: a session that was checked. */
export interface Caller {
  readonly account: string
  readonly loginAddress: string
  /** Of the session; not its token. */
  readonly sessionId: string
  readonly remoteIp: string
  readonly userAgent: string
  /** Where the browser is: "mail.example.org:8443". */
  readonly host: string
  readonly tls?: TlsFacts
}

/** Answers of some calls. Parameters were checked; a result is checked as well. A throw of a CallError is the answer. */
export type Handlers<N extends CallName> = {
  readonly [K in N]: (
    params: z.output<Calls[K]['params']>,
    caller: Caller,
    signal: AbortSignal,
  ) => Promise<z.input<Calls[K]['result']>>
}

/** What the user did wrong, or what changed meanwhile; the message is shown. */
export class CallError extends Error {
  override readonly name = 'CallError'
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
