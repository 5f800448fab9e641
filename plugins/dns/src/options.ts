// Options of the dns plugin. A mistake stops the start with a text that names the option and what it may be.
import { z } from 'zod'
import { parseServer, SERVERS_LIMIT } from './server.ts'

const server = z.string().refine(text => parseServer(text) !== undefined, {
  error: 'must be an IP address with or without a port: "192.0.2.1", "127.0.0.1:5353", "[::1]:53"',
})

export const options = z.strictObject({
  servers: z
    .array(server)
    .min(1)
    .max(SERVERS_LIMIT)
    .optional()
    .describe('Resolvers to ask, such as "127.0.0.1:5353" or "[::1]:53"; default: those of resolv.conf'),
  trustAd: z
    .boolean()
    .optional()
    .describe(
      'Believe that answers are validated (AD bit): true also from resolvers on other machines, false from none; default: from resolvers on this machine, or as `options trust-ad` of resolv.conf says',
    ),
  resolvConf: z
    .string()
    .min(1)
    .default('/etc/resolv.conf')
    .describe('File with the resolvers; read again when it changes'),
})

export type Options = z.output<typeof options>
