// Options of the accounts plugin. All mistakes are found at once; each names the option and says what to write instead.
import { SECRET_NAME, SECRET_NAME_WANTED } from '@mox/plugin-sdk'
import { z } from 'zod'
import { checkEntries } from './check.ts'
import { configEntries } from './config.ts'
import { isVerifier } from './credential.ts'
import { DEFAULT_MAX_FIRST_TIME, DEFAULT_MAX_OUTGOING, DEFAULT_SEPARATORS, MAX_KEEP_DAYS } from './entries.ts'
import {
  FULL_NAME_LENGTH,
  loginDisabledProblem,
  MAILBOX_LENGTH,
  plainTextProblem,
  REFUSE_CODES,
  SEPARATORS,
  separatorProblem,
} from './fields.ts'
import { newPasswordProblem } from './precis.ts'

/** Failed logins per IPv4 address and IPv6 /64; three and nine times as many for the networks around it. */
export const FAILED_PER_MINUTE = 10
export const FAILED_PER_DAY = 50

/** An object whose unknown keys are refused with the known ones named. */
function strict<S extends z.ZodRawShape>(shape: S): z.ZodObject<S, z.core.$strict> {
  return z.strictObject(shape, {
    error: issue => {
      if (issue.code !== 'unrecognized_keys') return undefined
      const keys = (issue as { readonly keys?: readonly string[] }).keys ?? []
      return `unknown option ${keys.map(k => JSON.stringify(k)).join(', ')}; the options here are ${Object.keys(shape).join(', ')}`
    },
  })
}

/** A text for which `problem` finds nothing. */
function text(problem: (value: string) => string | undefined): z.ZodString {
  return z.string().superRefine((value, context) => {
    const message = problem(value)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  })
}

const words = (limit: number): z.ZodString => text(value => plainTextProblem(value, limit))

const limit = (what: string): z.ZodInt =>
  z.int(`must be a whole number of ${what}`).min(0, `must be a number of ${what}, 0 for no limit`)

const alias = strict({
  members: z.array(z.string()).describe('Addresses of accounts here that get what the alias gets'),
  postPublic: z.boolean().default(false).describe('Anybody may write to it; else members only'),
  listMembers: z.boolean().default(false).describe('Members may see who the members are'),
  allowMsgFrom: z.boolean().default(false).describe('Members may write as the alias'),
})

const domain = strict({
  disabled: z.boolean().default(false).describe('Refuses mail and submission for now; logins still work'),
  separators: z
    .array(text(separatorProblem))
    .max(SEPARATORS, `at most ${SEPARATORS} separators; remove some`)
    .refine(list => new Set(list).size === list.length, 'a separator is listed twice; remove one')
    .default([...DEFAULT_SEPARATORS])
    .describe('After these a localpart is ignored for finding the account; [] for none'),
  caseSensitive: z.boolean().default(false).describe('Bob@ and bob@ are different addresses'),
  aliases: z.record(z.string(), alias).default({}).describe('Addresses that stand for several, by localpart'),
})

const refuse = strict({
  code: z
    .int()
    .refine(code => REFUSE_CODES.includes(code), `must be one of ${REFUSE_CODES.join(', ')}; 421 is sent as 451`)
    .describe('550 for good, 451 for now'),
  text: text(
    value => plainTextProblem(value, 256) ?? (/^[\x20-\x7e]+$/.test(value) ? undefined : 'must be ASCII text'),
  ).describe('What the sender is told'),
})

const address = z.union(
  [
    z.string(),
    strict({
      address: z.string(),
      mailbox: words(MAILBOX_LENGTH).min(1).optional().describe('Where its mail is filed; default Inbox'),
      refuse: refuse.optional().describe('Refuse its mail; it may still be used to send and to log in'),
    }),
  ],
  'must be an address such as "alice@example.org", "@example.org" for all others of a domain, or { address, mailbox?, refuse? }',
)

const account = strict({
  addresses: z.array(address).default([]).describe('What it receives for, sends as and logs in with'),
  fullName: words(FULL_NAME_LENGTH).default('').describe('Shown in mail it writes'),
  password: z
    .union(
      [text(newPasswordProblem), strict({ secret: z.string().regex(SECRET_NAME, SECRET_NAME_WANTED) })],
      'must be { secret: "name" }, taken from MOX_SECRET_NAME or the secrets directory, or for tests a text of at least 8 bytes',
    )
    .optional()
    .describe('{ secret: name }, or for tests the password; default: set with `mox account password`'),
  passwordHash: z
    .string()
    .refine(isVerifier, 'cannot be read; make it with `mox account hash` and copy all of its output')
    .optional()
    .describe('Output of `mox account hash`, in place of `password`'),
  quota: z.int('must be a whole number of bytes').min(0, 'must be bytes, 0 for no limit').default(0),
  maxOutgoingPerDay: limit('recipients')
    .default(DEFAULT_MAX_OUTGOING)
    .describe('Recipients of its messages in 24 hours'),
  maxFirstTimeRecipientsPerDay: limit('recipients')
    .default(DEFAULT_MAX_FIRST_TIME)
    .describe('Recipients in 24 hours that it never wrote to before'),
  maxQueued: limit('recipients').default(0).describe('Recipients of its messages in the queue'),
  maxQueuedBytes: limit('bytes').default(0).describe('Bytes in the queue, counted for each recipient'),
  keepRetiredDays: z
    .number('must be a number of days')
    .min(0, 'must be days, 0 to keep nothing')
    .max(MAX_KEEP_DAYS, `must be at most ${MAX_KEEP_DAYS} days`)
    .optional()
    .describe('Days that its sent mail stays in the history; default: those of the queue'),
  loginDisabled: text(loginDisabledProblem).optional().describe('Refuses logins; what the user is told'),
}).refine(
  a => a.password === undefined || a.passwordHash === undefined,
  'has both `password` and `passwordHash`; remove one',
)

const limits = strict({
  perMinute: z.int().min(1, 'must be at least 1, or use loginLimits: false').default(FAILED_PER_MINUTE),
  perDay: z.int().min(1, 'must be at least 1, or use loginLimits: false').default(FAILED_PER_DAY),
})

const shape = strict({
  domains: z.record(z.string(), domain).default({}).describe('Domains by name'),
  accounts: z.record(z.string(), account).default({}).describe('Accounts by name'),
  postmaster: z.string().optional().describe('Account that takes mail for postmaster of this host and every domain'),
  fallbackAccount: z
    .string()
    .optional()
    .describe('Account that takes mail for every other address of any domain: test servers only'),
  loginLimits: z
    .union([limits, z.literal(false)], 'must be { perMinute, perDay }, or false for no limit')
    .prefault({})
    .describe('Failed logins per IPv4 address or IPv6 /64; three and nine times as many for its networks; false: none'),
})

export type Options = z.output<typeof shape>
export type OptionsInput = z.input<typeof shape>

export const options: z.ZodType<Options, OptionsInput | undefined> = shape
  .superRefine((value, context) => {
    const { entries, problems } = configEntries(value)
    for (const { path, message } of problems) context.addIssue({ code: 'custom', path: [...path], message })
    const { postmaster, fallbackAccount } = value
    for (const message of checkEntries(entries, { postmaster, fallbackAccount }, true))
      context.addIssue({ code: 'custom', path: [], message })
  })
  .prefault({})
