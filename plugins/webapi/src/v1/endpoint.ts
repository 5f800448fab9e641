// One row of the table that v1 consists of: what a request may have, what it needs, what comes back. Router, checks and the
// OpenAPI description are made from the table.
import type { Context } from 'koa'
import type { z } from 'zod'
import type { Permission } from '../permissions.ts'
import type { Authenticated } from '../web/auth.ts'

export interface Call<Q, B> {
  readonly caller: Authenticated
  /** From the path. */
  readonly params: Readonly<Record<string, string>>
  readonly query: Q
  readonly body: B
  /** SHA-256 of the body's bytes, hexadecimal. */
  readonly fingerprint: () => string
  readonly ctx: Context
}

export interface Reply {
  /** Default: the endpoint's. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** A value for JSON; undefined for none, or when the response was written already. */
  readonly body?: object
  readonly written?: true
}

export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Below "v1": "/messages/:id". */
  readonly path: string
  /** Name in the OpenAPI description and in metrics. */
  readonly name: string
  readonly summary: string
  readonly permission: Permission
  readonly query: z.ZodType | undefined
  readonly body: z.ZodType | undefined
  readonly status: number
  /** Undefined for 204. */
  readonly response: z.ZodType | undefined
  readonly idempotent: boolean
  run(call: Call<never, never>): Promise<Reply>
}

interface Spec<Q extends z.ZodType | undefined, B extends z.ZodType | undefined> {
  readonly summary: string
  readonly permission: Permission
  readonly query?: Q
  readonly body?: B
  readonly status?: number
  readonly response?: z.ZodType
  /** Takes an Idempotency-Key. */
  readonly idempotent?: true
  run(
    call: Call<Q extends z.ZodType ? z.output<Q> : undefined, B extends z.ZodType ? z.output<B> : undefined>,
  ): Promise<Reply>
}

/** `route`: "POST /messages". */
export function endpoint<Q extends z.ZodType | undefined = undefined, B extends z.ZodType | undefined = undefined>(
  route: `${Endpoint['method']} /${string}`,
  name: string,
  spec: Spec<Q, B>,
): Endpoint {
  const [method = 'GET', path = ''] = route.split(' ') as [Endpoint['method'], string]
  const { summary, permission, query, body, response, status = 200, run, idempotent = false } = spec
  return {
    ...{ method, path, name, summary, permission, query, body, status, response, idempotent },
    run: run as unknown as Endpoint['run'],
  }
}
