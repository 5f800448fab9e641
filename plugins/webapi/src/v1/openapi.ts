// The OpenAPI 3.1 description, made from the table of endpoints and their schemas: it cannot say anything else than what is
// checked.
import { z } from 'zod'
import type { Endpoint } from './endpoint.ts'
import * as schemas from './schemas.ts'

/** `server`: URL that the paths are below. */
export function openApi(endpoints: readonly Endpoint[], server: string, version: string): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const endpoint of endpoints) {
    const path = endpoint.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: operation(endpoint) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'mox web API', version, description: 'Sending mail over HTTP, and reading what became of it.' },
    servers: [{ url: server }],
    security: [{ apiKey: [] }, { login: [] }],
    paths,
    components: {
      schemas: { Problem: jsonSchema(schemas.problem, 'output') },
      securitySchemes: {
        apiKey: { type: 'http', scheme: 'bearer', description: 'An API key, made with `mox webapi key add`' },
        login: { type: 'http', scheme: 'basic', description: 'A login address of an account and its password' },
      },
    },
  }
}

function operation({ name, summary, path, query, body, status, response, permission, idempotent }: Endpoint): object {
  const parameters = [
    ...Array.from(path.matchAll(/:(\w+)/g), ([, key]) => ({
      in: 'path',
      name: key,
      required: true,
      schema: { type: 'string' },
    })),
    ...queryParameters(query),
    ...(idempotent ? [{ in: 'header', name: 'Idempotency-Key', schema: { type: 'string' } }] : []),
  ]
  return {
    ...{ operationId: name, summary, description: `Needs the permission \`${permission}\`.`, parameters },
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(body, 'input') } } } }),
    responses: {
      [status]: {
        description: 'Done',
        ...(response === undefined
          ? {}
          : { content: { 'application/json': { schema: jsonSchema(response, 'output') } } }),
      },
      default: {
        description: 'Not done',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  }
}

function queryParameters(query: z.ZodType | undefined): object[] {
  if (query === undefined) return []
  const { properties = {} } = jsonSchema(query, 'output') as { properties?: Record<string, { description?: string }> }
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    ...{ in: 'query', name, schema },
    ...(description === undefined ? {} : { description }),
  }))
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, target: 'draft-2020-12' })
  return rest
}
