// Who a request comes from: the session's cookie and, for what changes something, the CSRF token. What is not valid is told
// after a second, so that guessing is slow; only so many answers wait.
import type { TLSSocket } from 'node:tls'
import type { Clock, LoginContext, TlsFacts } from '@mox/plugin-sdk'
import type { Context } from 'koa'
import { CallError, type Caller } from './call.ts'
import { INVALID_DELAY_MS, MAX_DELAYED } from './limits.ts'
import type { Sessions } from './sessions.ts'

export const SESSION_COOKIE = 'webmailsession'

export class Guard {
  readonly #sessions: Sessions
  readonly #clock: Clock
  #delayed = 0

  constructor(sessions: Sessions, clock: Clock) {
    this.#sessions = sessions
    this.#clock = clock
  }

  /** The session of a request. `csrf`: the token as sent; null where the cookie is enough. Throws noAuth and badAuth. */
  async caller(ctx: Context, csrf: string | null): Promise<Caller> {
    const token = ctx.cookies.get(SESSION_COOKIE) ?? ''
    if (token === '' || csrf === '') throw new CallError('noAuth', 'log in first')
    const session = await this.#sessions.find(token, csrf ?? undefined)
    if (session === undefined) {
      await this.#wait()
      throw new CallError('badAuth', 'the session has ended; log in again')
    }
    const { account, loginAddress, id } = session
    const tls = tlsOf(ctx)
    return {
      ...{ account, loginAddress, sessionId: id, remoteIp: remoteIpOf(ctx), userAgent: ctx.get('User-Agent') },
      ...(tls === undefined ? {} : { tls }),
    }
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
