// Options of the suppression plugin.
import { parseDomain } from '@mox/plugin-sdk/mail'
import { z } from 'zod'
import type { Rules } from './base.ts'
import { PROVIDERS } from './providers.ts'

/** Days: ten years. */
export const EXPIRE_LIMIT = 3650
/** Domains of the option `domains`. */
export const DOMAINS = 10_000

const days = (value: number, what: string) =>
  z.int().min(0).max(EXPIRE_LIMIT).default(value).describe(`Days that an entry stays: ${what}; 0 for good`)

const rule = z.strictObject({
  separators: z
    .array(z.string().min(1).max(8))
    .max(8)
    .default(['+'])
    .describe('From the first of these on, the localpart does not count'),
  dots: z.boolean().default(false).describe('Dots in the localpart do not count'),
})

export const options = z
  .strictObject({
    automatic: z
      .boolean()
      .default(true)
      .describe('Add recipients by what their servers say; false: only by hand and API'),
    expireDays: z
      .strictObject({
        bounce: days(180, 'the server refused the recipient for good'),
        dsn: days(180, 'a report said so later'),
        repeated: days(30, 'the third failure in a row'),
        complaint: days(0, 'the recipient called a message spam'),
      })
      .prefault({})
      .describe('How long automatic entries stay'),
    domains: z
      .record(
        z.string().refine(name => {
          const parsed = parseDomain(name, { smtputf8: true })
          return parsed.ok && parsed.domain === name
        }, 'must be a domain name in lower-case ASCII, such as "example.org"'),
        rule,
      )
      .refine(all => Object.keys(all).length <= DOMAINS, { error: `at most ${DOMAINS} domains` })
      .default({})
      .describe(
        'What these domains ignore in a localpart, in addition to or in place of what is known of large providers',
      ),
  })
  .prefault({})

export type Options = z.output<typeof options>

/** The known providers and the option, which wins. */
export function rulesOf(domains: Options['domains']): Rules {
  return new Map([...PROVIDERS, ...Object.entries(domains)])
}
