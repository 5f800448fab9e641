// What recipients in the queue are chosen by, as requests say it: the same names and texts in the address of a list and in the
// body of a change. All that is given must hold. A name that is not known is refused: a change without it would be a larger one.
import { parseDuration, parseTimeBound, type QueueFilter } from '@mox/plugin-sdk'
import { z } from 'zod'

/** Characters of a text to look for. */
export const QUERY_LENGTH = 320
/** Queue ids in one request. */
export const IDS_LIMIT = 1_000
/** Longest time that an attempt is moved by, milliseconds: a year. */
export const SCHEDULE_LIMIT = 31_536_000_000

const text = z.string().max(QUERY_LENGTH).optional()
const id = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, 'must be a number such as 12')
  .transform(Number)
const ids = z
  .string()
  .max(IDS_LIMIT * 16)
  .transform(list => list.split(',').map(one => one.trim()))
  .pipe(z.array(id).max(IDS_LIMIT))
const time = z
  .string()
  .max(QUERY_LENGTH)
  // Whether it is one does not depend on what time it is.
  .refine(bound => parseTimeBound(bound, 0) !== undefined, 'write a time such as "<-24h", ">1h" or "<now"')

/** The fields, for a query or a body. Strings, since a query has nothing else. */
export const FILTER_FIELDS = {
  ids: ids.optional(),
  /** Id of the message, which its recipients share. */
  message: id.optional(),
  to: text,
  from: text,
  account: text,
  messageIdHeader: text,
  envid: text,
  submitted: time.optional(),
  nextattempt: time.optional(),
  /** '' for recipients without an operator's choice. */
  transport: text,
  hold: z.enum(['true', 'false']).optional(),
} as const
export const filterSchema: z.ZodObject<typeof FILTER_FIELDS, z.core.$strict> = z.strictObject(FILTER_FIELDS)

/** A duration as text, to milliseconds; at most a year in either direction. */
export const duration: z.ZodType<number, string> = z.string().transform((given, ctx) => {
  const ms = parseDuration(given.trim())
  if (ms !== undefined && Math.abs(ms) <= SCHEDULE_LIMIT) return ms
  ctx.addIssue('write a duration of at most a year, such as 1h30m, 3d, -15m or 0')
  return z.NEVER
})

/** Empty texts choose nothing, but for the transport. */
export function filterOf(fields: z.output<typeof filterSchema>, now: number): QueueFilter {
  const { ids, message, to, from, account, messageIdHeader, envid, submitted, nextattempt, transport, hold } = fields
  return {
    ...(ids === undefined ? {} : { ids }),
    ...(message === undefined ? {} : { messageId: message }),
    ...(to ? { to: lowerDomain(to) } : {}),
    ...(from ? { from: lowerDomain(from) } : {}),
    ...(account ? { account } : {}),
    ...(messageIdHeader ? { messageIdHeader: inBrackets(messageIdHeader) } : {}),
    ...(envid ? { envid } : {}),
    ...bounds(submitted, now, 'receivedBefore', 'receivedAfter'),
    ...bounds(nextattempt, now, 'dueBefore', 'dueAfter'),
    ...(transport === undefined ? {} : { transport }),
    ...(hold === undefined ? {} : { hold: hold === 'true' }),
  }
}

/** Domains are stored in lower case. */
function lowerDomain(address: string): string {
  const at = address.lastIndexOf('@')
  return at < 0 ? address : address.slice(0, at) + address.slice(at).toLowerCase().normalize('NFC')
}

/** People copy a Message-ID with its brackets and without. */
const inBrackets = (messageId: string): string => (messageId.startsWith('<') ? messageId : `<${messageId}>`)

function bounds<B extends string, A extends string>(
  given: string | undefined,
  now: number,
  before: B,
  after: A,
): { readonly [N in B | A]?: number } {
  const bound = given === undefined ? undefined : parseTimeBound(given, now)
  if (bound === undefined) return {}
  return ('before' in bound ? { [before]: bound.before } : { [after]: bound.after }) as { [N in B | A]?: number }
}
