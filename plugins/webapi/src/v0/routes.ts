// v0 over HTTP: which URL answers with what, the login, and how answers and errors look on the wire.
import type { Directory, Log } from '@mox/plugin-sdk'
import type { Context } from 'koa'
import type { ApiMetrics } from '../metrics.ts'
import { ApiError } from '../send/error.ts'
import { authenticate, isCrossSite } from '../web/auth.ts'
import type { BodyBudget } from '../web/body.ts'
import { PAGE_POLICY } from '../web/page.ts'
import { type Answer, METHOD_BY_NAME, type Method, type V0Services } from './methods.ts'
import { indexPage, methodPage } from './pages.ts'
import { decodeRequest } from './request.ts'
import { parseRequest } from './schemas.ts'

export interface V0Options {
  readonly services: V0Services
  readonly directory: Directory
  readonly metrics: ApiMetrics
  readonly log: Log
  readonly bodies: BodyBudget
  /** Octets of a request body. */
  readonly maxBody: number
}

/** `name`: what follows "v0/" in the path. */
export async function serveV0(ctx: Context, name: string, options: V0Options): Promise<void> {
  if (name === '') return html(ctx, indexPage())
  const method = METHOD_BY_NAME.get(name)
  if (method === undefined) return plain(ctx, 404, 'there is no such method')
  if (ctx.method === 'GET' || ctx.method === 'HEAD') return html(ctx, methodPage(method))
  if (ctx.method === 'POST') return await call(ctx, method, options)
  ctx.set('Allow', 'GET, HEAD, POST')
  plain(ctx, 405, 'use GET for a description, POST to call the method')
}

async function call(ctx: Context, method: Method, options: V0Options): Promise<void> {
  const { metrics, log, services } = options
  const started = performance.now()
  const done = (result: string): void => metrics.result(method.name, result, (performance.now() - started) / 1000)
  if (isCrossSite(ctx)) return plain(ctx, 403, 'requests of other sites are not taken')
  const auth = await authenticate(ctx, options.directory, undefined)
  if (!auth.ok) {
    done(auth.why === 'limited' ? 'ratelimited' : 'badauth')
    return refuse(ctx, auth.why)
  }
  try {
    const answer = await options.bodies.with(ctx, options.maxBody, async body => {
      const { value, files } = decodeRequest(ctx.get('Content-Type'), body)
      const request = parseRequest(method.schema, value)
      if (files.length > 0 && !method.takesFiles) throw new ApiError('protocol', `${method.name} takes no files`)
      return await method.run({ services, caller: auth.caller, request, files })
    })
    if (method.name === 'Send') metrics.submission('ok')
    done('ok')
    write(ctx, answer)
  } catch (error) {
    const known = error instanceof ApiError ? error : new ApiError('server', 'something went wrong on our side')
    if (!(error instanceof ApiError)) log.error({ err: error, method: method.name }, 'a webapi call failed')
    if (known.code === 'server') metrics.error('server')
    if (method.name === 'Send') metrics.submission(known.code)
    done(known.code)
    if (known.retryAfter !== undefined) ctx.set('Retry-After', String(known.retryAfter))
    json(ctx, 400, { Code: known.code, Message: known.message })
  }
}

function refuse(ctx: Context, why: 'none' | 'wrong' | 'limited' | 'failed'): void {
  if (why === 'limited') {
    ctx.set('Retry-After', '60')
    plain(ctx, 429, 'too many failed logins; try again later')
  } else if (why === 'failed') {
    ctx.set('Retry-After', '5')
    plain(ctx, 503, 'the login cannot be checked now; try again')
  } else {
    ctx.set('WWW-Authenticate', 'Basic realm=webapi')
    plain(ctx, 401, why === 'none' ? 'log in with HTTP Basic: an address and its password' : 'the login is not right')
  }
}

function write(ctx: Context, answer: Answer): void {
  if (answer.kind === 'json') json(ctx, 200, answer.value)
  else {
    ctx.status = 200
    ctx.set('Content-Type', answer.contentType)
    ctx.set('Content-Security-Policy', "default-src 'none'; sandbox")
    if (answer.attachment) ctx.set('Content-Disposition', 'attachment')
    ctx.body = answer.body
  }
}

function json(ctx: Context, status: number, value: object): void {
  ctx.status = status
  ctx.set('Content-Type', 'application/json; charset=utf-8')
  ctx.set('Cache-Control', 'no-store')
  ctx.body = `${JSON.stringify(value)}\n`
}

function html(ctx: Context, text: string): void {
  ctx.status = 200
  ctx.set('Content-Type', 'text/html; charset=utf-8')
  ctx.set('Content-Security-Policy', PAGE_POLICY)
  ctx.body = text
}

export function plain(ctx: Context, status: number, text: string): void {
  ctx.status = status
  ctx.set('Content-Type', 'text/plain; charset=utf-8')
  ctx.body = `${text}\n`
}
