// Options of the webmail.
import { parseNetwork } from '@mox/plugin-sdk/io'
import { z } from 'zod'

const MIB = 1024 * 1024

export const options = z.strictObject({
  audience: z
    .enum(['public', 'internal'])
    .default('public')
    .describe('Which listeners of the http plugin serve it: those for the world, or those for private networks'),
  maxMessageSize: z
    .int()
    .min(MIB)
    .default(100 * MIB)
    .describe('Bytes of a message that is written, attachments included as they are sent'),
  maxImportSize: z
    .int()
    .min(MIB)
    .default(2048 * MIB)
    .describe('Bytes of a file that is imported'),
  imageProxy: z
    .union([
      z.literal(false),
      z.strictObject({
        allowNetworks: z
          .array(z.string().refine(text => parseNetwork(text) !== undefined, 'must be a network such as 10.0.0.0/8'))
          .default([])
          .describe('Networks that are not public and may be fetched from all the same'),
      }),
    ])
    .default(false)
    .describe(
      'Images from elsewhere, when a reader asks for them, are fetched by this server and not by the browser, so that a sender does not learn where mail is read',
    ),
  css: z
    .string()
    .min(1)
    .optional()
    .describe(
      "A style sheet of the operator's, used after the page's own; relative to the data directory; read again when it changes",
    ),
  script: z
    .string()
    .min(1)
    .optional()
    .describe('A script that runs before the page is shown and may define moxBeforeDisplay(root); as for `css`'),
})

export type Options = z.output<typeof options>
