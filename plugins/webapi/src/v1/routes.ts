// v1 over HTTP: routes from the table of endpoints, the login, the permission, the checks, and how errors look.
import { createHash } from 'node:crypto'
import Router from '@koa/router'
import type { Directory, Log } from '@mox/plugin-sdk'
import type { Context, Middleware } from 'koa'
import type { Keys } from '../keys.ts'
import { MAX_SMALL_BODY } from '../limits.ts'
import type { ApiMetrics } from '../metrics.ts'
import { type Authenticated, authenticate, isCrossSite } from '../web/auth.ts'
import { type BodyBudget, parseJson } from '../web/body.ts'
import { escapeHtml, PAGE_POLICY, page } from '../web/page.ts'
import type { Endpoint } from './endpoint.ts'
import { openApi } from './openapi.ts'
import { checked, Problem, problemOf } from './problem.ts'

export interface V1Options {
  readonly endpoints: readonly Endpoint[]
  /** "/webapi/v1". */
  readonly prefix: string
  /** The same as a URL. */
  readonly server: string
  readonly version: string
  readonly directory: Directory
  readonly keys: Keys
  readonly metrics: ApiMetrics
  readonly log: Log
  readonly bodies: BodyBudget
  readonly maxBody: number
}

export function v1Routes(options: V1Options): Middleware {
  const { endpoints, prefix } = options
  const router = new Router({ prefix, strict: true, sensitive: true })
  let description: string | undefined
  router.get('/', ctx => {
    ctx.type = 'text/html; charset=utf-8'
    ctx.set('Content-Security-Policy', PAGE_POLICY)
    ctx.body = indexPage(endpoints)
  })
  router.get('/openapi.json', ctx => {
    description ??= `${JSON.stringify(openApi(endpoints, options.server, options.version), null, 2)}\n`
    ctx.type = 'application/json; charset=utf-8'
    ctx.body = description
  })
  for (const endpoint of endpoints) {
    const handle = async (ctx: Context & { params: Record<string, string> }) => await serve(ctx, endpoint, options)
    const { method, path } = endpoint
    if (method === 'GET') router.get(path, handle as never)
    else if (method === 'POST') router.post(path, handle as never)
    else router.delete(path, handle as never)
  }
  const routes = router.routes() as unknown as Middleware
  return async (ctx, next) => {
    await routes(ctx, next)
    if (ctx.status !== 404 || ctx.body !== undefined) return
    const methods = router.match(ctx.path, ctx.method).path.flatMap(layer => layer.methods)
    const allowed = [...new Set(methods)].sort().join(', ')
    if (allowed !== '') ctx.set('Allow', allowed)
    const problem =
      allowed === ''
        ? new Problem('notFound', 'there is nothing here; see v1/openapi.json')
        : new Problem('methodNotAllowed', `this takes ${allowed}`)
    writeProblem(ctx as Context, problem)
  }
}

async function serve(
  ctx: Context & { params: Record<string, string> },
  endpoint: Endpoint,
  options: V1Options,
): Promise<void> {
  const { metrics, log } = options
  const started = performance.now()
  let result = 'ok'
  try {
    if (isCrossSite(ctx)) throw new Problem('forbidden', 'requests of other sites are not taken')
    const caller = await login(ctx, endpoint, options)
    const query = endpoint.query === undefined ? undefined : checked(endpoint.query, queryOf(ctx))
    const call = { caller, params: ctx.params, query, ctx }
    const reply =
      endpoint.body === undefined
        ? await endpoint.run({ ...call, body: undefined, fingerprint: () => '' } as never)
        : await options.bodies.with(
            ctx,
            endpoint.permission === 'send' ? options.maxBody : MAX_SMALL_BODY,
            async bytes => {
              const body = checked(endpoint.body!, jsonOf(ctx, bytes))
              const fingerprint = (): string =>
                createHash('sha256').update(`${endpoint.name}\n`).update(bytes).digest('hex')
              return await endpoint.run({ ...call, body, fingerprint } as never)
            },
          )
    if (reply.written) return
    for (const [name, value] of Object.entries(reply.headers ?? {})) ctx.set(name, value)
    ctx.set('Cache-Control', 'no-store')
    ctx.status = reply.status ?? endpoint.status
    if (reply.body === undefined) ctx.body = null
    else {
      ctx.set('Content-Type', 'application/json; charset=utf-8')
      ctx.body = JSON.stringify(reply.body)
    }
    if (reply.body === undefined) ctx.status = endpoint.status
  } catch (error) {
    const known = problemOf(error) ?? new Problem('server', 'something went wrong on our side')
    if (problemOf(error) === undefined) log.error({ err: error, method: endpoint.name }, 'a webapi call failed')
    if (known.code === 'server') metrics.error('server')
    result = known.code
    writeProblem(ctx, known)
  } finally {
    metrics.result(endpoint.name, result, (performance.now() - started) / 1000)
  }
}

async function login(ctx: Context, endpoint: Endpoint, { directory, keys }: V1Options): Promise<Authenticated> {
  const auth = await authenticate(ctx, directory, keys)
  if (auth.ok) {
    if (auth.caller.permissions.has(endpoint.permission)) return auth.caller
    throw new Problem('forbidden', `this API key does not have the permission ${endpoint.permission}`)
  }
  if (auth.why === 'limited') throw new Problem('tooManyRequests', 'too many failed logins', { retryAfter: 60 })
  if (auth.why === 'failed') throw new Problem('server', 'the login cannot be checked now', { retryAfter: 5 })
  ctx.set('WWW-Authenticate', 'Bearer, Basic realm="webapi", charset="UTF-8"')
  throw new Problem(
    'unauthorized',
    auth.why === 'none' ? 'send an API key (Bearer) or a login (Basic)' : 'the API key or login is not right',
  )
}

/** A parameter that is given twice is a mistake. */
function queryOf(ctx: Context): object {
  for (const [name, value] of Object.entries(ctx.query))
    if (typeof value !== 'string') throw new Problem('protocol', `${name} is given more than once`)
  return { ...ctx.query }
}

function jsonOf(ctx: Context, bytes: Buffer): unknown {
  if (ctx.is('application/json') === false) throw new Problem('mediaType', 'send the request as application/json')
  // Without a body, as POST …/cancel is sent by hand.
  return bytes.length === 0 ? {} : parseJson(bytes.toString())
}

function writeProblem(ctx: Context, problem: Problem): void {
  if (problem.retryAfter !== undefined) ctx.set('Retry-After', String(problem.retryAfter))
  ctx.status = problem.status
  ctx.set('Content-Type', 'application/problem+json; charset=utf-8')
  ctx.body = JSON.stringify(problem.details)
}

function indexPage(endpoints: readonly Endpoint[]): string {
  const items = endpoints.map(
    ({ method, path, summary }) =>
      `<li><code>${method} ${escapeHtml(path)}</code><br><span class="dim">${escapeHtml(summary)}</span></li>`,
  )
  return page(
    'Web API v1',
    `<h1>Web API v1</h1>
<p>JSON in and out, with an API key (<code>Authorization: Bearer mox_…</code>) or a login (HTTP Basic).
All of it as <a href="openapi.json">OpenAPI 3.1</a>.</p>
<ul class="list">
${items.join('\n')}
</ul>`,
  )
}
