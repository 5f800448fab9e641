// Puts together what the page shows of a message from the stores: the message as received, its recipients in queue and
// history, and its parts. Reading only; everything is bounded.
import type {
  Attempt,
  HistoryRepository,
  Job,
  Mailboxes,
  MessageRepository,
  QueueRepository,
  Retired,
  Storage,
  StoredMessage,
} from '@mox/plugin-sdk'
import {
  decodeText,
  decodeWords,
  formatAddress,
  type Part,
  parseStructure,
  pathToString,
  safeFilename,
  textParts,
} from '@mox/plugin-sdk/mail'
import type {
  MessageDetail,
  MessageList,
  MessageSummary,
  PartDetail,
  RecipientDetail,
  RecipientState,
} from './api-types.ts'
import { LISTENER } from './transport.ts'

/** Bytes of a message that are taken apart for the page. */
export const PARSE_LIMIT: number = 32 * 1024 * 1024
/** Characters of text shown. */
export const TEXT_LIMIT = 200_000
/** Recipients and parts shown. */
export const ROW_LIMIT = 1000

export interface Stores {
  readonly messages: MessageRepository
  readonly queue: QueueRepository
  readonly history: HistoryRepository
  readonly content: Storage['content']
  readonly mailboxes: Mailboxes
}

/** What a list of messages is asked for: all that is given must hold. Texts are parts of the value, in any case. */
export interface MessageFilter {
  readonly to?: string | undefined
  readonly from?: string | undefined
  readonly subject?: string | undefined
  /** Only newer ones. */
  readonly after?: number | undefined
}

/** Newest first. What the queue brought back to us is shown with its original only. */
export async function listMessages(
  stores: Stores,
  options: MessageFilter & { readonly limit: number; readonly before?: number },
): Promise<MessageList> {
  const messages: MessageSummary[] = []
  let before = options.before
  for (;;) {
    const rows = await stores.messages.list({ limit: options.limit, ...(before === undefined ? {} : { before }) })
    for (const row of rows) {
      before = row.id
      if (row.id <= (options.after ?? 0)) return { messages }
      if (row.source === LISTENER || !matches(row, options)) continue
      messages.push(summary(row, await recipients(stores, row)))
      if (messages.length === options.limit) return { messages, next: row.id }
    }
    if (rows.length < options.limit) return { messages }
  }
}

function matches(row: StoredMessage, { to, from, subject }: MessageFilter): boolean {
  const has = (value: string, part: string): boolean => value.toLowerCase().includes(part.toLowerCase())
  if (to !== undefined && !row.recipients.some(one => has(one, to))) return false
  if (from !== undefined && !has(pathToString(row.reversePath), from)) return false
  return subject === undefined || has(decodeWords(row.subject), subject)
}

/** The bytes that the page takes apart: what we put in front and the message as received. */
export async function sourceOf(stores: Stores, message: StoredMessage): Promise<Buffer> {
  return Buffer.concat([message.prefix, await stores.content.read(message.contentId, PARSE_LIMIT)])
}

export async function describeMessage(stores: Stores, message: StoredMessage): Promise<MessageDetail> {
  const rows = await recipients(stores, message)
  const bytes = await sourceOf(stores, message)
  const root = parseStructure(bytes)
  const { text, html } = textParts(root)
  const copies = await stores.mailboxes.copies(message.id)
  return {
    ...summary(message, rows),
    account: message.account,
    source: message.source,
    remoteIp: message.remoteIp,
    helo: message.helo,
    protocol: message.protocol,
    header: root.head.fields.slice(0, ROW_LIMIT).map(f => ({ name: f.name, value: decodeWords(f.value) })),
    ...(text === undefined ? {} : { text: decodeText(bytes, text).slice(0, TEXT_LIMIT) }),
    hasHtml: html !== undefined,
    ...(html === undefined ? {} : { html: decodeText(bytes, html).slice(0, TEXT_LIMIT) }),
    parts: flatten(root),
    problems: root.head.problems.map(p => p.kind),
    truncated: message.size > PARSE_LIMIT,
    trace: message.trace,
    recipientDetails: rows,
    copies: await Promise.all(
      copies.map(async c => ({
        account: c.account,
        mailbox: await mailboxName(stores, c.account, c.mailboxId),
        uid: c.uid,
      })),
    ),
  }
}

async function mailboxName(stores: Stores, account: string, id: number): Promise<string> {
  const all = await (await stores.mailboxes.store(account)).mailboxes()
  return all.find(m => m.id === id)?.name ?? ''
}

function summary(message: StoredMessage, rows: readonly RecipientDetail[]): MessageSummary {
  const states: Partial<Record<RecipientState, number>> = {}
  for (const row of rows) states[row.state] = (states[row.state] ?? 0) + 1
  return {
    id: message.id,
    kind: message.kind,
    receivedAt: message.receivedAt,
    from: message.reversePath === null ? '' : formatAddress(message.reversePath),
    recipients: message.recipients.slice(0, ROW_LIMIT),
    subject: decodeWords(message.subject),
    size: message.size,
    states,
  }
}

async function recipients(stores: Stores, message: StoredMessage): Promise<RecipientDetail[]> {
  const page = { limit: ROW_LIMIT }
  const [queued, retired] = [
    await stores.queue.list({ messageId: message.id }, page),
    await stores.history.list({ messageId: message.id }, page),
  ]
  const rows = [...queued.map(fromQueue), ...retired.map(fromHistory)].sort((a, b) => a.queueId - b.queueId)
  if (message.kind === 'submission') return rows
  const failed = new Set(rows.map(r => r.address))
  return [
    ...rows,
    ...message.recipients
      .filter(r => !failed.has(r))
      .map((address): RecipientDetail => ({ address, state: 'stored', attempts: [], trace: [] })),
  ]
}

type Queued = RecipientDetail & { readonly queueId: number }

const running = (a: Attempt | undefined): boolean => a?.outcome === 'running'

function fromQueue(job: Job): Queued {
  const state = running(job.results.at(-1)) ? 'trying' : job.hold ? 'held' : 'waiting'
  return {
    address: formatAddress(job.recipient),
    state,
    queueId: job.id,
    due: job.due,
    attempts: job.results,
    trace: [],
  }
}

function fromHistory(row: Retired): Queued {
  return {
    address: formatAddress(row.recipient),
    state: row.status,
    queueId: row.id,
    attempts: row.results,
    trace: row.trace,
  }
}

/** All parts in order of their bytes. */
function flatten(root: Part): PartDetail[] {
  const rows: PartDetail[] = []
  const attachments = new Set(textParts(root).attachments)
  const waiting: { part: Part; depth: number }[] = [{ part: root, depth: 0 }]
  for (let next = waiting.pop(); next !== undefined && rows.length < ROW_LIMIT; next = waiting.pop()) {
    const { part, depth } = next
    rows.push({
      path: part.path,
      depth,
      contentType: part.contentType,
      encoding: part.encoding,
      charset: part.charset,
      ...(part.filename === undefined ? {} : { filename: safeFilename(part.filename) }),
      size: part.size,
      problems: part.problems,
      attachment: attachments.has(part),
    })
    for (const child of [...part.children, ...(part.message === undefined ? [] : [part.message])].reverse())
      waiting.push({ part: child, depth: depth + 1 })
  }
  return rows
}

/** The part with that number; undefined when there is none. */
export function findPart(root: Part, path: string): Part | undefined {
  const waiting = [root]
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    if (part.path === path) return part
    waiting.push(...part.children, ...(part.message === undefined ? [] : [part.message]))
  }
  return undefined
}
