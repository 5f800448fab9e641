// Every request below the webmail's prefix: the page and its files, calls, and the routes of the parts. Nothing but the page,
// the login and links that were given out is answered without a session. What a handler throws is told if it is a refusal; else it is logged with an id.
import { type Log, MailboxError, MailError, type Random } from '@mox/plugin-sdk'
import type { Context, Middleware } from 'koa'
import type { z } from 'zod'
import { CALL_BYTES, type CallName, type Calls, calls, type ErrorCode } from '../api/calls.ts'
import { BodyBudget, parseJson } from './body.ts'
import { CallError, type Caller } from './call.ts'
import { sendJson } from './compress.ts'
import type { Guard } from './guard.ts'
import { FORM_BYTES, LOGIN_BYTES } from './limits.ts'
import type { LoginCalls } from './login.ts'
import type { WebmailMetrics } from './metrics.ts'
import type { Page } from './page.ts'
import type { Part, Route } from './part.ts'

const STATUS: Readonly<Record<ErrorCode, number>> = {
  ...{ noAuth: 401, badAuth: 401, loginFailed: 401, badRequest: 400, refused: 422, notFound: 404 },
  ...{ conflict: 409, sent: 409, tooLarge: 413, tooMany: 429, server: 500, connection: 500 },
}
/** Seconds after which to try again when there was too much. */
const RETRY_AFTER = '60'
/** Bytes of a body where the route names no other limit. */
const ROUTE_BYTES: number = 1024 * 1024
/** Problems of a body that are told. */
const MAX_ISSUES = 5

type Handler = (params: never, caller: Caller, signal: AbortSignal) => Promise<unknown>

interface Deps {
  readonly path: string
  readonly parts: readonly Part[]
  readonly page: Page
  readonly guard: Guard
  readonly login: LoginCalls
  readonly metrics: WebmailMetrics
  readonly log: Log
  readonly random: Random
}

export function makeRouter(deps: Deps): Middleware {
  const { path, guard, page, log, random, metrics } = deps
  const bodies = new BodyBudget()
  const handlers = new Map<string, Handler>()
  const routes: Route[] = []
  for (const part of deps.parts) {
    for (const [name, handler] of Object.entries(part.calls ?? {})) {
      if (handlers.has(name)) throw new Error(`two parts of the webmail answer the call ${name}`)
      handlers.set(name, handler as Handler)
    }
    routes.push(...(part.routes ?? []))
  }

  /** What a call answers; undefined for a name that nobody has. */
  const answer = async (ctx: Context, name: CallName): Promise<unknown> => {
    if (name === 'loginPrepare' || name === 'login' || name === 'loginCode' || name === 'loginPasskey')
      return await bodies.with(ctx, LOGIN_BYTES, async body => {
        if (name === 'login') return await deps.login.login(ctx, paramsOf(name, body))
        if (name === 'loginCode') return await deps.login.code(ctx, paramsOf(name, body))
        if (name === 'loginPasskey') return await deps.login.passkey(ctx, paramsOf(name, body))
        paramsOf(name, body)
        return deps.login.prepare(ctx)
      })
    const caller = await guard.caller(ctx, ctx.get('x-mox-csrf'))
    const handler = handlers.get(name)
    if (handler === undefined) throw new CallError('notFound', `there is no call ${name}`)
    return await bodies.with(ctx, CALL_BYTES, async body => {
      const answered = await handler(paramsOf(name, body) as never, caller, goneSignal(ctx))
      const result = calls[name].result.parse(answered)
      if (name === 'logout') deps.login.loggedOut(ctx, caller.sessionId)
      return result
    })
  }

  const serveCall = async (ctx: Context, name: string): Promise<void> => {
    if (ctx.method !== 'POST') return refuseMethod(ctx, 'POST')
    // Keeps forms of other sites out before anything else does.
    if (!ctx.is('json')) throw new CallError('badRequest', 'send JSON, with Content-Type: application/json')
    if (!isCall(name)) throw new CallError('notFound', 'there is no such call')
    const began = performance.now()
    let result = 'server'
    try {
      await sendJson(ctx, await answer(ctx, name))
      result = 'ok'
    } catch (error) {
      result = refusalOf(error)?.code ?? 'server'
      throw error
    } finally {
      metrics.call(name, result, (performance.now() - began) / 1_000)
    }
  }

  const links = deps.parts.flatMap(part => part.links ?? [])

  const serveRoute = async (ctx: Context, rest: string): Promise<void> => {
    for (const { path, handle } of links) {
      const match = path.exec(rest)
      if (match === null) continue
      if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return refuseMethod(ctx, 'GET')
      return await handle(ctx, match)
    }
    const found = routes.flatMap(route => {
      const match = route.path.exec(rest)
      return match === null ? [] : [{ route, match }]
    })
    if (found.length === 0) throw new CallError('notFound', 'there is nothing here')
    const method = ctx.method === 'HEAD' ? 'GET' : ctx.method
    const chosen = found.find(({ route }) => route.method === method)
    if (chosen === undefined) return refuseMethod(ctx, found.map(({ route }) => route.method).join(', '))
    const { route, match } = chosen
    const limit = route.maxBody ?? ROUTE_BYTES
    if ((ctx.request.length ?? 0) > limit)
      throw new CallError('tooLarge', `more than ${limit} bytes are not possible here`)
    if (route.auth === 'cookie') return await route.handle(ctx, await guard.callers(ctx), match)
    if (route.auth === 'header') return await route.handle(ctx, await guard.caller(ctx, ctx.get('x-mox-csrf')), match)
    const form = await bodies.with(ctx, FORM_BYTES, async body => new URLSearchParams(body.toString()))
    ctx.state['form'] = form
    await route.handle(ctx, await guard.caller(ctx, form.get('csrf') ?? ''), match)
  }

  return async ctx => {
    const rest = ctx.path.slice(path.length)
    try {
      if (rest.startsWith('api/')) await serveCall(ctx as Context, rest.slice('api/'.length))
      else if (!(await page.serve(ctx as Context, rest))) await serveRoute(ctx as Context, rest)
    } catch (error) {
      if (ctx.headerSent || ctx.res.destroyed) throw error
      const refusal = refusalOf(error)
      const id = refusal === undefined ? random.id() : ''
      if (refusal === undefined)
        log.error({ err: error, id, method: ctx.method, path: rest.slice(0, 200) }, 'request failed')
      const { code, message } = refusal ?? new CallError('server', `internal error, id ${id}`)
      ctx.status = STATUS[code]
      if (code === 'tooMany') ctx.set('Retry-After', RETRY_AFTER)
      // What is left of the body is not read.
      if (!ctx.req.complete) ctx.set('Connection', 'close')
      ctx.set('Content-Security-Policy', "default-src 'none'; sandbox")
      await sendJson(ctx as Context, { error: { code, message } })
    }
  }
}

function paramsOf<N extends CallName>(name: N, body: Buffer): z.output<Calls[N]['params']> {
  const params = calls[name].params.safeParse(parseJson(body.toString()))
  if (params.success) return params.data as z.output<Calls[N]['params']>
  throw new CallError('badRequest', problems(params.error))
}

function isCall(name: string): name is CallName {
  return Object.hasOwn(calls, name)
}

/** What the caller is told of an error; undefined for what is our fault. */
function refusalOf(error: unknown): CallError | undefined {
  if (error instanceof CallError) return error
  if (error instanceof MailboxError)
    return new CallError(error.problem === 'missing' ? 'notFound' : 'refused', error.reply.text)
  if (error instanceof MailError) return new CallError('refused', error.reply.text)
  return undefined
}

function problems(error: {
  readonly issues: readonly { readonly path: PropertyKey[]; readonly message: string }[]
}): string {
  return error.issues
    .slice(0, MAX_ISSUES)
    .map(({ path, message }) => `${path.map(String).join('.') || 'request'}: ${message}`)
    .join('; ')
}

function refuseMethod(ctx: Context, allowed: string): void {
  ctx.status = 405
  ctx.set('Allow', allowed)
  ctx.type = 'text/plain; charset=utf-8'
  ctx.body = `use ${allowed}\n`
}

/** Aborts when the browser goes away before it was answered. */
function goneSignal(ctx: Context): AbortSignal {
  const gone = new AbortController()
  ctx.res.once('close', () => {
    if (!ctx.res.writableFinished) gone.abort(new Error('the browser went away'))
  })
  return gone.signal
}
