// Errors of v1: problem details (RFC 9457) with a code, and the places in the request that are wrong.
import type { z } from 'zod'
import { ApiError, type ErrorCode } from '../send/error.ts'
import type * as schemas from './schemas.ts'

export type ProblemDetails = z.output<typeof schemas.problem>

/** Codes that v1 has beside those of the sender. */
export type ProblemCode =
  | ErrorCode
  | 'unauthorized'
  | 'forbidden'
  | 'notFound'
  | 'methodNotAllowed'
  | 'conflict'
  | 'notEnabled'
  | 'tooManyRequests'
  | 'mediaType'

const STATUS: Readonly<Record<ProblemCode, number>> = {
  protocol: 400,
  unauthorized: 401,
  forbidden: 403,
  badFrom: 403,
  domainDisabled: 403,
  notFound: 404,
  messageNotFound: 404,
  partNotFound: 404,
  methodNotAllowed: 405,
  conflict: 409,
  messageTooLarge: 413,
  mediaType: 415,
  user: 422,
  error: 422,
  badAddress: 422,
  missingBody: 422,
  multipleFrom: 422,
  noRecipients: 422,
  malformedMessageID: 422,
  messageLimitReached: 429,
  recipientLimitReached: 429,
  tooManyRequests: 429,
  server: 500,
  notEnabled: 501,
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'The request cannot be read',
  401: 'Login required',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Not possible',
  409: 'Conflict',
  413: 'Too large',
  415: 'Unknown content type',
  422: 'The request cannot be carried out',
  429: 'Too many requests',
  500: 'Failed on our side',
  501: 'Not enabled here',
  503: 'Try again later',
}

export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: ProblemCode
  readonly status: number
  readonly errors: ProblemDetails['errors']
  /** Seconds. */
  readonly retryAfter: number | undefined

  constructor(
    code: ProblemCode,
    detail: string,
    more: { errors?: ProblemDetails['errors']; retryAfter?: number } = {},
  ) {
    super(detail)
    this.code = code
    this.errors = more.errors
    this.retryAfter = more.retryAfter
    // A failure that will pass is not a defect.
    this.status = code === 'server' && more.retryAfter !== undefined ? 503 : STATUS[code]
  }

  get details(): ProblemDetails {
    const { status, code, message: detail, errors } = this
    return {
      type: 'about:blank',
      title: TITLES[status] ?? '',
      status,
      code,
      detail,
      ...(errors === undefined ? {} : { errors }),
    }
  }
}

/** Undefined for what nobody expected. */
export function problemOf(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error
  if (!(error instanceof ApiError)) return undefined
  const { code, message, path, retryAfter } = error
  return new Problem(code, message, {
    ...(path === undefined ? {} : { errors: [{ path: path.join('.'), message }] }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  })
}

/** Checks what a caller sent; every mistake with its place. */
export function checked<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const errors = result.error.issues.slice(0, 20).map(issue => ({ path: issue.path.join('.'), message: issue.message }))
  const [first] = errors
  throw new Problem(
    'protocol',
    first === undefined ? 'not understood' : `${first.path || 'request'}: ${first.message}`,
    { errors },
  )
}

export function notEnabled(what: string, plugin: string): Problem {
  return new Problem('notEnabled', `${what} are not enabled here; the operator can add ${plugin} to plugins`)
}
