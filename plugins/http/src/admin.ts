// HTTP Basic authentication (RFC 7617) for routes with the audience `admin`: user "admin" and one password. Wrong passwords are
// limited per address and network.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Context } from 'koa'
import type { Limiter } from './limiter.ts'

/** Wrong passwords per minute from one address. */
export const WRONG_PER_MINUTE = 10

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

export interface AdminGate {
  readonly password: string | undefined
  readonly failures: Limiter
  now(): number
}

/** True when the request may go on; else the refusal is in the response. */
export function admitAdmin(ctx: Context, gate: AdminGate): boolean {
  if (gate.password === undefined)
    return refuse(
      ctx,
      403,
      "no admin password is set: put one in the secret `admin-password`, or in the http plugin's `adminPassword`",
    )
  const ip = ctx.req.socket.remoteAddress ?? ''
  const encoded = /^Basic ([A-Za-z0-9+/=]{1,400})$/i.exec(ctx.get('Authorization'))?.[1]
  if (encoded !== undefined) {
    if (gate.failures.exceeded(ip, gate.now()))
      return refuse(ctx, 429, 'too many wrong passwords; try again in a minute')
    const given = Buffer.from(encoded, 'base64').toString()
    if (timingSafeEqual(digest(given), digest(`admin:${gate.password}`))) return true
    gate.failures.take(ip, gate.now())
  }
  ctx.set('WWW-Authenticate', 'Basic realm="mox admin", charset="UTF-8"')
  return refuse(ctx, 401, 'log in as user admin')
}

function refuse(ctx: Context, status: number, text: string): false {
  ctx.status = status
  ctx.type = 'text/plain; charset=utf-8'
  ctx.body = `${text}\n`
  return false
}
