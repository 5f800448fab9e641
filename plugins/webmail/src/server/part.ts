// What the webmail is put together from: parts that answer calls and other requests, each with its own life.
import type { Context } from 'koa'
import type { CallName } from '../api/calls.ts'
import type { Caller, Handlers } from './call.ts'

/** A request that is no call. `caller` is a checked session; `match` is of the path below the webmail's prefix. */
export interface Route {
  readonly method: 'GET' | 'POST'
  /** Must match the whole path: begin with ^ and end with $. */
  readonly path: RegExp
  /**
   * What must come with the request beside the session's cookie. `header`: the CSRF token in x-mox-csrf. `form`: a body as of
   * an HTML form with the token in `csrf`; the handler finds the fields in ctx.state.form as URLSearchParams. `cookie`:
   * nothing, which is enough for what changes nothing, as the cookie is SameSite=Strict.
   */
  readonly auth: 'header' | 'form' | 'cookie'
  /** Bytes of the body; default 1 MiB. The body is left to the handler, but for `form`. */
  readonly maxBody?: number
  /** A CallError that it throws is the answer, as JSON. */
  readonly handle: (ctx: Context, caller: Caller, match: RegExpExecArray) => Promise<void> | void
}

/** A request that needs no session: its address says what it may have. */
export interface Link {
  /** As of a Route. */
  readonly path: RegExp
  readonly handle: (ctx: Context, match: RegExpExecArray) => Promise<void>
}

/** A part of the webmail's server. */
export interface Part {
  readonly calls?: Partial<Handlers<CallName>>
  readonly routes?: readonly Route[]
  /** For GET. */
  readonly links?: readonly Link[]
  /** In the unit of work that removes the account. */
  readonly removeOf?: (account: string) => Promise<void>
  readonly start?: () => Promise<void> | void
  /** Ends what would keep connections open; see Setup of the SDK. */
  readonly drain?: (signal: AbortSignal) => Promise<void> | void
  readonly stop?: () => Promise<void> | void
}
