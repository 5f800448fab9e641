// What a rule says and which recipients it is about: all that it names must be so, for new and for queued recipients alike.
import type { Directory } from '@mox/plugin-sdk'
import { displayDomain, formatAddress, type Path, pathToString } from '@mox/plugin-sdk/mail'

/** Undefined: whatever. A rule without any condition is about everything. */
export interface Conditions {
  readonly account?: string
  /** Domain of the envelope sender, A-labels. */
  readonly senderDomain?: string
  readonly recipientDomain?: string
  /** Envelope sender, with or without what follows a separator of its domain. */
  readonly sender?: Path
  readonly recipient?: Path
}

export interface Rule extends Conditions {
  readonly id: number
  /** '' when none was given. */
  readonly reason: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
}

/** A recipient, queued or about to be. */
export interface Subject {
  readonly account: string
  readonly reversePath: Path | null
  readonly recipient: Path
}

/** A subject with the forms of its addresses worked out once for all rules. */
export interface Prepared {
  readonly account: string
  readonly senderDomain: string | undefined
  readonly recipientDomain: string
  readonly senders: ReadonlySet<string>
  readonly recipient: string
}

export async function prepare(directory: Directory, { account, reversePath, recipient }: Subject): Promise<Prepared> {
  return {
    account,
    senderDomain: reversePath?.domain,
    recipientDomain: recipient.domain,
    senders: new Set(reversePath === null ? [] : await senderForms(directory, reversePath)),
    recipient: form(recipient),
  }
}

async function senderForms(directory: Directory, path: Path): Promise<string[]> {
  const { separators = [] } = (await directory.domain(path.domain)) ?? {}
  const cuts = separators.map(separator => path.localpart.indexOf(separator)).filter(index => index > 0)
  const bare = path.localpart.slice(0, Math.min(path.localpart.length, ...cuts))
  return [form(path), form({ localpart: bare, domain: path.domain })]
}

function form({ localpart, domain }: Path): string {
  return formatAddress({ localpart: localpart.toLowerCase(), domain })
}

export function matches(rule: Conditions, subject: Prepared): boolean {
  return (
    (rule.account === undefined || rule.account === subject.account) &&
    (rule.senderDomain === undefined || rule.senderDomain === subject.senderDomain) &&
    (rule.recipientDomain === undefined || rule.recipientDomain === subject.recipientDomain) &&
    (rule.sender === undefined || subject.senders.has(form(rule.sender))) &&
    (rule.recipient === undefined || form(rule.recipient) === subject.recipient)
  )
}

/** "recipient domain example.com, account alice"; "everything". */
export function describe(rule: Conditions): string {
  const parts = [
    ...(rule.account === undefined ? [] : [`account ${rule.account}`]),
    ...(rule.senderDomain === undefined ? [] : [`sender domain ${displayDomain(rule.senderDomain)}`]),
    ...(rule.recipientDomain === undefined ? [] : [`recipient domain ${displayDomain(rule.recipientDomain)}`]),
    ...(rule.sender === undefined ? [] : [`sender ${pathToString(rule.sender)}`]),
    ...(rule.recipient === undefined ? [] : [`recipient ${pathToString(rule.recipient)}`]),
  ]
  return parts.length === 0 ? 'everything' : parts.join(', ')
}

/** Starts every reason that this plugin gives; what it held is known by it again. */
export const REASON_START = 'hold rule '

/** What the trace and the recipient's log say. */
export function reasonOf(rule: Rule): string {
  return `${REASON_START}${rule.id} (${describe(rule)})${rule.reason === '' ? '' : `: ${rule.reason}`}`
}
