// Options of the webhooks plugin. A mistake stops the start with a text that names the option and what it may be.
import type { EventKind } from '@mox/plugin-sdk'
import { parseNetwork } from '@mox/plugin-sdk/io'
import { z } from 'zod'
import { parseSecret, SECRETS } from './secret.ts'

export const OUTGOING_KINDS = [
  ...(['delivered', 'delayed', 'failed', 'suppressed', 'canceled', 'relayed', 'expanded'] as const),
  ...(['complained', 'unsubscribed', 'unrecognized'] as const),
] satisfies readonly EventKind[]
export const ALL_KINDS = [...OUTGOING_KINDS, 'incoming'] as const

/** Calls to one endpoint at a time. */
export const ENDPOINT_CONCURRENCY_MOST = 100
const URL_LENGTH = 2_000
const ATTEMPTS_MOST = 100

/** What is wrong with the URL of an endpoint; undefined when nothing is. */
export function urlProblem(text: string): string | undefined {
  if (text.length > URL_LENGTH) return `has more than ${URL_LENGTH} characters`
  if (!URL.canParse(text)) return 'is no URL; write https://host/path'
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must start with https:// or http://'
  return url.username !== '' || url.password !== '' ? 'has a password in it; use authorization instead' : undefined
}

export const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/
/** A header field's value: printable, no line end. */
export const AUTHORIZATION = /^[\x21-\x7e](?:[\x20-\x7e]{0,998}[\x21-\x7e])?$/

const url = z.string().superRefine((text, context) => {
  const problem = urlProblem(text)
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
})
const secret = z
  .string()
  .refine(
    text => parseSecret(text) !== undefined || NAME.test(text),
    'must be "whsec_" and the base64 of 24 to 64 bytes, or the name of a secret that has that',
  )
const endpoint = {
  url: url.describe('http or https; its address must be public or in allowNetworks'),
  authorization: z
    .string()
    .regex(AUTHORIZATION, 'must be one line of printable ASCII')
    .optional()
    .describe('Value of the Authorization field'),
  secret: z
    .union([secret, z.array(secret).min(1).max(SECRETS)])
    .optional()
    .describe('Signs calls: "whsec_…" or the name of a secret that has that; two while one is replaced'),
  concurrency: z
    .int()
    .min(1)
    .max(ENDPOINT_CONCURRENCY_MOST)
    .default(1)
    .describe('Calls under way at a time; more than 1 gives up the order of events'),
}

const outgoing = z.strictObject({
  ...endpoint,
  events: z.array(z.enum(OUTGOING_KINDS)).default([]).describe('Kinds of events; none means all'),
})
const incoming = z.strictObject(endpoint)
const further = z.strictObject({
  name: z
    .string()
    .regex(NAME, 'must be lower-case letters, digits and dashes')
    .refine(
      name => name !== 'outgoing' && name !== 'incoming',
      'is taken: choose another name than outgoing and incoming',
    ),
  ...endpoint,
  events: z.array(z.enum(ALL_KINDS)).default([]).describe('Kinds of events; none means all, incoming too'),
})

const keepDays = z.number().min(0).max(3650)

const account = z.strictObject({
  outgoing: outgoing.optional().describe('Where outcomes of sent mail are posted'),
  incoming: incoming.optional().describe('Where mail that came in is posted'),
  endpoints: z
    .array(further)
    .max(100)
    .refine(list => new Set(list.map(({ name }) => name)).size === list.length, 'names must differ')
    .default([])
    .describe('Further endpoints, by name'),
  keepDays: keepDays
    .optional()
    .describe('Days that calls that are over are kept; default: as `keepDays` of the plugin'),
})

export const options = z
  .strictObject({
    accounts: z.record(z.string().min(1), account).default({}).describe('Endpoints by account'),
    retrySchedule: z
      .array(z.number().min(1).max(604_800))
      .min(1)
      .max(ATTEMPTS_MOST)
      .default([60, 120, 240, 450, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 57_600, 57_600, 57_600])
      .describe('Seconds to wait after attempt 1, 2, … fails; as many attempts as entries plus one'),
    keepDays: keepDays.default(7).describe('Days that calls that are over are kept'),
    allowNetworks: z
      .array(z.string().refine(text => parseNetwork(text) !== undefined, 'must be like 10.0.0.0/8 or fd00::/8'))
      .max(1_000)
      .default([])
      .describe('Networks that may be posted to although they are not public, such as 127.0.0.0/8'),
    concurrency: z.int().min(1).max(10_000).default(100).describe('Calls under way at a time in all'),
  })
  .prefault({})

export type Options = z.output<typeof options>
export type EndpointOptions = z.output<typeof further>
