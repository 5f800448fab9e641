// Who a request comes from: the cookie with the sessions of this browser and, for what changes something, a CSRF token, which says
// which of them is meant. What is not valid is told after a second, so that guessing is slow; only so many answers wait.
import type { TLSSocket } from 'node:tls'
import type { Clock, LoginContext, TlsFacts } from '@mox/plugin-sdk'
import type { Context } from 'koa'
import { MAX_ACCOUNTS } from '../api/events.ts'
import { CallError, type Caller } from './call.ts'
import { INVALID_DELAY_MS, MAX_DELAYED } from './limits.ts'
import type { Session, Sessions } from './sessions.ts'

export const SESSION_COOKIE = 'webmailsession'

export class Guard {
  readonly #sessions: Sessions
  readonly #clock: Clock
  #delayed = 0

  constructor(sessions: Sessions, clock: Clock) {
    this.#sessions = sessions
    this.#clock = clock
  }

  /**
   * The session of a request: of those in the cookie, one for each account that this browser is logged in to, the one with the CSRF
   * token. Throws noAuth and badAuth.
   */
  async caller(ctx: Context, csrf: string): Promise<Caller> {
    const tokens = sessionTokens(ctx)
    if (tokens.length === 0 || csrf === '') throw new CallError('noAuth', 'log in first')
    for (const token of tokens) {
      const session = await this.#sessions.find(token, csrf)
      if (session !== undefined) return callerOf(ctx, session)
    }
    return await this.#refuse()
  }

  /** All sessions of a browser, for requests that the cookie is enough for. Throws noAuth and badAuth when there is none. */
  async callers(ctx: Context): Promise<readonly Caller[]> {
    const tokens = sessionTokens(ctx)
    if (tokens.length === 0) throw new CallError('noAuth', 'log in first')
    const sessions = await Promise.all(tokens.map(token => this.#sessions.find(token, undefined)))
    const callers = sessions.flatMap(session => (session === undefined ? [] : callerOf(ctx, session)))
    return callers.length > 0 ? callers : await this.#refuse()
  }

  async #refuse(): Promise<never> {
    await this.#wait()
    throw new CallError('badAuth', 'the session has ended; log in again')
  }

  async #wait(): Promise<void> {
    if (this.#delayed >= MAX_DELAYED) throw new CallError('tooMany', 'too many requests without a valid session')
    this.#delayed++
    try {
      await this.#clock.sleep(INVALID_DELAY_MS)
    } finally {
      this.#delayed--
    }
  }
}

/** Tokens of sessions in the cookie. */
export function sessionTokens(ctx: Context): readonly string[] {
  const value = ctx.cookies.get(SESSION_COOKIE) ?? ''
  return value === '' ? [] : value.split('.').slice(0, MAX_ACCOUNTS)
}

function callerOf(ctx: Context, { account, loginAddress, id }: Session): Caller {
  const tls = tlsOf(ctx)
  return {
    ...{ account, loginAddress, sessionId: id, host: ctx.host },
    ...{ remoteIp: remoteIpOf(ctx), userAgent: ctx.get('User-Agent') },
    ...(tls === undefined ? {} : { tls }),
  }
}

export function remoteIpOf(ctx: Context): string {
  return ctx.req.socket.remoteAddress ?? ''
}

function tlsOf(ctx: Context): TlsFacts | undefined {
  const socket = ctx.req.socket as Partial<TLSSocket> & Context['req']['socket']
  const version = socket.encrypted === true ? socket.getProtocol?.() : undefined
  return typeof version === 'string' ? { version, cipher: socket.getCipher?.().name ?? '' } : undefined
}

export function loginContextOf(ctx: Context): LoginContext {
  const tls = tlsOf(ctx)
  return {
    ...{ protocol: 'webmail', remoteIp: remoteIpOf(ctx), localIp: ctx.req.socket.localAddress ?? '' },
    userAgent: ctx.get('User-Agent'),
    ...(tls === undefined ? {} : { tls }),
  }
}
