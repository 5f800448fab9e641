// Request bodies: read into memory with a bound for each and one for all together, and JSON that cannot be deep or change
// prototypes.
import type { Context } from 'koa'
import { CallError } from './call.ts'
import { MAX_BODIES, MAX_JSON_DEPTH } from './limits.ts'

/** Bytes of bodies that are in memory. */
export class BodyBudget {
  readonly #most: number
  #used = 0

  constructor(most: number = MAX_BODIES) {
    this.#most = most
  }

  /** Reads the body, gives it to `work` and counts it until that ends. */
  async with<T>(ctx: Context, limit: number, work: (body: Buffer) => Promise<T>): Promise<T> {
    const size = ctx.request.length ?? 0
    if (size > limit) throw new CallError('tooLarge', `the request has more than ${limit} bytes`)
    if (this.#used + size > this.#most) throw new CallError('tooMany', 'too many large requests at the same time')
    this.#used += size
    try {
      return await work(await read(ctx))
    } finally {
      this.#used -= size
    }
  }
}

/** Node reads no more than Content-Length says, and the http plugin wants one. */
async function read(ctx: Context): Promise<Buffer> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of ctx.req as AsyncIterable<Buffer>) chunks.push(chunk)
  } catch {
    throw new CallError('badRequest', 'the connection ended before the request did')
  }
  return Buffer.concat(chunks)
}

/** Parses JSON. Throws `badRequest` for what is no JSON, is nested too deeply, or has a key "__proto__". */
export function parseJson(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new CallError('badRequest', 'the request is not valid JSON')
  }
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth >= MAX_JSON_DEPTH) throw new CallError('badRequest', `the JSON has more than ${MAX_JSON_DEPTH} levels`)
    const next: unknown[] = []
    for (const container of level) {
      if (typeof container !== 'object' || container === null) continue
      if (Object.hasOwn(container, '__proto__')) throw new CallError('badRequest', 'the key "__proto__" is not allowed')
      for (const inner of Object.values(container)) if (typeof inner === 'object' && inner !== null) next.push(inner)
    }
    level = next
  }
  return value
}
