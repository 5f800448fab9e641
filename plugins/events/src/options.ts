// Options of the events plugin.
import { z } from 'zod'

export const options = z
  .strictObject({
    days: z
      .int()
      .min(1)
      .max(3650)
      .default(30)
      .describe('Days that an event stays in the log; counts per day stay longer'),
  })
  .prefault({})
