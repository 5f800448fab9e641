// Requests of v0. Missing and null fields are zero values, names of fields are taken in any case, unknown ones are refused.
import { z } from 'zod'
import { ApiError } from '../send/error.ts'

const str = z
  .string()
  .nullish()
  .transform(value => value ?? '')
const bool = z
  .boolean()
  .nullish()
  .transform(value => value ?? false)
const int = z
  .int()
  .nullish()
  .transform(value => value ?? 0)
const time = z.iso
  .datetime({ offset: true })
  .nullish()
  .transform(value => (typeof value === 'string' ? Date.parse(value) : undefined))
const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform(value => value ?? [])

const nameAddress = z.strictObject({ Name: str, Address: str })
const file = z.strictObject({ Name: str, ContentType: str, ContentID: str, Data: str })

export const send = z.strictObject({
  From: list(nameAddress),
  To: list(nameAddress),
  CC: list(nameAddress),
  BCC: list(nameAddress),
  ReplyTo: list(nameAddress),
  MessageID: str,
  References: list(z.string()),
  Date: time,
  Subject: str,
  Text: str,
  HTML: str,
  Extra: z
    .record(z.string(), z.string())
    .nullish()
    .transform(value => value ?? {}),
  Headers: list(z.tuple([z.string(), z.string()])),
  AlternativeFiles: list(file),
  InlineFiles: list(file),
  AttachedFiles: list(file),
  RequireTLS: z
    .boolean()
    .nullish()
    .transform(value => value ?? undefined),
  FutureRelease: time,
  SaveSent: bool,
  Stream: str,
  Unsubscribe: z
    .strictObject({})
    .nullish()
    .transform(value => typeof value === 'object' && value !== null),
})

export const empty = z.strictObject({})
export const suppressionAdd = z.strictObject({ EmailAddress: str, Manual: bool, Reason: str })
export const suppressionAddress = z.strictObject({ EmailAddress: str })
export const message = z.strictObject({ MsgID: int })
export const messagePart = z.strictObject({ MsgID: int, PartPath: list(z.int().min(0)) })
export const messageFlags = z.strictObject({ MsgID: int, Flags: list(z.string()) })
export const messageMove = z.strictObject({ MsgID: int, DestMailboxName: str })

/** Checks a request. Throws `protocol` with the place of the first mistake. */
export function parseRequest<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(foldKeys(schema, value))
  if (result.success) return result.data
  const [issue] = result.error.issues
  const path = (issue?.path ?? []).map(part => (typeof part === 'number' ? part : String(part)))
  const place = path.length === 0 ? 'request' : path.join('.')
  throw new ApiError('protocol', `${place}: ${issue?.message ?? 'not understood'}`, { path })
}

/** Gives fields the spelling that the schema has. */
function foldKeys(schema: z.ZodType, value: unknown): unknown {
  const inner = unwrap(schema)
  if (inner instanceof z.ZodArray && Array.isArray(value))
    return value.map(item => foldKeys(inner.element as z.ZodType, item))
  if (!(inner instanceof z.ZodObject) || typeof value !== 'object' || value === null || Array.isArray(value))
    return value
  const shape = inner.shape as Readonly<Record<string, z.ZodType>>
  const names = new Map(Object.keys(shape).map(name => [name.toLowerCase(), name]))
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => {
      const name = names.get(key.toLowerCase())
      const known = name === undefined ? undefined : shape[name]
      return name === undefined || known === undefined ? [key, field] : [name, foldKeys(known, field)]
    }),
  )
}

function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodPipe) return unwrap(schema.in as z.ZodType)
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return unwrap(schema.unwrap() as z.ZodType)
  return schema
}
