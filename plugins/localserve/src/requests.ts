// What requests of the page and of tests say, checked: a body is JSON of a bounded size, a query has known names. What is
// wrong is answered with 4xx and a text that says what to do.
import { MailError, UsageError } from '@mox/plugin-sdk'
import type { Context } from 'koa'
import type { z } from 'zod'

/** Bytes of a JSON body. */
export const JSON_BYTES = 65_536

/** Told to the client as it is. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly expose = true
  readonly status: number

  constructor(status: number, text: string) {
    super(text)
    this.status = status
  }
}

export async function readJson(ctx: Context): Promise<unknown> {
  if (!ctx.is('json')) throw new RequestError(415, 'send JSON, with Content-Type: application/json')
  try {
    return JSON.parse((await readBody(ctx, JSON_BYTES)).toString())
  } catch (error) {
    if (error instanceof RequestError) throw error
    throw new RequestError(400, 'the body is not JSON')
  }
}

export async function readBody(ctx: Context, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of ctx.req as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > limit) throw new RequestError(413, `the body has more than ${limit} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

export function parse<S extends z.ZodType>(schema: S, given: unknown): z.output<S> {
  const result = schema.safeParse(given)
  if (result.success) return result.data
  throw new RequestError(400, problemsOf(result.error).join('; '))
}

/** One text for each problem: where, and what. */
export function problemsOf(error: z.core.$ZodError): string[] {
  return error.issues.map(({ path, message }) => `${path.join('.') || 'request'}: ${message}`)
}

/** A form of another site cannot set this header. */
export function checkOwnPage(ctx: Context): void {
  if (ctx.get('X-Mox-Request') !== '1') throw new RequestError(403, 'send the header X-Mox-Request: 1')
}

/** What the user got wrong, and what the server refuses, is told to the client. */
export async function usable(work: () => Promise<void> | void): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (error instanceof UsageError) throw new RequestError(400, error.message)
    if (error instanceof MailError) throw new RequestError(422, error.message)
    throw error
  }
}
