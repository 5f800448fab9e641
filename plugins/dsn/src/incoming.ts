// Reports that come in. At the end of DATA a look at the header section says whether a message may be one; after it was filed it
// is read, matched, and told to the history and to the handlers of onDSN.done.
import {
  type Attempt,
  type Clock,
  type Directory,
  type DsnEvent,
  defineFact,
  type FactToken,
  type HookRunner,
  type Log,
  type ReceiveData,
  type ReceiveDone,
  type Retired,
  type Storage,
} from '@mox/plugin-sdk'
import { type Head, parseAddress, parseHeader } from '@mox/plugin-sdk/mail'
import { findRecipients } from './match.ts'
import { parseReport, REPORT_BYTES } from './parse/report.ts'
import type { ParsedRecipient, ParsedReport } from './parse/types.ts'

/** `report`: looks like one. `other`: does not, but a handler of onDSN.match may know better. */
export const dsnCandidate: FactToken<'report' | 'other'> = defineFact('dsn-candidate', { persist: true })

/** Accounts that one report is looked at for. */
const ACCOUNTS = 10
/** Entries of a recipient's log after which reports change nothing any more: anybody can send many. */
export const LONGEST_LOG = 200
/** Characters of an event's text. */
const EVENT_TEXT_LENGTH = 2_000

export interface IncomingDeps {
  readonly storage: Storage
  readonly directory: Directory
  readonly hooks: HookRunner
  readonly clock: Clock
  readonly log: Log
}

interface Event {
  readonly queueId: number
  readonly matchedBy: string
  readonly event: DsnEvent
}

const SERVERS = /(?:^|<)(?:mailer-daemon|postmaster|mail-daemon)@|^mailer-daemon\b/i

/** Null reverse-paths, reports by their type, and what mail servers and programs wrote. */
export function looksLikeReport(head: Head, reversePath: unknown): boolean {
  if (reversePath === null) return true
  if (/^multipart\/report\b/i.test(head.get('content-type') ?? '')) return true
  if (head.count('x-failed-recipients') > 0) return true
  return SERVERS.test(head.get('from') ?? '')
}

/** onReceive.data: only the header section is looked at. */
export function candidate(
  { session, head, envelope }: Pick<ReceiveData, 'session' | 'head' | 'envelope'>,
  hooks: HookRunner,
): 'report' | 'other' | undefined {
  if (session.kind !== 'delivery') return undefined
  if (looksLikeReport(head, envelope.reversePath)) return 'report'
  return hooks.has('onDSN.match') ? 'other' : undefined
}

/** onReceive.done of a candidate. May run again for the same message. */
export async function readReport(
  deps: IncomingDeps,
  { messageId, recipients }: ReceiveDone,
  looks: 'report' | 'other',
  signal: AbortSignal,
): Promise<void> {
  const { storage, log } = deps
  const message = await storage.messages.get(messageId)
  if (message === undefined) return
  const owners = await ownersOf(deps, recipients)
  const bytes = await storage.content.read(message.contentId, REPORT_BYTES)
  const head = parseHeader(bytes)
  if (deps.hooks.has('onDSN.match')) {
    for (const [account, recipient] of owners) {
      const content = () => storage.content.open(message.contentId)
      const input = { messageId, recipient, account, head, content }
      const { verdict } = await deps.hooks.decide('onDSN.match', input, { signal, facts: message.facts, recipient })
      if (verdict.kind !== 'match') continue
      const { queueId, event } = verdict
      await apply(deps, messageId, account, [{ queueId, event, matchedBy: verdict.reason ?? 'plugin' }])
      return
    }
  }
  if (looks !== 'report') return
  const report = parseReport(bytes)
  if (report.recipients.length === 0) return
  for (const account of owners.keys()) {
    const found = await findRecipients(storage, account, report)
    const events = found.map(({ queueId, matchedBy, said }) => ({ queueId, matchedBy, event: eventOf(said, report) }))
    log.info(
      { messageId, account, kind: report.kind, recipients: report.recipients.length, matched: events.length },
      'report read',
    )
    if (events.length > 0) await apply(deps, messageId, account, events)
  }
}

/** Accounts that got the message, each with the address it came for. */
async function ownersOf(
  { directory }: IncomingDeps,
  recipients: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const owners = new Map<string, string>()
  for (const recipient of recipients) {
    const parsed = parseAddress(recipient)
    if (!parsed.ok || owners.size >= ACCOUNTS) continue
    const found = await directory.resolve(parsed.path)
    const accounts =
      found.kind === 'account' ? [found.account] : found.kind === 'alias' ? found.members.map(m => m.account) : []
    for (const account of accounts) if (owners.size < ACCOUNTS && !owners.has(account)) owners.set(account, recipient)
  }
  return owners
}

function eventOf(said: ParsedRecipient, { reportingMta }: ParsedReport): DsnEvent {
  const { action, code, status, diagnostic, remoteMta } = said
  const host = remoteMta === '' ? reportingMta : remoteMta
  return {
    ...{ action, code, enhanced: status, text: diagnostic.slice(0, EVENT_TEXT_LENGTH) },
    ...(host === '' ? {} : { remoteMta: host }),
  }
}

/** One unit of work: what the report said is in the history, and everybody who wants to know will. */
async function apply(deps: IncomingDeps, reportId: number, account: string, events: readonly Event[]): Promise<void> {
  const { storage, hooks, log } = deps
  const facts = (await storage.messages.get(reportId))?.facts ?? {}
  await storage.write(async () => {
    for (const { queueId, matchedBy, event } of events) {
      const retired = await storage.history.get(queueId)
      const owner = retired?.account ?? (await storage.queue.get(queueId))?.account
      // A report is only believed by who sent the message.
      if (owner !== account) continue
      if (retired !== undefined && !(await record(deps, { reportId, matchedBy }, retired, event))) continue
      await hooks.emit('onDSN.done', { queueId, account, event, reportId, matchedBy }, facts)
      log.info({ reportId, queueId, account, action: event.action, matchedBy }, 'report matched')
    }
    storage.notify('messages')
  })
}

const OUTCOMES: Readonly<Record<DsnEvent['action'], Attempt['outcome']>> = {
  ...{ failed: 'permanent', delayed: 'temporary', delivered: 'delivered', relayed: 'delivered', expanded: 'delivered' },
  ...{ complained: 'delivered', unrecognized: 'delivered' },
}

/** False when it is known already, or when there are too many. */
async function record(
  { storage, clock }: IncomingDeps,
  { reportId, matchedBy }: { readonly reportId: number; readonly matchedBy: string },
  retired: Retired,
  { action, code, enhanced, text, remoteMta }: DsnEvent,
): Promise<boolean> {
  const { results, status } = retired
  if (results.length >= LONGEST_LOG || results.some(one => one.reportId === reportId)) return false
  const now = clock.now()
  const entry: Attempt = {
    ...{ number: 0, startedAt: now, endedAt: now, outcome: OUTCOMES[action], code, enhanced, reportId, matchedBy },
    text: `${action}, says a report: ${text}`.slice(0, EVENT_TEXT_LENGTH),
    ...(remoteMta === undefined ? {} : { remoteHost: remoteMta }),
  }
  await storage.history.update(retired.id, {
    ...{ results: [...results, entry], lastActivity: now },
    ...(action === 'failed' && status === 'delivered' ? { status: 'failed' } : {}),
  })
  return true
}
