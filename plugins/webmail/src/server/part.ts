// What the webmail is put together from: parts that answer calls and other requests, each with its own life.
import type { Context } from 'koa'
import type { CallName } from '../api/calls.ts'
import type { Caller, Handlers } from './call.ts'

interface RouteBase {
  /** Must match the whole path: begin with ^ and end with $. `match` is of the path below the webmail's prefix. */
  readonly path: RegExp
  readonly method: 'GET' | 'POST'
  /** Bytes of the body; default 1 MiB. The body is left to the handler, but for `form`. */
  readonly maxBody?: number
}

/**
 * A request that is no call. `auth` is what must come with it beside the cookie with sessions. `header`: a CSRF token in x-mox-csrf.
 * `form`: a body as of an HTML form with the token in `csrf`; the handler finds the fields in ctx.state.form as URLSearchParams.
 * `cookie`: nothing, which is enough for what changes nothing, as the cookie is SameSite=Strict; the handler gets the checked sessions of
 * all accounts that the browser is logged in to. A CallError that a handler throws is the answer, as JSON.
 */
export type Route = RouteBase &
  (
    | {
        readonly auth: 'header' | 'form'
        readonly handle: (ctx: Context, caller: Caller, match: RegExpExecArray) => Promise<void> | void
      }
    | {
        readonly auth: 'cookie'
        readonly handle: (ctx: Context, callers: readonly Caller[], match: RegExpExecArray) => Promise<void> | void
      }
  )

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
