// Options of the webapi plugin.
import { z } from 'zod'
import { MAX_MESSAGE_SIZE, MAX_STREAM } from './limits.ts'

const stream = z.strictObject({
  messagesPerDay: z.int().min(1).describe('Recipients in 24 hours, of each account'),
})

export const options = z.strictObject({
  path: z
    .string()
    .regex(/^\/([a-z0-9-]+\/)+$/, { error: 'must be like "/webapi/"' })
    .default('/webapi/')
    .describe('Where it is on the listeners of the http plugin'),
  audience: z
    .enum(['public', 'internal'], { error: 'must be "public" or "internal"' })
    .default('public')
    .describe('Listeners that serve it; the unsubscribe pages are always public'),
  url: z
    .url({ protocol: /^https?$/, error: 'must be like "https://mail.example.org/webapi/"' })
    .refine(text => text.endsWith('/'), { error: 'must end in "/"' })
    .optional()
    .describe('The same from outside, for unsubscribe links; default: https, our host name, and `path`'),
  maxMessageSize: z.int().min(1).default(MAX_MESSAGE_SIZE).describe('Octets of a composed message'),
  streams: z
    .record(
      z.string().regex(new RegExp(`^[a-z0-9-]{1,${MAX_STREAM}}$`), { error: 'lower-case letters, digits, dashes' }),
      stream,
    )
    .default({})
    .describe('Limits of message streams by name; other streams have only those of the account'),
  keepDays: z.int().min(2).max(3650).default(30).describe('How long `GET v1/messages` lists what was sent'),
})

export type Options = z.output<typeof options>
