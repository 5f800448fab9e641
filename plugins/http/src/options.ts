// Options of the http plugin.
import { isIP } from 'node:net'
import { z } from 'zod'

const audience = z.enum(['public', 'internal', 'admin', 'metrics'])

const ip = z.string().refine(text => isIP(text) !== 0, 'must be an IP address, such as "127.0.0.1", "::1" or "0.0.0.0"')

const listener = z.strictObject({
  ip: z
    .union([ip, z.array(ip).min(1)])
    .default(['127.0.0.1', '::1'])
    .describe('Addresses to listen on'),
  port: z.int().min(0).max(65_535).describe('TCP port; 0 takes a free one'),
  tls: z.boolean().default(false).describe('HTTPS, with certificates from the certificates plugin'),
  serves: z.array(audience).min(1).describe('Which audiences may use this listener'),
})

export const options = z.strictObject({
  listeners: z.record(z.string(), listener).describe('Listeners by name'),
  hosts: z
    .array(z.string())
    .default([])
    .describe("Further names that requests may be for, beside the server's host name, localhost and IP addresses"),
  adminPassword: z
    .string()
    .min(8)
    .optional()
    .describe(
      'Password of user `admin` for admin routes; default: the secret `admin-password`. Write it here only on test machines',
    ),
  requestsPerMinute: z
    .union([z.int().min(1), z.literal(false)])
    .default(1000)
    .describe('Per IPv4 address or IPv6 /64; three and nine times as many for its networks; false: no limit'),
})

export type Options = z.output<typeof options>
export type Listener = z.output<typeof listener>
