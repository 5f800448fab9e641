// v0 MessageGet and MessagePartGet: a stored message taken apart. Lenient: what cannot be read is left empty, never an error.
import type { MailboxMessage, StoredMessage } from '@mox/plugin-sdk'
import {
  decodeBody,
  decodeText,
  decodeWords,
  type Head,
  type Part,
  parseAddressList,
  parseDate,
  parseHeader,
  parseStructure,
  pathToString,
  textParts,
} from '@mox/plugin-sdk/mail'
import { MAX_TEXT } from '../limits.ts'
import { ApiError } from '../send/error.ts'
import { flagWords } from './flags.ts'
import { bytesOf, find, type MessageServices } from './messages.ts'

export async function messageGet(services: MessageServices, account: string, id: number): Promise<object> {
  const message = await find(services, account, id)
  const bytes = await bytesOf(services, message)
  const root = parseStructure(bytes)
  const stored = message.messageId === 0 ? undefined : await services.storage.messages.get(message.messageId)
  const store = await services.mailboxes.store(account)
  const mailbox = (await store.mailboxes()).find(m => m.id === message.mailboxId)
  return {
    Message: contentOf(bytes, root),
    Structure: structure(bytes, root),
    Meta: meta(message, root, stored, mailbox?.name ?? ''),
  }
}

/** The decoded body of a part; an empty path means the body of the message as it is. */
export async function partGet(
  services: MessageServices,
  account: string,
  request: { MsgID: number; PartPath: readonly number[] },
): Promise<{ readonly contentType: string; readonly body: Buffer }> {
  const bytes = await bytesOf(services, await find(services, account, request.MsgID))
  let part: Part | undefined = parseStructure(bytes)
  for (const index of request.PartPath) part = part?.children[index]
  if (part === undefined) throw new ApiError('partNotFound', 'the message has no such part', { path: ['PartPath'] })
  return { contentType: part.contentType, body: decodeBody(bytes, part) }
}

function contentOf(bytes: Buffer, root: Part): object {
  const { head } = root
  const readable = textParts(root)
  const addresses = (name: string): object[] =>
    parseAddressList(head.get(name) ?? '')
      .filter(entry => entry.address !== null || entry.name !== '')
      .map(({ name, address }) => ({
        Name: address === null ? '' : name,
        Address: address === null ? name : pathToString(address),
      }))
  const date = parseDate(head.get('date') ?? '')
  return {
    ...{ From: addresses('from'), To: addresses('to'), CC: addresses('cc'), BCC: addresses('bcc') },
    ReplyTo: addresses('reply-to'),
    MessageID: head.get('message-id') ?? '',
    References: references(head),
    Date: date === null ? null : new Date(date).toISOString(),
    Subject: decodeWords(head.get('subject') ?? ''),
    Text: textOf(bytes, readable.text),
    HTML: textOf(bytes, readable.html),
  }
}

/** In-Reply-To stands first when References does not have it. */
function references(head: Head): string[] {
  const words = (name: string): string[] => (head.get(name) ?? '').split(/\s+/).filter(word => word !== '')
  const all = words('references')
  return [...words('in-reply-to').filter(id => !all.includes(id)), ...all]
}

function textOf(bytes: Buffer, part: Part | undefined): string {
  if (part === undefined) return ''
  const text = decodeText(bytes, part).replaceAll('\r\n', '\n')
  const octets = Buffer.from(text)
  return octets.length <= MAX_TEXT ? text : octets.toString('utf8', 0, MAX_TEXT).replace(/\ufffd$/, '')
}

function structure(bytes: Buffer, part: Part): object {
  return {
    ContentType: part.contentType,
    ContentTypeParams: Object.fromEntries(part.params),
    ContentID: part.contentId === undefined ? '' : `<${part.contentId}>`,
    ContentDisposition: part.disposition,
    Filename: part.filename ?? '',
    DecodedSize: part.children.length > 0 ? part.size : decodeBody(bytes, part).length,
    Parts: part.children.map(child => structure(bytes, child)),
  }
}

function meta(message: MailboxMessage, root: Part, stored: StoredMessage | undefined, mailbox: string): object {
  const [, report] = root.children
  const results = authenticationResults(stored?.prefix)
  const from = parseAddressList(root.head.get('from') ?? '').find(entry => entry.address !== null)
  return {
    Size: message.size,
    DSN:
      root.contentType === 'multipart/report' &&
      /^message\/(?:global-)?delivery-status$/.test(report?.contentType ?? ''),
    Flags: flagWords(message),
    MailFrom: message.mailFrom,
    MailFromValidated: /\bspf=pass\b/.test(results),
    RcptTo: message.rcptTo,
    MsgFrom: pathToString(from?.address ?? null),
    MsgFromValidated: /\bdmarc=pass\b/.test(results),
    DKIMVerifiedDomains: Array.from(results.matchAll(/\bdkim=pass\b[^;]*?\bheader\.d=([a-z0-9.-]+)/g), m => m[1] ?? ''),
    RemoteIP: stored?.remoteIp ?? '',
    MailboxName: mailbox,
  }
}

/** Of the fields that we put in front ourselves; those of the message are the sender's word. */
function authenticationResults(prefix: Buffer | undefined): string {
  if (prefix === undefined) return ''
  return parseHeader(prefix)
    .all('authentication-results')
    .map(field => field.value.toLowerCase().replace(/\([^()]*\)/g, ' '))
    .join('; ')
}
