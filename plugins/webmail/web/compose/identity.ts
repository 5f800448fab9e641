// Which of the user's addresses a message is about. Domains say which separators end a localpart, and whether its case matters.
import type { Hello } from '../../src/api/events.ts'
import type { Identity, NameAddress } from '../../src/api/model.ts'
import { formatTyped } from './addresses.ts'

export type Domains = Hello['domains']

/** The address as it is compared: without what follows a separator, in lower case unless case matters. */
export function canonical(address: string, domains: Domains): string {
  const at = address.lastIndexOf('@')
  const domain = address.slice(at + 1).toLowerCase()
  const rules = domains.find(d => d.name === domain)
  let localpart = address.slice(0, at)
  for (const separator of rules?.separators ?? []) {
    const end = localpart.indexOf(separator, 1)
    if (end > 0) localpart = localpart.slice(0, end)
  }
  return `${rules?.caseSensitive === true ? localpart : localpart.toLowerCase()}@${domain}`
}

/** The identity that an address belongs to: exactly, without its suffix, or as one of a whole domain. */
export function identityOf(
  address: string,
  identities: readonly Identity[],
  domains: Domains,
): { readonly identity: Identity; readonly address: string } | undefined {
  const wanted = canonical(address, domains)
  const own = identities.find(i => canonical(i.address, domains) === wanted)
  if (own !== undefined) return { identity: own, address }
  const whole = identities.find(i => i.address.startsWith('@') && wanted.endsWith(i.address.toLowerCase()))
  return whole === undefined ? undefined : { identity: whole, address }
}

export function isOwn(address: string, identities: readonly Identity[], domains: Domains): boolean {
  return identityOf(address, identities, domains) !== undefined
}

/** Of the identities that the user may choose, as lines; `first` is put in front when it is not among them. */
export function choicesOf(
  identities: readonly Identity[],
  names: ReadonlyMap<string, string>,
  first: string | undefined,
): string[] {
  const lines = identities
    .filter(i => !i.address.startsWith('@'))
    .map(i => formatTyped({ name: names.get(i.address) || i.name, address: i.address }))
  return first === undefined || lines.includes(first) ? lines : [first, ...lines]
}

/** From of an answer: the one address of ours that the message was sent to, or that we wrote it from. */
export function fromForAnswer(
  message: Readonly<Record<'from' | 'to' | 'cc', readonly NameAddress[]>>,
  identities: readonly Identity[],
  domains: Domains,
  names: ReadonlyMap<string, string>,
): string | undefined {
  const ours = (boxes: readonly NameAddress[]) => boxes.flatMap(b => identityOf(b.address, identities, domains) ?? [])
  const written = ours(message.from)
  const found = written.length > 0 ? written : ours([...message.to, ...message.cc])
  const [only] = found
  const addresses = new Set(found.map(f => f.address.toLowerCase()))
  if (only === undefined || addresses.size > 1) return undefined
  const name = names.get(only.identity.address) || only.identity.name
  return formatTyped({ name, address: only.address })
}
