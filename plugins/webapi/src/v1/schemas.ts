// Every shape of v1, both directions: from these come the checks of requests, the types of the client, and the OpenAPI
// description. Times are RFC 3339, lists are never null, unknown fields of a request are refused.
import { z } from 'zod'
import { MAX_BATCH, MAX_PAGE, MAX_VARIABLE, MAX_WAIT } from '../limits.ts'

const time = z.iso.datetime({ offset: true })
const id = z.int().min(0)
const day = z.iso.date()

export const EVENT_KINDS = [
  ...['delivered', 'delayed', 'failed', 'suppressed', 'canceled', 'relayed', 'expanded', 'complained'],
  ...['unsubscribed', 'unrecognized', 'incoming'],
] as const as readonly [
  ...['delivered', 'delayed', 'failed', 'suppressed', 'canceled', 'relayed', 'expanded', 'complained'],
  ...['unsubscribed', 'unrecognized', 'incoming'],
]

export const address = z
  .union([z.string(), z.strictObject({ name: z.string().optional(), address: z.string() })])
  .describe('"ann@example.org", or with a display name')

const header = z.strictObject({ name: z.string(), value: z.string() })

export const attachment = z.strictObject({
  filename: z.string().optional(),
  contentType: z.string().optional().describe('Guessed from content and name when absent'),
  content: z.string().describe('Base64'),
  disposition: z.enum(['attachment', 'inline']).optional(),
  contentId: z.string().optional().describe('For "cid:" links in the HTML'),
})

const common = {
  from: address.optional().describe("Default: the account's own address"),
  replyTo: z.array(address).optional(),
  subject: z.string().optional(),
  text: z.string().optional(),
  html: z.string().optional(),
  references: z.array(z.string()).optional().describe('Message-IDs; the last one is In-Reply-To'),
  date: time.optional(),
  headers: z.array(header).optional(),
  attachments: z.array(attachment).optional(),
  extra: z.record(z.string(), z.string()).optional().describe('Comes back in events'),
  stream: z.string().optional().describe('Has suppression, limits and statistics of its own'),
  sendAt: time.optional().describe('Not before this time, at most 60 days ahead'),
  requireTls: z.boolean().optional().describe('true: REQUIRETLS; false: deliver even without TLS'),
  saveSent: z.boolean().optional().describe('Keep a copy in the mailbox for sent mail'),
  unsubscribe: z.boolean().optional().describe('Add one-click unsubscription (RFC 8058); one recipient only'),
}

export const sendRequest = z.strictObject({
  to: z.array(address).optional(),
  cc: z.array(address).optional(),
  bcc: z.array(address).optional(),
  messageId: z.string().optional().describe('With angle brackets; made when absent'),
  ...common,
})

export const batchRequest = z.strictObject({
  message: z.strictObject(common).describe('What all have in common; {{name}} in subject, text and html is replaced'),
  messages: z
    .array(
      z.strictObject({
        to: z.array(address).min(1),
        variables: z.record(z.string(), z.union([z.string().max(MAX_VARIABLE), z.number()])).optional(),
        extra: z.record(z.string(), z.string()).optional().describe('Added to that of `message`'),
      }),
    )
    .min(1)
    .max(MAX_BATCH),
})

export const sentRecipient = z.object({
  address: z.string(),
  queueId: id.describe('0 with a test key'),
  fromId: z.string(),
  suppressed: z.boolean().describe('On a suppression list: it will not be tried'),
})

export const sendResponse = z.object({
  id: id.describe('0 with a test key'),
  messageId: z.string(),
  recipients: z.array(sentRecipient),
  warnings: z.array(z.string()).describe('What did not work although the message was queued'),
  test: z.boolean(),
})

export const problem = z.object({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
})

export const batchResponse = z.object({
  accepted: z.int(),
  rejected: z.int(),
  results: z.array(
    z.discriminatedUnion('status', [
      z.object({ status: z.literal('accepted'), message: sendResponse }),
      z.object({ status: z.literal('rejected'), error: problem }),
    ]),
  ),
})

const text = z.coerce.string().max(300).optional()
const cursor = z.coerce.number().int().min(0).optional()
const limit = z.coerce.number().int().min(1).max(MAX_PAGE).optional().describe('Default 100')

export const messagesQuery = z.strictObject({
  stream: text,
  to: text.describe('Part of a recipient address'),
  subject: text.describe('Part of the subject'),
  messageId: text.describe('The whole Message-ID'),
  since: time.optional(),
  until: time.optional(),
  before: cursor.describe('`next` of the page before'),
  limit,
})

export const messageSummary = z.object({
  id,
  messageId: z.string(),
  sentAt: time,
  from: z.string(),
  to: z.array(z.string()),
  subject: z.string(),
  stream: z.string(),
  recipients: z.int(),
})
export const messagesResponse = z.object({ messages: z.array(messageSummary), next: id.nullable() })

export const attempt = z.object({
  number: z.int(),
  startedAt: time,
  endedAt: time.nullable(),
  outcome: z.enum(['running', 'delivered', 'temporary', 'permanent']),
  code: z.int(),
  enhanced: z.string(),
  text: z.string(),
  remoteHost: z.string(),
})

export const messageRecipient = z.object({
  queueId: id,
  address: z.string(),
  status: z.enum(['queued', 'scheduled', 'held', 'delivered', 'failed', 'suppressed', 'cancelled']),
  nextAttempt: time.nullable(),
  lastActivity: time.nullable(),
  fromId: z.string(),
  attempts: z.array(attempt),
})

export const messageResponse = z.object({
  id,
  messageId: z.string(),
  sentAt: time,
  from: z.string(),
  subject: z.string(),
  size: z.int(),
  stream: z.string(),
  extra: z.record(z.string(), z.string()),
  recipients: z.array(messageRecipient).describe('Those still known: what has left the queue is kept for some days'),
})

const queueIds = z.array(id).min(1).max(1000).optional().describe('Only these recipients')
export const cancelRequest = z.strictObject({ queueIds })
export const rescheduleRequest = z.strictObject({ at: time.describe('At most 60 days ahead'), queueIds })
export const countResponse = z.object({ recipients: z.int() })

export const eventsQuery = z.strictObject({
  after: cursor.describe('`cursor` of the answer before; default: from the start'),
  limit,
  kinds: text.describe('Separated by commas'),
  stream: text,
  queueId: cursor,
  messageId: cursor,
  wait: z.coerce.number().int().min(0).max(MAX_WAIT).optional().describe('Seconds to wait for a first event'),
})

export const event = z.object({
  id,
  eventId: z.string().describe('Stable: the same in webhooks'),
  kind: z.enum(EVENT_KINDS),
  at: time,
  sequence: z.int(),
  queueId: id,
  messageId: id,
  messageIdHeader: z.string(),
  mailboxMessageId: id.nullable(),
  subject: z.string(),
  recipient: z.string(),
  fromId: z.string(),
  stream: z.string(),
  extra: z.record(z.string(), z.string()),
  dsn: z.boolean(),
  suppressing: z.boolean(),
  code: z.int(),
  enhanced: z.string(),
  error: z.string(),
  attempt: z.int(),
  remoteMta: z.string(),
  nextAttempt: time.nullable(),
})
export const eventsResponse = z.object({ events: z.array(event), cursor: id })

export const statisticsQuery = z.strictObject({
  since: day.optional().describe('First day, UTC; default 30 days ago'),
  until: day.optional().describe('Last day; default today'),
  stream: text,
})
export const statisticsResponse = z.object({
  days: z.array(
    z.object({
      day,
      stream: z.string(),
      messages: z.int(),
      recipients: z.int(),
      events: z.partialRecord(z.enum(EVENT_KINDS), z.int()),
    }),
  ),
})

export const suppressionsQuery = z.strictObject({ stream: text, address: text, after: cursor, limit })
export const suppressionRequest = z.strictObject({
  address: z.string().describe('"ann@example.org", or "@example.org" for a whole domain'),
  stream: z.string().optional().describe('Default: mail of all streams'),
  reason: z.string().max(1000).optional(),
  expiresAt: time.optional(),
})
export const suppression = z.object({
  id,
  address: z.string(),
  stream: z.string(),
  cause: z.enum(['manual', 'import', 'bounce', 'dsn', 'complaint', 'unsubscribe']),
  reason: z.string(),
  createdAt: time,
  expiresAt: time.nullable(),
})
export const suppressionsResponse = z.object({ suppressions: z.array(suppression), next: id.nullable() })
export const streamQuery = z.strictObject({ stream: text })
export const nothing = z.strictObject({})
