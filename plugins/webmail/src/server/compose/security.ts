// How safely mail to a recipient travels: what the recipient's domain publishes, and what was seen in deliveries before.
import type { DestinationPolicies, Dns, Storage } from '@mox/plugin-sdk'
import { isAddressLiteral, parseAddress } from '@mox/plugin-sdk/mail'
import type { RecipientSecurity } from '../../api/model.ts'
import { CallError } from '../call.ts'

type Answer = RecipientSecurity['dane']

export interface SecurityServices {
  readonly storage: Storage
  readonly dns: Dns | undefined
  readonly policies: readonly DestinationPolicies[]
}

/** Past recipients of the domain that are looked at. */
const PAST = 20

export async function recipientSecurity(
  services: SecurityServices,
  account: string,
  address: string,
  signal: AbortSignal,
): Promise<RecipientSecurity> {
  const parsed = parseAddress(address)
  if (!parsed.ok) throw new CallError('refused', `not a mail address: ${parsed.error}`)
  const { domain } = parsed.path
  if (isAddressLiteral(domain))
    return { starttls: 'unknown', mtaSts: 'no', dnssec: 'no', dane: 'no', requireTls: 'unknown' }
  const [mtaSts, { dnssec, dane }, { starttls, requireTls }] = await Promise.all([
    mtaStsOf(services.policies, domain, signal),
    dnsOf(services.dns, domain, signal),
    seen(services.storage, account, domain),
  ])
  return { starttls, mtaSts, dnssec, dane, requireTls }
}

async function mtaStsOf(
  policies: readonly DestinationPolicies[],
  domain: string,
  signal: AbortSignal,
): Promise<Answer> {
  const policy = policies.find(({ name }) => name === 'mta-sts')
  if (policy?.domain === undefined) return 'unknown'
  try {
    return (await policy.domain({ domain, signal }))?.pkix === true ? 'yes' : 'no'
  } catch {
    return 'error'
  }
}

async function dnsOf(
  dns: Dns | undefined,
  domain: string,
  signal: AbortSignal,
): Promise<{ readonly dnssec: Answer; readonly dane: Answer }> {
  if (dns === undefined) return { dnssec: 'unknown', dane: 'unknown' }
  try {
    const mx = await dns.resolve(domain, 'MX', signal)
    if (!mx.authentic) return { dnssec: 'no', dane: 'no' }
    const [best] = [...mx.records].sort((a, b) => a.preference - b.preference)
    const host = best?.exchange ?? domain
    if (host === '.') return { dnssec: 'yes', dane: 'no' }
    try {
      const tlsa = await dns.resolve(`_25._tcp.${host}`, 'TLSA', signal)
      // RFC 7672 §3.1: only DANE-TA and DANE-EE are used for SMTP.
      const usable = tlsa.authentic && tlsa.records.some(({ usage }) => usage === 2 || usage === 3)
      return { dnssec: 'yes', dane: usable ? 'yes' : 'no' }
    } catch {
      return { dnssec: 'yes', dane: 'error' }
    }
  } catch {
    return { dnssec: 'error', dane: 'error' }
  }
}

/** What the account's own deliveries to the domain met, the latest first. */
async function seen(
  storage: Storage,
  account: string,
  domain: string,
): Promise<{ readonly starttls: Answer; readonly requireTls: Answer }> {
  const past = await storage.history.list({ account, to: `@${domain}`, delivered: true }, { limit: PAST })
  for (const { recipientDomain, requireTls, results } of past) {
    if (recipientDomain !== domain) continue
    const last = results.findLast(result => result.outcome === 'delivered' && result.remoteHost !== undefined)
    if (last === undefined) continue
    return {
      starttls: last.tls === undefined ? 'no' : 'yes',
      requireTls: requireTls === true ? 'yes' : 'unknown',
    }
  }
  return { starttls: 'unknown', requireTls: 'unknown' }
}
