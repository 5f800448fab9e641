// Options of the routes plugin. Domains are kept in their ASCII form, as the queue has them.
import { isAddressLiteral, parseDomain } from '@mox/plugin-sdk/mail'
import { z } from 'zod'
import type { RouteTable } from './route.ts'

const asciiOf = (text: string): string | undefined => {
  const parsed = parseDomain(text, { smtputf8: true })
  return parsed.ok && !isAddressLiteral(text) ? parsed.domain : undefined
}
const withoutDot = (text: string): string => text.replace(/^\./, '')

const domainEntry = z
  .string()
  .refine(text => text === '.' || asciiOf(withoutDot(text)) !== undefined, {
    error: 'must be "example.org", ".example.org" for the domain and all below it, or "." for no domain',
  })
  .transform(text => {
    if (text === '.') return text
    const domain = asciiOf(withoutDot(text)) ?? text
    return text.startsWith('.') ? `.${domain}` : domain
  })

const domains = z.array(domainEntry).default([])
const route = z.strictObject({
  fromDomain: domains.describe('Domains of envelope senders; [] for any'),
  toDomain: domains.describe('Domains of recipients; [] for any'),
  minimumAttempts: z.int().min(0).default(0).describe('Only after so many attempts'),
  transport: z.string().min(1).describe('Name of a transport'),
})
const list = z.array(route)

export const options = z.strictObject({
  global: list.default([]).describe('For everybody'),
  domains: z
    .record(z.string(), list)
    .default({})
    .superRefine((byDomain, context) => {
      const known = new Set<string>()
      for (const name of Object.keys(byDomain)) {
        const domain = asciiOf(name)
        const problem = domain === undefined ? 'its name must be a domain such as "example.org"' : 'it is there twice'
        if (domain === undefined || known.has(domain))
          context.addIssue({ code: 'custom', path: [name], message: problem })
        else known.add(domain)
      }
    })
    .describe('By domain of the envelope sender; before the global ones'),
  accounts: z.record(z.string(), list).default({}).describe('By account that sends; before all others'),
})

export type Options = z.output<typeof options>

/** As they are looked up: domains in their ASCII form. */
export function tableOf({ global, domains, accounts }: Options): RouteTable {
  return {
    global,
    domains: new Map(Object.entries(domains).map(([name, routes]) => [asciiOf(name) ?? name, routes])),
    accounts: new Map(Object.entries(accounts)),
  }
}
