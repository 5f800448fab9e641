// Which of our recipients a report is about: by the envelope id that we gave the next hop, else by the Message-ID of what was
// returned. Exim gives ENVID and ORCPT back as they came, in xtext: both forms count. Only recipients that the receiving account wrote to count, so that nobody's report changes the history of others.
import type { Job, Retired, Storage } from '@mox/plugin-sdk'
import { decodeXtext, encodeXtext, formatAddress } from '@mox/plugin-sdk/mail'
import type { ParsedRecipient, ParsedReport } from './parse/types.ts'
import { addressOf } from './parse/values.ts'

/** Recipients of messages with one id that are looked at. */
const CANDIDATES = 1_000

export type MatchedBy = 'envid' | 'message-id'

export interface Found {
  readonly queueId: number
  readonly matchedBy: MatchedBy
  readonly said: ParsedRecipient
}

export async function findRecipients(storage: Storage, account: string, report: ParsedReport): Promise<Found[]> {
  const { envelopeId, messageId } = report
  if (account === '') return []
  for (const envid of new Set([envelopeId, decodeXtext(envelopeId) ?? ''])) {
    if (envid === '') continue
    const found = pair(await sentBy(storage, { account, envid }), report, 'envid')
    if (found.length > 0) return found
  }
  if (messageId === '') return []
  return pair(await sentBy(storage, { account, messageIdHeader: messageId }), report, 'message-id')
}

async function sentBy(
  storage: Storage,
  filter: { readonly account: string; readonly envid?: string; readonly messageIdHeader?: string },
): Promise<(Job | Retired)[]> {
  const page = { limit: CANDIDATES }
  return [...(await storage.history.list(filter, page)), ...(await storage.queue.list(filter, page))]
}

function pair(rows: readonly (Job | Retired)[], report: ParsedReport, matchedBy: MatchedBy): Found[] {
  const byAddress = new Map<string, number>()
  for (const { id, recipient, orcpt } of rows) {
    const original = addressOf(orcpt)
    for (const name of [formatAddress(recipient), original, encodeXtext(original)]) {
      const address = name.toLowerCase()
      if (address !== '' && !byAddress.has(address)) byAddress.set(address, id)
    }
  }
  const found = new Map<number, Found>()
  for (const said of report.recipients) {
    const id = byAddress.get(said.originalRecipient.toLowerCase()) ?? byAddress.get(said.finalRecipient.toLowerCase())
    if (id !== undefined && !found.has(id)) found.set(id, { queueId: id, matchedBy, said })
  }
  // Forwarded on the way: the report names an address that we never wrote to, but there is only one that it can mean.
  const [row, ...otherRows] = rows
  const [said, ...others] = report.recipients
  const certain = found.size === 0 && otherRows.length === 0 && others.length === 0
  if (certain && row !== undefined && said !== undefined) return [{ queueId: row.id, matchedBy, said }]
  return [...found.values()]
}
