// Options of the certificates plugin.
import { z } from 'zod'

const pair = z.strictObject({
  certificate: z.string().min(1).describe('PEM file with the certificate, leaf first, then the intermediates'),
  key: z.string().min(1).describe('PEM file with the private key'),
})

export const options = z
  .strictObject({
    files: z
      .array(pair)
      .default([])
      .describe('Certificate and key files, relative to the data directory; read again when they change'),
    selfSigned: z
      .strictObject({ names: z.array(z.string().min(1)).min(1).describe('Host names and IP addresses to certify') })
      .optional()
      .describe('Make and keep a self-signed certificate: for tests and localserve only'),
    checkSeconds: z.int().min(1).max(86_400).default(60).describe('Seconds between looks at the files'),
  })
  .refine(o => o.files.length > 0 || o.selfSigned !== undefined, {
    error: 'no certificate: list at least one pair under `files`, or set `selfSigned: { names: ["localhost"] }`',
  })

export type Options = z.output<typeof options>
