// Mail that comes to a unique sender address: which recipient of ours it is about, and whether it is a report. A report needs
// the parser of another plugin; without one it is a match that says no more than that something came.
import {
  type Directory,
  type DsnEvent,
  type DsnMatchInput,
  type DsnMatchVerdict,
  type Job,
  match,
  type ParsedReport,
  type ReportedRecipient,
  type ReportParser,
  type Retired,
  type Storage,
} from '@mox/plugin-sdk'
import { formatAddress, type Head, type Path, parseAddress, parseParameters } from '@mox/plugin-sdk/mail'
import { canonicalId, separatorOf, split } from './address.ts'

export interface ReportDeps {
  readonly storage: Storage
  readonly directory: Directory
  readonly parser: ReportParser | undefined
}

export type Sent = Job | Retired

export class Reports {
  readonly #deps: ReportDeps

  constructor(deps: ReportDeps) {
    this.#deps = deps
  }

  /** The recipient in queue or history whose sender address this is; only of the account that the address belongs to. */
  async find(address: Path, account?: string): Promise<Sent | undefined> {
    const { storage, directory } = this.#deps
    const separator = await separatorOf(directory, address.domain)
    const id = separator === undefined ? undefined : split(address.localpart, separator).rest
    if (id === undefined || id === '') return undefined
    const fromId = canonicalId(id)
    const sent = (await storage.queue.findByFromId(fromId)) ?? (await storage.history.findByFromId(fromId))
    if (sent === undefined) return undefined
    return sent.account === (account ?? (await this.#owner(address))) ? sent : undefined
  }

  async #owner(address: Path): Promise<string | undefined> {
    const resolution = await this.#deps.directory.resolve(address)
    return resolution.kind === 'account' ? resolution.account : undefined
  }

  /** onDSN.match. An ordinary reply to a unique address stays ordinary mail. */
  async match({ messageId, recipient, account, head, content }: DsnMatchInput): Promise<DsnMatchVerdict | undefined> {
    const parsed = parseAddress(recipient)
    const sent = parsed.ok ? await this.find(parsed.path, account) : undefined
    if (sent === undefined) return undefined
    if (!isReport(head)) {
      const message = await this.#deps.storage.messages.get(messageId)
      // RFC 5321 §4.5.5: what has no reverse-path was written by a machine about something that we sent.
      if (message === undefined || message.reversePath !== null) return undefined
      return match(sent.id, unrecognized('a message without a sender came for this recipient'), 'fromid')
    }
    const report = await this.#deps.parser?.parse(content())
    return match(
      sent.id,
      report === undefined ? unrecognized('a report came for this recipient') : eventOf(report, sent),
      'fromid',
    )
  }
}

/** RFC 3464 and RFC 5965: what calls itself a report. */
export function isReport(head: Head): boolean {
  const { value, params } = parseParameters(head.get('content-type') ?? '')
  const type = params.get('report-type')?.toLowerCase()
  return value === 'multipart/report' && (type === 'delivery-status' || type === 'feedback-report')
}

function eventOf({ kind, recipients }: ParsedReport, sent: Sent): DsnEvent {
  if (kind === 'complaint')
    return { action: 'complained', code: 0, enhanced: '', text: recipients[0]?.diagnostic ?? 'complaint' }
  if (kind === 'none' || kind === 'auto-reply')
    return unrecognized('a report came for this recipient that could not be read')
  const about = aboutRecipient(recipients, sent)
  if (about === undefined) return unrecognized('a report came that does not name this recipient')
  const { action, code, status, diagnostic, remoteMta } = about
  return { action, code, enhanced: status, text: diagnostic, ...(remoteMta === '' ? {} : { remoteMta }) }
}

/** The id is of one recipient: of several entries, the one that names it; a single one is it, whatever it was forwarded to. */
function aboutRecipient(entries: readonly ReportedRecipient[], sent: Sent): ReportedRecipient | undefined {
  if (entries.length === 1) return entries[0]
  const own = formatAddress(sent.recipient).toLowerCase()
  const names = (address: string): boolean => address.toLowerCase() === own
  return entries.find(one => names(one.originalRecipient)) ?? entries.find(one => names(one.finalRecipient))
}

function unrecognized(text: string): DsnEvent {
  return { action: 'unrecognized', code: 0, enhanced: '', text }
}
