// Request bodies: read into memory after the login, with a bound for each and one for all of them together, and JSON that
// cannot be deep or change prototypes.
import type { Context } from 'koa'
import { MAX_BODIES, MAX_JSON_DEPTH } from '../limits.ts'
import { ApiError } from '../send/error.ts'

/** Seconds to wait when there is no room. */
const RETRY = 5

/** Octets of bodies that are in memory. */
export class BodyBudget {
  readonly #most: number
  #used = 0

  constructor(most: number = MAX_BODIES) {
    this.#most = most
  }

  /** Reads the body, gives it to `work` and counts it until that ends. */
  async with<T>(ctx: Context, limit: number, work: (body: Buffer) => Promise<T>): Promise<T> {
    const size = ctx.request.length ?? 0
    if (size > limit) throw new ApiError('messageTooLarge', `the request body has more than ${limit} bytes`)
    if (this.#used + size > this.#most)
      throw new ApiError('server', 'too many large requests at the same time', { retryAfter: RETRY })
    this.#used += size
    try {
      return await work(await read(ctx))
    } finally {
      this.#used -= size
    }
  }
}

/** Node reads no more than Content-Length says. */
async function read(ctx: Context): Promise<Buffer> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of ctx.req as AsyncIterable<Buffer>) chunks.push(chunk)
  } catch (cause) {
    throw new ApiError('protocol', 'the connection ended before the request did', { cause })
  }
  const [only] = chunks
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks)
}

/** Parses JSON. Throws `protocol` for what is no JSON, is nested too deeply, or has a key "__proto__". */
export function parseJson(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new ApiError('protocol', 'the request is not valid JSON', { cause })
  }
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth >= MAX_JSON_DEPTH) throw new ApiError('protocol', `the JSON has more than ${MAX_JSON_DEPTH} levels`)
    const next: unknown[] = []
    for (const container of level) {
      if (typeof container !== 'object' || container === null) continue
      if (Object.hasOwn(container, '__proto__')) throw new ApiError('protocol', 'the key "__proto__" is not allowed')
      for (const inner of Object.values(container)) if (typeof inner === 'object' && inner !== null) next.push(inner)
    }
    level = next
  }
  return value
}
