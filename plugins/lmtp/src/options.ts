// Options of the lmtp plugin.
import { z } from 'zod'

export const options = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, { error: 'must be lower-case letters, digits and hyphens' })
      .default('lmtp')
      .describe('What routes and operators call this transport'),
    socket: z.string().min(1).optional().describe('Unix socket of the LMTP server, absolute or in the data directory'),
    host: z.string().min(1).optional().describe('Host name or IP address of the LMTP server, in place of `socket`'),
    port: z.int().min(1).max(65_535).default(24).describe('TCP port'),
    hostname: z
      .string()
      .regex(/^[\x21-\x7e]{1,255}$/)
      .optional()
      .describe("Our name in LHLO; default: the server's host name"),
  })
  .refine(o => (o.socket === undefined) !== (o.host === undefined), {
    error: 'set either `socket` or `host`: where the LMTP server listens',
  })

export type Options = z.output<typeof options>
