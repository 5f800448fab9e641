// Options of the extra-data plugin.
import { z } from 'zod'

export const options = z.strictObject({
  strip: z
    .boolean()
    .default(false)
    .describe(
      'Take the fields out of the message before it is stored: recipients do not see them, no signature covers them',
    ),
})
