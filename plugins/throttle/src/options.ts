// Options of the throttle plugin.
import { isIP } from 'node:net'
import { z } from 'zod'

/** Deliveries at the same time, and messages a minute, that can be asked for. */
export const CONCURRENCY = 10_000
export const PER_MINUTE = 1_000_000
/** Days of a warm-up. */
export const WARM_UP_DAYS = 365

const limits = z.strictObject({
  concurrency: z.int().min(1).max(CONCURRENCY).default(10).describe('Deliveries at the same time'),
  perMinute: z
    .int()
    .min(0)
    .max(PER_MINUTE)
    .default(0)
    .describe('Messages a minute; 0: no limit until a server asks for one'),
})

const warmUp = z.strictObject({
  since: z.iso.date('must be a day such as "2030-01-31"').describe('First day, UTC: "2030-01-31"'),
  perDay: z
    .array(z.int().min(1).max(1_000_000_000))
    .min(1)
    .max(WARM_UP_DAYS)
    .describe('Messages on the first day, the second, …; no limit after the last'),
  transports: z.array(z.string().min(1)).min(1).default(['direct']).describe('Transports that send from this address'),
})

export const options = z
  .strictObject({
    concurrency: limits.shape.concurrency.describe(
      'Deliveries at the same time to one domain, and to one group of servers',
    ),
    perMinute: limits.shape.perMinute.describe('Messages a minute to each; 0: no limit until a server asks for one'),
    destinations: z
      .record(z.string().min(1).max(255), limits)
      .default({})
      .describe(
        'Limits of single domains ("example.com") and groups of servers ("google"), as mox throttle list names them',
      ),
    warmUp: z
      .record(z.string(), warmUp)
      .refine(all => Object.keys(all).every(ip => isIP(ip) !== 0), {
        error: 'names must be IP addresses of this machine',
      })
      .default({})
      .describe('New sending addresses by IP, with a limit for each of their first days'),
  })
  .prefault({})

export type Options = z.output<typeof options>
export type WarmUpOptions = z.output<typeof warmUp>
