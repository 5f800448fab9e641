// Options of the dsn plugin.
import { z } from 'zod'

/** Between attempts 4 and 5 of the default schedule: the notice goes out when the fifth failed, and two hours are next. */
export const DELAYED_AFTER_MINUTES = 90

export const options = z
  .strictObject({
    delayedAfterMinutes: z
      .number('must be minutes, or leave it out')
      .min(0, 'must be at least 0')
      .max(60 * 24 * 30, 'must be at most 43200 minutes, which is 30 days')
      .default(DELAYED_AFTER_MINUTES)
      .describe(
        'Minutes since the first attempt after which a failed one causes a notice of delay, once per recipient',
      ),
    outsideSenders: z
      .enum(['asked', 'never'], {
        error: 'must be "asked" (only senders who used NOTIFY are told) or "never" (mail from outside causes no DSN)',
      })
      .default('asked')
      .describe('Whether senders of mail from outside are told: asked: where they used NOTIFY; never'),
  })
  .prefault({})

export type Options = z.output<typeof options>
