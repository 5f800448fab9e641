// Options of the smtp-in plugin. A mistake stops the start with a text that names the option and what it may be.
import { z } from 'zod'

const MIB = 1024 * 1024

const listener = z.strictObject({
  ip: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .default(['0.0.0.0', '::'])
    .describe('Addresses to listen on; "::" means IPv6 only'),
  port: z.int().min(0).max(65_535).describe('TCP port; 0 takes a free one'),
  kind: z
    .enum(['delivery', 'submission'], {
      error: 'must be "delivery" (mail for our addresses) or "submission" (mail from our users)',
    })
    .describe('delivery: mail from anybody for our own addresses; submission: mail to anywhere from users who log in'),
  tls: z
    .enum(['none', 'starttls', 'required-starttls', 'implicit'], {
      error: 'must be "none", "starttls", "required-starttls" (no mail without TLS) or "implicit" (TLS from the start)',
    })
    .describe('All but none need the certificates plugin'),
  maxMessageSize: z
    .int()
    .min(1)
    .default(100 * MIB)
    .describe('Octets of a message'),
  hostname: z.string().min(1).optional().describe("Our name towards clients; default: the server's host name"),
})

const perClient = (value: number) =>
  z
    .union([z.int().min(1), z.literal(false)], { error: 'must be a whole number above 0, or false for no limit' })
    .default(value)

const limits = z.strictObject({
  connectionsPerMinute: perClient(300).describe(
    'New connections per IPv4 address or IPv6 /64; three and nine times as many for its networks',
  ),
  openConnections: perClient(30).describe(
    'Open connections per IPv4 address or IPv6 /64; three and nine times as many for its networks',
  ),
  slowMode: z.boolean().default(true).describe('Serve slowly after 3 failed logins or a refused message'),
  idleSeconds: z.int().min(1).max(3600).default(300).describe('Wait for the next command (RFC 5321 §4.5.3.2.7)'),
})
const OFF = { connectionsPerMinute: false, openConnections: false, slowMode: false } as const

export const options = z.strictObject({
  listeners: z
    .record(z.string(), listener)
    .refine(l => Object.keys(l).length > 0, { error: 'add at least one listener' })
    .describe('Listeners by name'),
  allowPlainAuth: z
    .enum(['never', 'loopback'], { error: 'must be "never" or "loopback"' })
    .default('never')
    .describe('Whether clients on this machine may log in without TLS'),
  earlyTalkerMs: z
    .int()
    .min(0)
    .max(30_000)
    .default(0)
    .describe('Milliseconds before the greeting; a client that talks in that time is sent away'),
  limits: z
    .union([limits, z.literal(false).transform(() => limits.parse(OFF))])
    .prefault({})
    .describe('Limits per client; false switches off those that can be'),
})

export type Options = z.output<typeof options>
export type ListenerOptions = z.output<typeof listener>
export type Limits = z.output<typeof limits>
