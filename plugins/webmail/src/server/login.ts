// Logging in and out, and the list of devices. A login needs a token that is in a cookie as well: a page of another site,
// which cannot read the answer of loginPrepare, cannot log a browser in.
import { timingSafeEqual } from 'node:crypto'
import type { Clock, Directory, LoginResult, LoginSecurity, PasskeyAnswer, Random } from '@mox/plugin-sdk'
import type { Context } from 'koa'
import { MAX_ACCOUNTS } from '../api/events.ts'
import { CallError, type Handlers } from './call.ts'
import { loginContextOf, SESSION_COOKIE, sessionTokens } from './guard.ts'
import { CHALLENGE_BYTES, CODE_SECONDS, CODE_TRIES, LOGIN_SECONDS, PROOFS } from './limits.ts'
import type { WebmailMetrics } from './metrics.ts'
import { setNewest } from './newest.ts'
import { hashOf, type Sessions } from './sessions.ts'

const LOGIN_COOKIE = 'webmaillogin'
const LOGIN_TOKEN_BYTES = 16

interface Deps {
  readonly sessions: Sessions
  readonly directory: Directory
  readonly loginSecurity: LoginSecurity | undefined
  readonly clock: Clock
  readonly random: Random
  readonly metrics: WebmailMetrics
  /** Where the webmail is. */
  readonly path: string
}

/** '' where a code is needed first. */
interface LoggedIn {
  csrf: string
  account: string
}

/** Calls that set cookies. */
export interface LoginCalls {
  prepare(ctx: Context): { loginToken: string }
  login(
    ctx: Context,
    params: { readonly loginToken: string; readonly address: string; readonly password: string },
  ): Promise<LoggedIn & { proof: string; passkey: unknown }>
  /** After a login that needs a code. */
  code(ctx: Context, params: { readonly proof: string; readonly code: string }): Promise<LoggedIn>
  passkey(ctx: Context, params: { readonly proof: string; readonly answer: PasskeyAnswer }): Promise<LoggedIn>
  /** After a session was ended: the others of the browser go on. */
  loggedOut(ctx: Context, sessionId: string): void
}

/** A password was right, and a code is awaited. */
interface Proof {
  readonly account: string
  readonly loginAddress: string
  readonly until: number
  /** What a passkey is asked. */
  readonly challenge: string
  tries: number
}

export function makeLogin(deps: Deps): LoginCalls {
  const { sessions, directory, loginSecurity, clock, random, metrics, path } = deps
  const proofs = new Map<string, Proof>()
  const secret = (bytes: number): string => random.bytes(bytes).toString('base64url')
  const cookie = (ctx: Context) =>
    ({ httpOnly: true, sameSite: 'strict', path, secure: ctx.secure, overwrite: true }) as const
  /** Beside the sessions of other accounts that the browser has. */
  const open = async (ctx: Context, account: string, loginAddress: string): Promise<LoggedIn> => {
    const { remoteIp, userAgent = '' } = loginContextOf(ctx)
    const opened = await sessions.open({ account, loginAddress, userAgent, remoteIp })
    const others: string[] = []
    for (const token of sessionTokens(ctx)) {
      const session = await sessions.find(token, undefined)
      if (session === undefined) continue
      if (session.account === account || others.length === MAX_ACCOUNTS - 1)
        await sessions.end(session.account, session.id)
      else others.push(token)
    }
    ctx.cookies.set(SESSION_COOKIE, [opened.token, ...others].join('.'), cookie(ctx))
    return { csrf: opened.csrf, account }
  }
  /** The second step of a login, as `check` judges it. */
  const finish = async (
    ctx: Context,
    proof: string,
    check: (security: LoginSecurity, proven: Proof) => Promise<LoginResult>,
  ): Promise<LoggedIn> => {
    const proven = proofs.get(proof)
    if (proven === undefined || proven.until <= clock.now() || loginSecurity === undefined)
      throw new CallError('badRequest', 'the login took too long; begin again')
    proven.tries++
    if (proven.tries >= CODE_TRIES) proofs.delete(proof)
    const result = await check(loginSecurity, proven)
    metrics.login(result.ok ? 'ok' : result.result)
    if (!result.ok) {
      if (proofs.has(proof)) throw refusal(result)
      throw new CallError('badRequest', 'that was wrong too often; begin again')
    }
    proofs.delete(proof)
    return await open(ctx, proven.account, proven.loginAddress)
  }
  return {
    prepare: ctx => {
      const loginToken = secret(LOGIN_TOKEN_BYTES)
      ctx.cookies.set(LOGIN_COOKIE, loginToken, { ...cookie(ctx), maxAge: LOGIN_SECONDS * 1_000 })
      return { loginToken }
    },
    login: async (ctx, { loginToken, address, password }) => {
      const token = ctx.cookies.get(LOGIN_COOKIE) ?? ''
      if (token === '' || !same(token, loginToken))
        throw new CallError('badRequest', 'the login took too long, or the browser keeps no cookies; try again')
      ctx.cookies.set(LOGIN_COOKIE, null, cookie(ctx))
      const result = await directory.login(address, password, { ...loginContextOf(ctx), asksForCode: true })
      metrics.login(result.ok ? 'ok' : result.result)
      if (result.ok) return { ...(await open(ctx, result.account, result.loginAddress)), proof: '', passkey: null }
      if (result.result !== 'secondfactor' || loginSecurity === undefined) throw refusal(result)
      const [proof, challenge] = [secret(LOGIN_TOKEN_BYTES), secret(CHALLENGE_BYTES)]
      const { account, loginAddress } = result
      const until = clock.now() + CODE_SECONDS * 1_000
      setNewest(proofs, proof, { account, loginAddress, challenge, until, tries: 0 }, PROOFS)
      const passkey = (await loginSecurity.passkeyRequest(account, ctx.host, challenge)) ?? null
      return { csrf: '', account: '', proof, passkey }
    },
    code: (ctx, { proof, code }) =>
      finish(ctx, proof, (security, { account, loginAddress }) =>
        security.checkCode(account, loginAddress, code, loginContextOf(ctx)),
      ),
    passkey: (ctx, { proof, answer }) =>
      finish(ctx, proof, (security, { account, loginAddress, challenge }) =>
        security.checkPasskey(account, loginAddress, { host: ctx.host, challenge }, answer, loginContextOf(ctx)),
      ),
    loggedOut: (ctx, sessionId) => {
      const others = sessionTokens(ctx).filter(token => hashOf(token) !== sessionId)
      ctx.cookies.set(SESSION_COOKIE, others.length === 0 ? null : others.join('.'), cookie(ctx))
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

function refusal({ result, reply }: Extract<LoginResult, { ok: false }>): CallError {
  return new CallError(result === 'toomany' || result === 'error' ? 'tooMany' : 'loginFailed', reply.text)
}

function same(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}
