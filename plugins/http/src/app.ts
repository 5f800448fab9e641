// The koa application of one listener: limits and headers first, then the route with the longest matching prefix. A route
// that throws gives 500 with an id that is also in the log, and nothing internal.

import { isIP } from 'node:net'
import type { Audience, Clock, HttpRoutes, Log, Random } from '@mox/plugin-sdk'
import Koa from 'koa'
import { type AdminGate, admitAdmin } from './admin.ts'
import type { Limiter } from './limiter.ts'

/** Bytes a request body may have where the route names no other limit. */
export const DEFAULT_MAX_BODY: number = 1024 * 1024
const DEFAULT_POLICY =
  "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"

export interface AppOptions {
  readonly routes: readonly HttpRoutes[]
  readonly serves: readonly Audience[]
  readonly hosts: ReadonlySet<string>
  readonly limiter: Limiter | undefined
  readonly admin: AdminGate
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export function makeApp(options: AppOptions): Koa {
  const { clock, random, log } = options
  const routes = options.routes
    .filter(r => options.serves.includes(r.audience))
    .sort((a, b) => b.prefix.length - a.prefix.length)
  const app = new Koa()
  app.silent = true // errors are logged below, with an id

  app.use(async (ctx, next) => {
    ctx.set('X-Content-Type-Options', 'nosniff')
    ctx.set('X-Frame-Options', 'DENY')
    ctx.set('Referrer-Policy', 'same-origin')
    ctx.set('Cross-Origin-Opener-Policy', 'same-origin')
    ctx.set('Cross-Origin-Resource-Policy', 'same-origin')
    ctx.set('Content-Security-Policy', DEFAULT_POLICY)
    if (ctx.secure) ctx.set('Strict-Transport-Security', 'max-age=31536000')
    try {
      await next()
    } catch (error) {
      const e = error as { status?: number; expose?: boolean; message?: string }
      if (e.expose === true && e.status !== undefined && e.status >= 400 && e.status < 500) {
        refuse(ctx, e.status, e.message ?? 'bad request')
        return
      }
      const id = random.id()
      log.error({ err: error, id, method: ctx.method, path: ctx.path }, 'request failed')
      refuse(ctx, 500, `internal error, id ${id}`)
    }
  })

  app.use(async (ctx, next) => {
    if (options.limiter?.take(ctx.req.socket.remoteAddress ?? '', clock.now()) === false) {
      ctx.set('Retry-After', '60')
      return refuse(ctx, 429, 'too many requests; try again in a minute')
    }
    // Another site's name that resolves to our address must not reach us from a browser (DNS rebinding).
    if (!allowedHost(ctx.hostname, options.hosts))
      return refuse(
        ctx,
        421,
        `not served here: ${JSON.stringify(ctx.hostname.slice(0, 100))}; add it to the http plugin's \`hosts\``,
      )
    return next()
  })

  app.use(async (ctx, next) => {
    const route = routes.find(r => ctx.path.startsWith(r.prefix) || `${ctx.path}/` === r.prefix)
    if (route === undefined) return refuse(ctx, 404, 'not found')
    if (!ctx.path.startsWith(route.prefix)) return ctx.redirect(`${route.prefix}${ctx.search}`)
    if (route.contentSecurityPolicy !== undefined) ctx.set('Content-Security-Policy', route.contentSecurityPolicy)
    if (route.audience === 'admin' && !admitAdmin(ctx, options.admin)) return
    if (refuseBody(ctx, route.maxBody ?? DEFAULT_MAX_BODY)) return
    await route.middleware(ctx as Parameters<typeof route.middleware>[0], next)
  })
  return app
}

function refuse(ctx: Koa.Context, status: number, text: string): void {
  ctx.status = status
  ctx.type = 'text/plain; charset=utf-8'
  ctx.body = `${text}\n`
}

function allowedHost(hostname: string, hosts: ReadonlySet<string>): boolean {
  const name = hostname.toLowerCase().replace(/\.$/, '')
  return hosts.has(name) || isIP(name.replace(/^\[|\]$/g, '')) !== 0
}

/** Refuses a body that is too large, or whose size is not told. */
function refuseBody(ctx: Koa.Context, limit: number): boolean {
  if (ctx.get('Transfer-Encoding') !== '') refuse(ctx, 411, 'send the request body with a Content-Length')
  else if ((ctx.request.length ?? 0) > limit) refuse(ctx, 413, `request body larger than ${limit} bytes`)
  else return false
  ctx.set('Connection', 'close') // the body is not read
  return true
}
