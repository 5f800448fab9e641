// Logging in and out, and the list of devices. A login needs a token that is in a cookie as well: a page of another site,
// which cannot read the answer of loginPrepare, cannot log a browser in.
import { timingSafeEqual } from 'node:crypto'
import type { Directory, Random } from '@mox/plugin-sdk'
import type { Context } from 'koa'
import { CallError, type Handlers } from './call.ts'
import { loginContextOf, SESSION_COOKIE } from './guard.ts'
import { LOGIN_SECONDS } from './limits.ts'
import type { WebmailMetrics } from './metrics.ts'
import type { Sessions } from './sessions.ts'

const LOGIN_COOKIE = 'webmaillogin'
const LOGIN_TOKEN_BYTES = 16

interface Deps {
  readonly sessions: Sessions
  readonly directory: Directory
  readonly random: Random
  readonly metrics: WebmailMetrics
  /** Where the webmail is. */
  readonly path: string
}

/** Calls that set cookies. */
export interface LoginCalls {
  prepare(ctx: Context): { loginToken: string }
  login(
    ctx: Context,
    params: { readonly loginToken: string; readonly address: string; readonly password: string },
  ): Promise<{ csrf: string }>
  /** After the session was ended. */
  loggedOut(ctx: Context): void
}

export function makeLogin({ sessions, directory, random, metrics, path }: Deps): LoginCalls {
  const cookie = (ctx: Context) =>
    ({ httpOnly: true, sameSite: 'strict', path, secure: ctx.secure, overwrite: true }) as const
  return {
    prepare: ctx => {
      const loginToken = random.bytes(LOGIN_TOKEN_BYTES).toString('base64url')
      ctx.cookies.set(LOGIN_COOKIE, loginToken, { ...cookie(ctx), maxAge: LOGIN_SECONDS * 1_000 })
      return { loginToken }
    },
    login: async (ctx, { loginToken, address, password }) => {
      const token = ctx.cookies.get(LOGIN_COOKIE) ?? ''
      if (token === '' || !same(token, loginToken))
        throw new CallError('badRequest', 'the login took too long, or the browser keeps no cookies; try again')
      ctx.cookies.set(LOGIN_COOKIE, null, cookie(ctx))
      const context = loginContextOf(ctx)
      const result = await directory.login(address, password, context)
      metrics.login(result.ok ? 'ok' : result.result)
      if (!result.ok) {
        const code = result.result === 'toomany' || result.result === 'error' ? 'tooMany' : 'loginFailed'
        throw new CallError(code, result.reply.text)
      }
      const { account, loginAddress } = result
      const { remoteIp, userAgent = '' } = context
      const opened = await sessions.open({ account, loginAddress, userAgent, remoteIp })
      ctx.cookies.set(SESSION_COOKIE, opened.token, cookie(ctx))
      return { csrf: opened.csrf }
    },
    loggedOut: ctx => {
      ctx.cookies.set(SESSION_COOKIE, null, cookie(ctx))
    },
  }
}

export function makeSessionCalls(sessions: Sessions): Handlers<'logout' | 'devices' | 'deviceRevoke'> {
  return {
    logout: async (_, { account, sessionId }) => {
      await sessions.end(account, sessionId)
      return {}
    },
    devices: async (_, { account, sessionId }) => ({
      devices: (await sessions.list(account)).map(({ id, loginAddress, userAgent, remoteIp, createdAt, usedAt }) => ({
        ...{ id, current: id === sessionId, loginAddress, userAgent, remoteIp, createdAt, usedAt },
      })),
    }),
    deviceRevoke: async ({ id }, { account }) => {
      if (!(await sessions.end(account, id))) throw new CallError('notFound', 'there is no such login any more')
      return {}
    },
  }
}

function same(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}
