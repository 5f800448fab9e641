// What server and page speak of. Each shape is a zod schema, from which come the types and the checks on both ends. This folder
// is part of the page as well: it uses nothing of Node. Times are milliseconds since the epoch, sizes are bytes.
import { SEARCH_CONDITIONS, SEARCH_QUERY_LENGTH } from '@mox/plugin-sdk/search'
import { z } from 'zod'

export const id = z.int().min(1)
export const time = z.int().min(0)
/** A line of a header field: no control characters. */
export const line = z
  .string()
  .max(2_000)
  .regex(/^[^\x00-\x08\x0a-\x1f\x7f]*$/, 'must not have line breaks or control characters')

export const FLAGS = [
  ...(['seen', 'answered', 'flagged', 'forwarded', 'junk'] as const),
  ...(['notjunk', 'deleted', 'draft', 'phishing', 'mdnSent'] as const),
] as const
export const flags = z.object({
  ...{ seen: z.boolean(), answered: z.boolean(), flagged: z.boolean(), forwarded: z.boolean(), junk: z.boolean() },
  ...{ notjunk: z.boolean(), deleted: z.boolean(), draft: z.boolean(), phishing: z.boolean(), mdnSent: z.boolean() },
})
export type FlagSet = z.infer<typeof flags>

export const SPECIAL_USES = ['archive', 'drafts', 'junk', 'sent', 'trash'] as const
export const specialUse = z.enum(SPECIAL_USES)

/** "local@domain" with a Unicode domain, and a display name or ''. */
export const nameAddress = z.object({ name: z.string(), address: z.string() })
export type NameAddress = z.infer<typeof nameAddress>

export const mailbox = z.object({
  id,
  name: z.string(),
  modseq: z.int(),
  specialUse: z.array(specialUse),
  keywords: z.array(z.string()),
  total: z.int(),
  unread: z.int(),
  size: z.int(),
  subscribed: z.boolean(),
  /** Mail of first-time senders comes here. */
  introbox: z.boolean(),
})
export type Mailbox = z.infer<typeof mailbox>

export const attachmentKind = z.enum([
  ...(['image', 'pdf', 'archive', 'spreadsheet', 'document', 'presentation', 'calendar', 'other'] as const),
])

/** A row of the list. */
export const item = z.object({
  id,
  mailboxId: id,
  modseq: z.int(),
  receivedAt: time,
  sentAt: z.int().nullable(),
  size: z.int(),
  flags,
  keywords: z.array(z.string()),
  threadId: z.int(),
  threadParentId: z.int(),
  threadMissingLink: z.boolean(),
  threadMuted: z.boolean(),
  threadCollapsed: z.boolean(),
  messageIdHeader: z.string(),
  subject: z.string(),
  from: z.array(nameAddress),
  to: z.array(nameAddress),
  cc: z.array(nameAddress),
  bcc: z.array(nameAddress),
  preview: z.string(),
  attachments: z.array(attachmentKind),
  /** False: shown only because its thread is. */
  matches: z.boolean(),
  /** Badges that extensions gave it, by extension and badge name: "invitations/invite". */
  badges: z.array(z.string()),
})
export type Item = z.infer<typeof item>

const searched = z.string().max(SEARCH_QUERY_LENGTH)
const text = z.strictObject({ text: searched, not: z.boolean() })
/** At most as many as a search as typed can have, with those of narrowing it. */
const conditions = <T extends z.ZodType>(condition: T) =>
  z
    .array(condition)
    .max(2 * SEARCH_CONDITIONS)
    .optional()
/** MessageFilter of the SDK, as JSON. */
export const filter = z.strictObject({
  words: conditions(z.strictObject({ text: searched, not: z.boolean(), phrase: z.boolean() })),
  from: conditions(text),
  to: conditions(text),
  subject: conditions(text),
  labels: conditions(text),
  attachments: conditions(
    z.strictObject({ kind: z.enum([...attachmentKind.options, 'any', 'none']), not: z.boolean() }),
  ),
  files: conditions(text),
  bodies: conditions(z.strictObject({ kind: z.enum(['text', 'html']), not: z.boolean() })),
  headers: conditions(z.strictObject({ name: searched, value: searched })),
  start: z.int().optional(),
  end: z.int().optional(),
  sentStart: z.int().optional(),
  sentEnd: z.int().optional(),
  minSize: z.int().optional(),
  maxSize: z.int().optional(),
})

/** What a view shows. Refining (unread, label, …) is part of the filter. */
export const viewQuery = z.strictObject({
  /** `usual`: all but Trash, Junk and Rejects. A name lets a page open a mailbox before it knows ids. */
  scope: z.union([
    z.literal(['usual', 'all']),
    z.strictObject({ mailbox: z.union([id, z.string().max(1_000)]), below: z.boolean().optional() }),
  ]),
  filter: filter.optional(),
  order: z.enum(['newest', 'oldest']),
  threads: z.boolean(),
})
export type ViewQuery = z.infer<typeof viewQuery>

/** A thread of a view, messages by time of receipt; without threading each message is one. */
export const listedThread = z.object({ threadId: z.int(), total: z.int(), messages: z.array(item) })
export type ListedThread = z.infer<typeof listedThread>

/** "0", "0.1": indices from the root of the MIME tree, which is "0". */
export const partPath = z.string().regex(/^0(\.\d{1,4}){0,20}$/)
export const attachment = z.object({
  path: partPath,
  filename: z.string(),
  contentType: z.string(),
  kind: attachmentKind,
  size: z.int(),
  contentId: z.string(),
  /** How the page may show it: as an image, in a frame as text, as a message or as PDF; none: download only. */
  viewable: z.enum(['image', 'text', 'message', 'pdf', 'zip', 'none']),
})
export type Attachment = z.infer<typeof attachment>

export const viewMode = z.enum(['text', 'html', 'external'])
export type ViewMode = z.infer<typeof viewMode>

/** An opened message. */
export const openedMessage = z.object({
  id,
  from: z.array(nameAddress),
  sender: z.array(nameAddress),
  replyTo: z.array(nameAddress),
  to: z.array(nameAddress),
  cc: z.array(nameAddress),
  bcc: z.array(nameAddress),
  subject: z.string(),
  date: z.int().nullable(),
  receivedAt: time,
  /** With angle brackets; '' when absent. */
  messageId: z.string(),
  references: z.array(z.string()),
  /** All fields in order, decoded for reading. */
  headers: z.array(z.object({ name: z.string(), value: z.string() })),
  texts: z.array(z.object({ path: partPath, text: z.string(), truncated: z.boolean(), alternate: z.boolean() })),
  /** '' without one. */
  htmlPath: z.string(),
  /** The HTML asks for something from elsewhere, which is not loaded unless asked. */
  hasExternal: z.boolean(),
  /** Our server fetches it, so that its sender does not learn who asks. */
  proxied: z.boolean(),
  /** Images that only tell the sender that the message was opened, and where they are; never loaded. */
  trackers: z.int(),
  trackerHosts: z.array(z.string()),
  attachments: z.array(attachment),
  signed: z.boolean(),
  encrypted: z.boolean(),
  forwarded: z.boolean(),
  /** Of List-Post; '' for none, or not from a list. */
  listAddress: z.string(),
  listId: z.string(),
  /** How to unsubscribe: one click (RFC 8058), a mail, a page; null for none. */
  unsubscribe: z.object({ kind: z.enum(['oneclick', 'mailto', 'web']), target: z.string() }).nullable(),
  /** Remembered for the address in From. */
  viewMode: viewMode.nullable(),
  /** TLS of how it came to us; null: unknown, such as for a draft. */
  tls: z.object({ version: z.string(), cipher: z.string() }).nullable(),
  withoutTls: z.boolean(),
  requireTls: z.boolean(),
  /** Whether the domain in From is who sent it. */
  authentication: z.enum(['pass', 'forwarded', 'fail', 'unknown']),
  /** The draft that a message in Drafts can be edited as. */
  draft: z.boolean(),
  /** Why parts are missing, for the reader; '' when nothing is. */
  notice: z.string(),
  /** What panels of extensions show, by extension name: JSON of their own. */
  panels: z.record(z.string(), z.unknown()),
})
export type OpenedMessage = z.infer<typeof openedMessage>

export const QUOTING = ['auto', 'top', 'bottom'] as const
/** Of the account that is logged in. Times are milliseconds since the epoch. */
export const loginSecurity = z.object({
  /** False where the server has nothing of this. */
  available: z.boolean(),
  /** null: there is no second factor. */
  secondFactorSince: time.nullable(),
  /** Not used yet. */
  recoveryCodes: z.int(),
  passkeys: z.array(z.object({ id: z.string(), name: z.string(), createdAt: time, usedAt: time.nullable() })),
  appPasswords: z.array(z.object({ id: z.string(), name: z.string(), createdAt: time, usedAt: time.nullable() })),
})
export type LoginSecurity = z.infer<typeof loginSecurity>

/** Preferences of the account, the same in every browser. */
export const settings = z.strictObject({
  signature: z.string().max(10_000),
  quoting: z.enum(QUOTING),
  showAddressSecurity: z.boolean(),
  preferHtml: z.boolean(),
  shortcutHints: z.boolean(),
  /** Names of header fields shown with every message. */
  showHeaders: z.array(line.max(100)).max(50),
  theme: z.enum(['auto', 'light', 'dark']),
  layout: z.enum(['auto', 'leftright', 'topbottom']),
  threading: z.enum(['off', 'on', 'unread']),
  order: z.enum(['newest', 'oldest']),
  /** Seconds in which sending can be undone; 0: sent at once. */
  sendDelay: z.int().min(0).max(120),
  /** Compose in rich text, with a plain alternative. */
  richText: z.boolean(),
  /** Keys of commands that differ from the defaults, by command id; '' for none. */
  keys: z.record(z.string().max(100), z.string().max(40)),
  singleKeys: z.boolean(),
  collapsed: z.array(id).max(10_000),
  /** Per address: name, signature, Reply-To, Bcc. The signature of the account where absent. */
  identities: z
    .array(
      z.strictObject({
        address: line.max(320),
        name: line.max(200),
        signature: z.string().max(10_000).nullable(),
        replyTo: line.max(320),
        bcc: line.max(320),
      }),
    )
    .max(200),
  templates: z
    .array(z.strictObject({ name: line.max(100), subject: line.max(998), text: z.string().max(100_000) }))
    .max(200),
  searches: z.array(z.strictObject({ name: line.max(100), query: z.string().max(2_000) })).max(100),
  labels: z
    .array(
      z.strictObject({
        keyword: line.max(100),
        name: line.max(100),
        color: z.enum(['grey', 'red', 'orange', 'yellow', 'green', 'blue', 'purple']),
        key: z.enum(['', '1', '2', '3', '4', '5', '6', '7', '8', '9']),
      }),
    )
    .max(100),
  /** Of extensions, by extension name. */
  extensions: z.record(z.string().max(100), z.unknown()),
})
export type Settings = z.infer<typeof settings>

/** An address that the user may write as. */
export const identity = z.object({
  name: z.string(),
  /** "local@domain"; "@domain" for any localpart of it. */
  address: z.string(),
})
export type Identity = z.infer<typeof identity>

/** A login, as the list of devices shows it. */
export const device = z.object({
  id: z.string(),
  current: z.boolean(),
  loginAddress: z.string(),
  userAgent: z.string(),
  remoteIp: z.string(),
  createdAt: time,
  usedAt: time,
})
export type Device = z.infer<typeof device>

/** A file of a draft. */
export const draftAttachment = z.object({
  id: z.string(),
  filename: z.string(),
  contentType: z.string(),
  size: z.int(),
})
export type DraftAttachment = z.infer<typeof draftAttachment>

/** Characters of a draft's text, and of the same with formatting. */
export const MAX_TEXT = 1_000_000

/** What is being written. */
export const draft = z.strictObject({
  from: line.max(1_000),
  to: z.array(line.max(1_000)).max(1_000),
  cc: z.array(line.max(1_000)).max(1_000),
  bcc: z.array(line.max(1_000)).max(1_000),
  replyTo: z.array(line.max(1_000)).max(10),
  subject: line.max(998),
  text: z.string().max(MAX_TEXT),
  /** Of the rich text editor; null for plain text. */
  html: z.string().max(MAX_TEXT).nullable(),
  /** The message that it answers or forwards. */
  response: z.strictObject({ messageId: id, kind: z.enum(['reply', 'forward']) }).nullable(),
  /** null: as the recipients' domains say; true: REQUIRETLS; false: even without TLS. */
  requireTls: z.boolean().nullable(),
  /** Not before this time. */
  sendAt: time.nullable(),
})
export type Draft = z.infer<typeof draft>

/** A draft as stored. */
export const savedDraft = z.object({
  /** Stable over saves. */
  id: z.string(),
  /** The copy in Drafts; changes with every save that changes something. */
  messageId: id.nullable(),
  revision: z.int(),
  draft,
  attachments: z.array(draftAttachment),
})
export type SavedDraft = z.infer<typeof savedDraft>

const security = z.enum(['yes', 'no', 'unknown', 'error'])
export const recipientSecurity = z.object({
  starttls: security,
  mtaSts: security,
  dnssec: security,
  dane: security,
  requireTls: security,
})
export type RecipientSecurity = z.infer<typeof recipientSecurity>

/** A recipient of a sent message that is on its way, or ended. */
export const outgoing = z.object({
  queueId: id,
  messageId: id,
  to: z.string(),
  from: z.string(),
  subject: z.string(),
  size: z.int(),
  queuedAt: time,
  /** `scheduled`: not tried yet and due later than now by wish of the sender. */
  state: z.enum(['scheduled', 'waiting', 'trying', 'hold']),
  due: time,
  attempts: z.int(),
  lastError: z.string(),
  /** For `sendUndo`: the message can be taken back and edited; null when not. */
  sent: z.string().nullable(),
})
export type Outgoing = z.infer<typeof outgoing>

/** A step of the way of a message: hooks' verdicts, attempts and their replies. */
export const traceStep = z.object({
  at: time.nullable(),
  stage: z.string(),
  /** The recipient it was about; '' for all. */
  recipient: z.string(),
  plugin: z.string(),
  verdict: z.string(),
  text: z.string(),
  ms: z.number().nullable(),
})
export type TraceStep = z.infer<typeof traceStep>
