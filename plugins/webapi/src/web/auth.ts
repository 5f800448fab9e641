// Who calls: HTTP Basic with an account's login (RFC 7617), or a Bearer API key (RFC 6750). Failed logins are counted with
// those of the other protocols.
import type { TLSSocket } from 'node:tls'
import type { Directory, LoginContext } from '@mox/plugin-sdk'
import type { Context } from 'koa'
import type { Keys } from '../keys.ts'
import { PERMISSIONS, type Permission } from '../permissions.ts'
import type { Caller } from '../send/author.ts'

/** Characters of an Authorization header; longer ones are wrong. */
const MAX_HEADER = 4_000

export interface Authenticated extends Caller {
  readonly permissions: ReadonlySet<Permission>
}

/**
 * - `none`: no usable credentials. `wrong`: they are not right, or the login is disabled.
 * - `limited`: too many failed logins. `failed`: they could not be checked now.
 */
export type Refused = 'none' | 'wrong' | 'limited' | 'failed'

export type AuthResult =
  | { readonly ok: true; readonly caller: Authenticated }
  | { readonly ok: false; readonly why: Refused }

const ALL: ReadonlySet<Permission> = new Set(PERMISSIONS)

/** `keys`: undefined where only logins count. */
export async function authenticate(ctx: Context, directory: Directory, keys: Keys | undefined): Promise<AuthResult> {
  const header = ctx.get('Authorization')
  const [, scheme = '', value = ''] = /^([A-Za-z]+) +([^\s]+)$/.exec(header.slice(0, MAX_HEADER)) ?? []
  const remoteIp = remoteIpOf(ctx)
  if (scheme.toLowerCase() === 'bearer' && keys !== undefined) {
    const key = await keys.find(value)
    return key === undefined ? { ok: false, why: 'wrong' } : { ok: true, caller: { ...key, remoteIp } }
  }
  if (scheme.toLowerCase() !== 'basic' || !/^[A-Za-z0-9+/]+={0,2}$/.test(value)) return { ok: false, why: 'none' }
  if (directory.limited(remoteIp)) return { ok: false, why: 'limited' }
  const text = Buffer.from(value, 'base64').toString()
  const colon = text.indexOf(':')
  if (colon < 0) return { ok: false, why: 'none' }
  const result = await directory.login(text.slice(0, colon), text.slice(colon + 1), contextOf(ctx, remoteIp))
  if (result.ok) {
    const { account, loginAddress } = result
    return { ok: true, caller: { account, loginAddress, remoteIp, test: false, permissions: ALL } }
  }
  const why = result.result === 'toomany' ? 'limited' : result.result === 'error' ? 'failed' : 'wrong'
  return { ok: false, why }
}

function contextOf(ctx: Context, remoteIp: string): LoginContext {
  const socket = ctx.req.socket as Partial<TLSSocket> & Context['req']['socket']
  const version = socket.encrypted === true ? socket.getProtocol?.() : undefined
  const tls = typeof version === 'string' ? { tls: { version, cipher: socket.getCipher?.().name ?? '' } } : {}
  const localIp = socket.localAddress ?? ''
  return { protocol: 'webapi', remoteIp, localIp, userAgent: ctx.get('User-Agent'), ...tls }
}

export function remoteIpOf(ctx: Context): string {
  return ctx.req.socket.remoteAddress ?? ''
}

/** A browser that another site makes send a request (with a login that it remembers) says so (Fetch Metadata). */
export function isCrossSite(ctx: Context): boolean {
  const site = ctx.get('Sec-Fetch-Site')
  return site !== '' && site !== 'same-origin' && site !== 'none'
}
