// Calls of the API from the page. Parameters are checked before they are sent, results when they come. A call that finds no
// valid session waits for a login, which all waiting calls share, and is tried again.
import { type CallName, calls, type ErrorCode, errorBody, type Params, type Result } from '../../src/api/calls.ts'
import { csrfToken } from './accounts.ts'

/** Milliseconds in which a call must be answered. */
const CALL_MS = 60_000

/** A call was not done; `message` is for the user. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** Asks the user to log in and resolves when that is done; set by the login dialog. `reason` says why. */
let login: (reason: string) => Promise<void> = () => Promise.reject(new ApiError('noAuth', 'not logged in'))
let loggingIn: Promise<void> | undefined

export function onLoginNeeded(ask: (reason: string) => Promise<void>): void {
  login = ask
}

/** Runs before somebody is asked to log in. */
let loginAsked: () => Promise<void> = async () => undefined

export function onLoginAsked(work: () => Promise<void>): void {
  loginAsked = work
}

/**
 * One login for all that wait for it. `token`: the CSRF token that the refused request had; when there was a login since, here
 * or in another window, nobody is asked again.
 */
export async function requireLogin(reason: string, token: string): Promise<void> {
  if (loggingIn === undefined && token !== '' && csrfToken() !== token && csrfToken() !== '') return
  loggingIn ??= loginAsked()
    .then(() => login(reason))
    .finally(() => {
      loggingIn = undefined
    })
  await loggingIn
}

/** `keepalive`: the request outlives the page; its body may have 64 KiB. */
export async function call<N extends CallName>(
  name: N,
  params: Params<N>,
  signal?: AbortSignal,
  keepalive = false,
): Promise<Result<N>> {
  const { params: schema, result } = calls[name]
  const body = JSON.stringify(schema.parse(params))
  for (;;) {
    const token = csrfToken()
    const headers = { 'Content-Type': 'application/json' }
    const response = await send(`api/${name}`, { method: 'POST', body, keepalive, headers }, signal, CALL_MS)
    if (response.ok) return result.parse(await response.json()) as Result<N>
    const error = await errorOf(response)
    if (name === 'login' || (error.code !== 'noAuth' && error.code !== 'badAuth')) throw error
    await requireLogin(error.code === 'badAuth' ? error.message : '', token)
  }
}

/** A call for another account that this browser is logged in to; nobody is asked to log in. */
export async function callAs<N extends CallName>(csrf: string, name: N, params: Params<N>): Promise<Result<N>> {
  const { params: schema, result } = calls[name]
  const headers = { 'Content-Type': 'application/json', 'x-mox-csrf': csrf }
  const response = await send(`api/${name}`, { method: 'POST', body: JSON.stringify(schema.parse(params)), headers })
  if (!response.ok) throw await errorOf(response)
  return result.parse(await response.json()) as Result<N>
}

/**
 * A request with the CSRF token, that of this window's account unless it has one; without an answer, or none within `ms`, it is a
 * `connection` error.
 */
export async function send(path: string, init: RequestInit, signal?: AbortSignal, ms?: number): Promise<Response> {
  const headers = new Headers(init.headers)
  if (!headers.has('x-mox-csrf')) headers.set('x-mox-csrf', csrfToken())
  const end = new AbortController()
  const abort = (): void => end.abort(signal?.reason)
  if (signal?.aborted === true) abort()
  signal?.addEventListener('abort', abort, { once: true })
  const timer = ms === undefined ? undefined : setTimeout(() => end.abort(), ms)
  try {
    return await fetch(path, { ...init, headers, signal: end.signal })
  } catch (error) {
    if (signal?.aborted === true) throw error
    throw new ApiError('connection', 'the server cannot be reached; check the connection and try again')
  } finally {
    clearTimeout(timer)
  }
}

export async function errorOf(response: Response): Promise<ApiError> {
  const parsed = errorBody.safeParse(await response.json().catch(() => undefined))
  return parsed.success
    ? new ApiError(parsed.data.error.code, parsed.data.error.message)
    : new ApiError('server', `the server answered ${response.status} ${response.statusText}`)
}
