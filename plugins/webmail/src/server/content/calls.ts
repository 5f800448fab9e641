// Calls about one message: what it shows, its insides, its way here, leaving the list that it came from.
import type {
  ListedMessage,
  Log,
  Mailboxes,
  MailboxMessage,
  Storage,
  TextPart,
  WebmailExtension,
} from '@mox/plugin-sdk'
import { alignedDomains, decodeText, decodeWords, messageView, parseDomain, parseStructure } from '@mox/plugin-sdk/mail'
import type { OpenedMessage } from '../../api/model.ts'
import { CallError, type Caller, type Handlers } from '../call.ts'
import { slice } from './decoder.ts'
import { MESSAGE_PARTS, PANEL_BYTES, PANEL_PART_BYTES, PANEL_PARTS } from './limits.ts'
import { pathsOf } from './outline.ts'
import type { OpenedContent } from './read.ts'
import { type Reader, UnreadableError } from './reader.ts'
import { type TraceStores, traceOf } from './trace.ts'
import { type UnsubscribeDeps, unsubscribe } from './unsubscribe.ts'
import type { ViewModes } from './view-modes.ts'

export interface ContentCallDeps extends UnsubscribeDeps {
  readonly mailboxes: Pick<Mailboxes, 'message' | 'open' | 'store'>
  readonly storage: TraceStores & Pick<Storage, 'messages'>
  readonly extensions: readonly WebmailExtension[]
  readonly log: Log
  readonly reader: Reader
  readonly viewModes: ViewModes
  /** Whether our server fetches images from elsewhere. */
  readonly proxied: boolean
}

export type ContentCalls = Handlers<
  'message' | 'zipEntries' | 'viewMode' | 'internals' | 'trace' | 'findMessageId' | 'decodeWords' | 'unsubscribe'
>

export function makeContentCalls(deps: ContentCallDeps): ContentCalls {
  const { reader, viewModes } = deps
  return {
    message: async ({ id }, caller) => await openMessage(deps, await ownMessage(deps, id, caller)),
    viewMode: async ({ address, mode }, { account }) => {
      await viewModes.set(account, address, mode)
      return {}
    },
    internals: async ({ id }, caller) => {
      const message = await ownMessage(deps, id, caller)
      const { structure, part } = await readable(reader.read(id, message.size, { kind: 'internals' }))
      return { structure, record: { ...message, listed: await listed(deps, message) }, part }
    },
    zipEntries: async ({ id, path }, caller) => {
      const message = await ownMessage(deps, id, caller)
      const listing = await readable(reader.read(id, message.size, { kind: 'zip', path }))
      if (listing === null) throw new CallError('refused', 'this is no zip archive, or it is damaged')
      return { entries: [...listing.entries], more: listing.more }
    },
    trace: async ({ id }, caller) => await traceOf(deps.storage, await ownMessage(deps, id, caller)),
    findMessageId: async ({ messageId }, { account }) => {
      const found = await (await deps.mailboxes.store(account)).withMessageId(messageId)
      return { ids: found.map(message => message.id) }
    },
    decodeWords: async ({ text }) => ({ text: decodeWords(text) }),
    unsubscribe: async ({ id }, caller, signal) => {
      const message = await ownMessage(deps, id, caller)
      const { unsubscribe: way } = await reader.open(id, message.size)
      if (way === null) throw new CallError('refused', 'this message does not say how to unsubscribe')
      return await unsubscribe(deps, way, message, caller, signal)
    },
  }
}

/** Ids of others, and of nothing, are the same to the caller. */
async function ownMessage({ mailboxes }: ContentCallDeps, id: number, caller: Caller): Promise<MailboxMessage> {
  const message = await mailboxes.message(id)
  if (message === undefined || message.account !== caller.account)
    throw new CallError('notFound', 'this message is not there any more')
  return message
}

async function readable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof UnreadableError) throw new CallError('refused', 'this message could not be taken apart')
    throw error
  }
}

async function openMessage(deps: ContentCallDeps, message: MailboxMessage): Promise<OpenedMessage> {
  const { received, ...content } = await deps.reader.open(message.id, message.size)
  const record = message.messageId === 0 ? undefined : await deps.storage.messages.get(message.messageId)
  const from = content.from.length === 1 ? (content.from[0]?.address ?? '') : ''
  // Who submits here may only write as an address of the own account: that is checked when mail is accepted.
  const submitted = record?.kind === 'submission' && record.account !== ''
  const mailboxes = await (await deps.mailboxes.store(message.account)).mailboxes()
  const role = mailboxes.find(mailbox => mailbox.id === message.mailboxId)?.specialUse ?? []
  return {
    ...content,
    id: message.id,
    receivedAt: message.receivedAt,
    viewMode: from === '' ? null : await deps.viewModes.get(message.account, from),
    ...(submitted ? { tls: null, withoutTls: false, requireTls: false } : transport(message, received)),
    authentication: submitted ? 'pass' : authentication(message.verifiedDomains, from, content),
    draft: role.includes('drafts'),
    proxied: deps.proxied,
    panels: await panels(deps, message, content),
  }
}

/**
 * What the domains that SPF and DKIM vouched for at delivery say of the one address in From, relaxed as in RFC 7489 §3.1. When
 * there are none, nothing was checked or nothing passed. Lists send with domains of their own.
 */
export function authentication(
  verified: readonly string[],
  from: string,
  { forwarded, listId, listAddress }: Pick<OpenedMessage, 'forwarded' | 'listId' | 'listAddress'>,
): OpenedMessage['authentication'] {
  if (verified.length === 0) return 'unknown'
  const parsed = parseDomain(from.slice(from.lastIndexOf('@') + 1), { smtputf8: true })
  if (parsed.ok && verified.some(domain => alignedDomains(domain, parsed.domain))) return 'pass'
  return forwarded || listId !== '' || listAddress !== '' ? 'forwarded' : 'fail'
}

/** From the Received field that we wrote; messages that came in another way have none. */
export function transport(
  { messageId }: Pick<MailboxMessage, 'messageId'>,
  received: string,
): Pick<OpenedMessage, 'tls' | 'withoutTls' | 'requireTls'> {
  const protocol = / with (UTF8SMTP|ESMTP|SMTP)(S?)A?(?: |$)/.exec(received)
  if (messageId === 0 || protocol === null) return { tls: null, withoutTls: false, requireTls: false }
  const [, version = '', cipher = ''] = / \((TLSv[\d.]+) ([\w-]+)\)/.exec(received) ?? []
  const secure = protocol[2] === 'S'
  return {
    tls: secure ? { version, cipher } : null,
    withoutTls: !secure,
    requireTls: received.includes(' (requiretls) '),
  }
}

/** What extensions have to say of a message; they see at most its first PANEL_BYTES. */
async function panels(
  { extensions, mailboxes, log }: ContentCallDeps,
  { id, account }: MailboxMessage,
  content: Omit<OpenedContent, 'received'>,
): Promise<Record<string, unknown>> {
  const found: [string, unknown][] = []
  const asked = extensions.filter(extension => extension.panel !== undefined)
  // What could not be read in time is not read here either.
  if (asked.length === 0 || content.headers.length === 0) return {}
  const chunks: Buffer[] = []
  for await (const chunk of slice(await mailboxes.open(id), 0, PANEL_BYTES)) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  const view = messageView(bytes)
  const parts = (contentType: string): readonly TextPart[] => textParts(bytes, contentType.toLowerCase())
  for (const extension of asked) {
    try {
      const data = extension.panel?.({ id, account, view, parts })
      if (data !== undefined) found.push([extension.name, data])
    } catch (err) {
      log.warn({ err, id, extension: extension.name }, 'extension failed on a message; its panel is left out')
    }
  }
  return Object.fromEntries(found)
}

function textParts(bytes: Buffer, contentType: string): readonly TextPart[] {
  const { paths } = pathsOf(parseStructure(bytes, { parts: MESSAGE_PARTS }))
  const found = [...paths].filter(([part]) => part.contentType === contentType).slice(0, PANEL_PARTS)
  return found.map(([part, path]) => {
    const end = Math.min(part.end, part.bodyStart + PANEL_PART_BYTES)
    return { path, text: decodeText(bytes, { ...part, end }).replace(/\r\n?/g, '\n') }
  })
}

async function listed({ mailboxes }: ContentCallDeps, { id, account }: MailboxMessage): Promise<ListedMessage | null> {
  return (await (await mailboxes.store(account)).listed([id]))[0] ?? null
}
