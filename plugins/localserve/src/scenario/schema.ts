// A scenario: how the server of one recipient domain behaves, step after step. Read from the config, a file or a request, and
// checked here; a mistake is told with its place and what may be there.
import { parseDuration } from '@mox/plugin-sdk'
import { parseDomain } from '@mox/plugin-sdk/mail'
import { z } from 'zod'

/** Steps of a scenario. */
export const STEPS = 100
/** Recipients that a step may accept in a minute, and recipients that it may last for. */
export const PER_MINUTE = 10_000
export const TIMES = 1_000_000
/** Characters of a reply. */
export const REPLY_LENGTH = 500

const reply = z
  .string()
  .max(REPLY_LENGTH)
  .regex(/^([45])\d\d (?:\1\.\d{1,3}\.\d{1,3} )?[\x20-\x7e]*[\x21-\x7e]$/, {
    error:
      'write a reply such as "451 4.7.1 try again later": a code from 400 to 599, an enhanced code of the same class, a text',
  })
  .transform(text => {
    const [, code = '', enhanced, rest = ''] = /^(\d{3}) (?:(\d\.\d+\.\d+) )?(.*)$/.exec(text) ?? []
    return { code: Number(code), enhanced: enhanced ?? `${code[0]}.0.0`, text: rest }
  })

/** Milliseconds, from a text. */
const duration = z.string().transform((text, context) => {
  const ms = parseDuration(text)
  if (ms !== undefined && ms > 0) return ms
  context.addIssue({ code: 'custom', message: 'write a duration above 0 such as 90s, 30m or 2h' })
  return z.NEVER
})

const step = z
  .strictObject({
    reply: reply.optional().describe('Refuse every recipient with this: "451 4.7.1 try again later"'),
    accept: z
      .union([
        z.literal(true),
        z.strictObject({
          perMinute: z.int().min(1).max(PER_MINUTE).describe('Recipients taken in any minute'),
          else: reply
            .default({ code: 421, enhanced: '4.7.0', text: 'too many messages, slow down' })
            .describe('For those beyond'),
        }),
      ])
      .optional()
      .describe('Take every recipient, or so many'),
    break: z
      .enum(['connect', 'starttls', 'rcpt', 'data', 'end'])
      .optional()
      .describe(
        'Break the connection there; end: after the final dot, so that nobody knows whether the message was taken',
      ),
    slow: duration.optional().describe('Say nothing for so long before'),
    for: duration.optional().describe('How long the step lasts: "2h"'),
    times: z.int().min(1).max(TIMES).optional().describe('For how many recipients the step lasts'),
  })
  .refine(given => [given.reply, given.accept, given.break].filter(one => one !== undefined).length === 1, {
    error: 'say one of reply, accept and break',
  })
  .refine(given => given.for === undefined || given.times === undefined, { error: 'say for or times, not both' })

const steps = z
  .array(step)
  .min(1, { error: 'needs at least one step' })
  .max(STEPS)
  .refine(all => all.slice(0, -1).every(one => one.for !== undefined || one.times !== undefined), {
    error: 'every step but the last one needs for or times, or the next one never comes',
  })

export const scenario = z.strictObject({
  steps: steps.describe('Happen one after the other from the first attempt on; after the last one everything is taken'),
})

export type Step = z.output<typeof step>
export type Scenario = z.output<typeof scenario>
export type ScenarioInput = z.input<typeof scenario>

/** ASCII and lower case; undefined for what is no domain. */
export function domainOf(text: string): string | undefined {
  const parsed = parseDomain(text, { smtputf8: true })
  return parsed.ok ? parsed.domain : undefined
}
