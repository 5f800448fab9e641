// Options of the smtp-out plugin. A mistake stops the start with a text that names the option and what it may be.
import { isIPv4, isIPv6 } from 'node:net'
import { SECRET_NAME, SECRET_NAME_WANTED } from '@mox/plugin-sdk'
import { isAddressLiteral, parseDomain } from '@mox/plugin-sdk/mail'
import { z } from 'zod'
import { parseNetwork } from './direct/networks.ts'

/** Without PLAIN: it tells the relay the password, and has to be asked for. Strongest first (RFC 5802, RFC 7677). */
export const DEFAULT_MECHANISMS = [
  'SCRAM-SHA-256-PLUS',
  'SCRAM-SHA-256',
  'SCRAM-SHA-1-PLUS',
  'SCRAM-SHA-1',
  'CRAM-MD5',
] as const
const MECHANISMS = [...DEFAULT_MECHANISMS, 'PLAIN'] as const
/** Characters of a fail transport's message. */
export const FAIL_MESSAGE_LENGTH = 256
/** Names of transports that others have. */
const RESERVED = ['local']

const isHostName = (text: string): boolean => !isAddressLiteral(text) && parseDomain(text, { smtputf8: true }).ok
const toAscii = (text: string): string => {
  const parsed = parseDomain(text, { smtputf8: true })
  return parsed.ok ? parsed.domain : text
}

const port = z.int().min(1).max(65_535)
const hostName = z
  .string()
  .refine(isHostName, { error: 'must be a host name such as "mail.example.org"' })
  .transform(toAscii)
const host = z
  .string()
  .refine(text => isIPv4(text) || isIPv6(text) || isHostName(text), { error: 'must be a host name or an IP address' })
  .transform(text => (isIPv6(text) ? text : toAscii(text)))
const ipv4 = z.string().refine(isIPv4, { error: 'must be an IPv4 address' })
const ipv6 = z.string().refine(text => isIPv6(text) && !text.includes('%'), { error: 'must be an IPv6 address' })
const ip = z
  .string()
  .refine(text => parseNetwork(text) !== undefined && !text.includes('/'), { error: 'must be an IP address' })

const auth = z
  .strictObject({
    username: z.string().min(1),
    password: z.string().min(1).optional().describe('In the config file; passwordSecret is the better place'),
    passwordSecret: z
      .string()
      .regex(SECRET_NAME, SECRET_NAME_WANTED)
      .optional()
      .describe('Name of a secret: the environment variable MOX_SECRET_NAME or a file in <dataDir>/secrets'),
    mechanisms: z
      .array(z.enum(MECHANISMS, { error: `must be one of ${MECHANISMS.join(', ')}` }))
      .min(1)
      .default([...DEFAULT_MECHANISMS])
      .describe('SASL mechanisms that may be used, the first that the relay offers; PLAIN only when it is listed'),
  })
  .refine(({ password, passwordSecret }) => (password === undefined) !== (passwordSecret === undefined), {
    error: 'needs either password or passwordSecret',
    path: ['passwordSecret'],
  })

const relay = { host: host.describe('The relay'), auth: auth.optional().describe('Login at the relay') }
const startTls = {
  insecureSkipVerify: z
    .boolean()
    .default(false)
    .describe('Any certificate will do: others may read and change the mail'),
  noStartTls: z.boolean().default(false).describe('No TLS at all'),
}
const transport = z
  .discriminatedUnion(
    'kind',
    [
      z.strictObject({ kind: z.literal('submissions'), ...relay, port: port.default(465) }),
      z.strictObject({ kind: z.literal('submission'), ...relay, ...startTls, port: port.default(587) }),
      z.strictObject({ kind: z.literal('smtp'), ...relay, ...startTls, port: port.default(25) }),
      z.strictObject({
        kind: z.literal('socks'),
        address: z
          .string()
          .refine(text => parseEndpoint(text) !== undefined, { error: 'must be "host:port" or "[IPv6 address]:port"' })
          .describe('The proxy: host:port'),
        remoteIps: z.array(ip).default([]).describe('Addresses that other servers see; mail is not sent there'),
        remoteHostname: hostName.describe('Our name in EHLO; should resolve to remoteIps'),
      }),
      z.strictObject({
        kind: z.literal('direct'),
        ipv4: z.boolean().default(true).describe('Connect to IPv4 addresses'),
        ipv6: z.boolean().default(true).describe('Connect to IPv6 addresses'),
      }),
      z.strictObject({
        kind: z.literal('fail'),
        code: z.int().min(400).max(599).default(554).describe('4yz delays, 5yz fails for good'),
        message: z
          .string()
          .regex(/^[\x20-\x7e]+$/, 'must be printable ASCII text')
          .max(FAIL_MESSAGE_LENGTH)
          .default('mail to this recipient is not sent')
          .describe('What the sender is told'),
      }),
    ],
    { error: 'must be "submissions", "submission", "smtp", "socks", "direct" or "fail"' },
  )
  .superRefine((one, context) => {
    if (one.kind === 'direct' && !one.ipv4 && !one.ipv6)
      context.addIssue({ code: 'custom', path: ['ipv6'], message: 'must not be false when ipv4 is false too' })
    if ((one.kind === 'submission' || one.kind === 'smtp') && one.noStartTls && one.insecureSkipVerify)
      context.addIssue({ code: 'custom', path: ['insecureSkipVerify'], message: 'has no meaning with noStartTls' })
    if ((one.kind === 'submission' || one.kind === 'smtp') && one.noStartTls && !isHere(one.host))
      if (one.auth?.mechanisms.includes('PLAIN'))
        context.addIssue({
          code: 'custom',
          path: ['auth', 'mechanisms'],
          message: 'must not have PLAIN with noStartTls: the password would be sent unencrypted',
        })
  })

export const options = z.strictObject({
  hostname: hostName.optional().describe("Our name in EHLO; default: the server's host name"),
  port: port.default(25).describe('Port of MX hosts; another one than 25 is for tests'),
  localAddresses: z
    .strictObject({
      ipv4: ipv4.optional().describe('Default: the system chooses'),
      ipv6: ipv6.optional().describe('Default: the system chooses'),
    })
    .default({})
    .describe('Our addresses for outgoing connections'),
  allowNetworks: z
    .array(
      z.string().refine(text => parseNetwork(text) !== undefined, { error: 'must be like "10.1.0.0/16" or "::1"' }),
    )
    .default([])
    .describe('Private networks that MX hosts may be in; elsewhere private addresses are refused'),
  transports: z
    .record(z.string(), transport)
    .default({})
    .superRefine((transports, context) => {
      for (const [name, { kind }] of Object.entries(transports)) {
        const problem = nameProblem(name, kind)
        if (problem !== undefined) context.addIssue({ code: 'custom', path: [name], message: problem })
      }
    })
    .describe('Ways out by name, for routes; "direct" is always there'),
})

export type Options = z.output<typeof options>
export type TransportOptions = z.output<typeof transport>
export type RelayOptions = Extract<TransportOptions, { kind: 'submissions' | 'submission' | 'smtp' }>

function nameProblem(name: string, kind: string): string | undefined {
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/i.test(name)) return 'its name must be 1 to 64 letters, digits, ".", "_" or "-"'
  if (RESERVED.includes(name)) return 'its name stands for delivery on this machine; choose another'
  if (name === 'direct' && kind !== 'direct')
    return 'the transport "direct" must have kind "direct"; choose another name and send mail there with routes({ global: [{ transport }] })'
  return undefined
}

/** Loopback: nobody listens on the way. */
function isHere(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

/** "proxy.example:1080", "127.0.0.1:9050", "[::1]:9050". */
export function parseEndpoint(text: string): { readonly host: string; readonly port: number } | undefined {
  const [, literal, name, digits = ''] = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(text) ?? []
  const port = Number(digits)
  if (port < 1 || port > 65_535) return undefined
  if (literal !== undefined) return isIPv6(literal) ? { host: literal, port } : undefined
  return name !== undefined && (isIPv4(name) || isHostName(name)) ? { host: name, port } : undefined
}
