// The calls of the API: POST api/NAME with a JSON object, header x-mox-csrf, and the session's cookie. What is not allowed to
// a call is refused by its schema before anything is done, on both ends. An answer that is not 200 has {error: {code, message}}.
import { z } from 'zod'
import {
  device,
  draft,
  draftAttachment,
  FLAGS,
  id,
  identity,
  item,
  line,
  loginSecurity,
  mailbox,
  nameAddress,
  openedMessage,
  outgoing,
  partPath,
  recipientSecurity,
  savedDraft,
  settings,
  specialUse,
  time,
  traceStep,
  viewMode,
  viewQuery,
} from './model.ts'

/** Rows of one page; threads count as one. */
export const MAX_PAGE = 500
/** Messages that one call changes. */
export const MAX_IDS = 10_000
/** Bytes of a call's body. */
export const CALL_BYTES: number = 4 * 1024 * 1024

export const ids = z.array(id).min(1).max(MAX_IDS)
const nothing = z.object({})
const name = z.string().min(1).max(1_000)
const flag = z.enum(FLAGS)
const keyword = z.string().min(1).max(100)

/** A rule as `DeliveryRule` of the SDK has it. */
export const rule = z.strictObject({
  recipient: z.string(),
  mailFrom: z.string().optional(),
  msgFrom: z.string().optional(),
  verifiedDomain: z.string().optional(),
  headers: z.array(z.strictObject({ name: z.string(), value: z.string() })).optional(),
  forward: z.boolean().optional(),
  listAllowDomain: z.string().optional(),
  acceptRejects: z.string().optional(),
  mailbox: z.string(),
  comment: z.string(),
})

/** What is needed to take a change back. */
export const undo = z.object({
  /** Former mailbox of each moved message. */
  moved: z.array(z.object({ id, mailboxId: id })).max(MAX_IDS),
  /** What makes changed flags and keywords as they were; what else was changed since stays. */
  flags: z
    .array(
      z.object({
        ids: z.array(id).max(MAX_IDS),
        set: z.array(flag).max(FLAGS.length),
        clear: z.array(flag).max(FLAGS.length),
        addKeywords: z.array(keyword).max(200),
        removeKeywords: z.array(keyword).max(200),
      }),
    )
    .max(MAX_IDS),
})
export type Undo = z.infer<typeof undo>

const call = <P extends z.ZodObject, R extends z.ZodType>(params: P, result: R) => ({ params, result })

const password = z.string().max(1_000)
/** In base64url. */
const bytes = z.string().regex(/^[A-Za-z0-9_-]{1,8000}$/)
const passkeyAnswer = z.strictObject({ id: bytes, clientData: bytes, authenticatorData: bytes, signature: bytes })

export const calls = {
  // Login. These four need no session.
  loginPrepare: call(z.strictObject({}), z.object({ loginToken: z.string() })),
  login: call(
    z.strictObject({ loginToken: z.string().max(100), address: z.string().max(320), password: z.string().max(1_000) }),
    /** `csrf` is '' when a code is needed: `proof` is for `loginCode` then. */
    z.object({
      ...{ csrf: z.string(), account: z.string(), proof: z.string() },
      /** For navigator.credentials.get, as JSON; null when the account has no passkey. */
      passkey: z.unknown(),
    }),
  ),
  loginCode: call(
    z.strictObject({ proof: z.string().max(100), code: z.string().max(100) }),
    z.object({ csrf: z.string(), account: z.string() }),
  ),
  /** The same with the answer of a passkey. */
  loginPasskey: call(
    z.strictObject({ proof: z.string().max(100), answer: passkeyAnswer }),
    z.object({ csrf: z.string(), account: z.string() }),
  ),
  logout: call(z.strictObject({}), nothing),
  devices: call(z.strictObject({}), z.object({ devices: z.array(device) })),
  deviceRevoke: call(z.strictObject({ id: z.string().max(100) }), nothing),

  // A second factor, and passwords for programs. What lets somebody in needs the account's password.
  loginSecurity: call(z.strictObject({}), loginSecurity),
  secondFactorBegin: call(z.strictObject({}), z.object({ secret: z.string(), uri: z.string() })),
  secondFactorEnable: call(
    z.strictObject({ password, secret: z.string().max(100), code: z.string().max(100) }),
    z.object({ recoveryCodes: z.array(z.string()) }),
  ),
  secondFactorDisable: call(z.strictObject({ password }), nothing),
  recoveryCodesRenew: call(z.strictObject({ password }), z.object({ recoveryCodes: z.array(z.string()) })),
  /** For navigator.credentials.create, as JSON. */
  passkeyBegin: call(z.strictObject({}), z.object({ options: z.unknown() })),
  passkeyAdd: call(
    z.strictObject({
      ...{ password, name: line.max(100) },
      answer: z.strictObject({ id: bytes, clientData: bytes, authenticatorData: bytes, publicKey: bytes }),
    }),
    nothing,
  ),
  passkeyRemove: call(z.strictObject({ id: bytes }), nothing),
  appPasswordAdd: call(z.strictObject({ password, name: line.max(100) }), z.object({ password: z.string() })),
  appPasswordRemove: call(z.strictObject({ id: z.string().max(100) }), nothing),

  // The stream's views. A request is answered on the stream that it names.
  viewOpen: call(
    z.strictObject({
      stream: z.string().max(100),
      view: z.int(),
      query: viewQuery,
      limit: z.int().min(1).max(MAX_PAGE),
      /** Go on until this message is among the rows, within a bound. */
      until: id.optional(),
    }),
    nothing,
  ),
  viewMore: call(
    z.strictObject({ stream: z.string().max(100), view: z.int(), limit: z.int().min(1).max(MAX_PAGE) }),
    nothing,
  ),
  viewCancel: call(z.strictObject({ stream: z.string().max(100), view: z.int() }), nothing),

  // Reading.
  message: call(z.strictObject({ id }), openedMessage),
  items: call(z.strictObject({ ids: z.array(id).max(1_000) }), z.object({ items: z.array(item) })),
  viewMode: call(z.strictObject({ address: line.max(320), mode: viewMode }), nothing),
  internals: call(z.strictObject({ id }), z.object({ structure: z.unknown(), record: z.unknown(), part: z.unknown() })),
  /** What is in an attachment that is a zip archive, without its folders. */
  zipEntries: call(
    z.strictObject({ id, path: partPath }),
    z.object({
      entries: z.array(
        z.object({
          ...{ index: z.int(), name: z.string(), size: z.int(), modified: time },
          ...{ readable: z.boolean(), encrypted: z.boolean() },
        }),
      ),
      more: z.boolean(),
    }),
  ),
  trace: call(z.strictObject({ id }), z.object({ steps: z.array(traceStep), complete: z.boolean() })),
  findMessageId: call(z.strictObject({ messageId: z.string().max(1_000) }), z.object({ ids: z.array(id) })),
  decodeWords: call(z.strictObject({ text: z.string().max(10_000) }), z.object({ text: z.string() })),
  unsubscribe: call(z.strictObject({ id }), z.object({ done: z.boolean(), text: z.string() })),

  // Messages. All or nothing; what is changed can be undone with `undo` until it changed again.
  messagesMove: call(z.strictObject({ ids, mailboxId: id, markSeen: z.boolean().optional() }), z.object({ undo })),
  messagesDelete: call(z.strictObject({ ids }), nothing),
  messagesFlags: call(
    z.strictObject({
      ids,
      set: z.array(flag).max(10).optional(),
      clear: z.array(flag).max(10).optional(),
      addKeywords: z.array(keyword).max(50).optional(),
      removeKeywords: z.array(keyword).max(50).optional(),
    }),
    z.object({ undo }),
  ),
  undo: call(undo, nothing),
  /** `zone`: minutes that UTC is ahead of the reader's clock. */
  searchFacets: call(
    z.strictObject({ query: viewQuery.pick({ scope: true, filter: true }), zone: z.int().min(-900).max(900) }),
    z.object({
      /** Counted; `more`: it finds others, which are older. */
      messages: z.int(),
      more: z.boolean(),
      from: z.array(z.object({ name: z.string(), address: z.string(), count: z.int() })),
      mailboxes: z.array(z.object({ mailboxId: id, count: z.int() })),
      /** "2026-11", the newest first. */
      months: z.array(z.object({ month: z.string(), count: z.int() })),
    }),
  ),
  /** All messages that a view's query has, without loading them; at most MAX_IDS. */
  queryIds: call(z.strictObject({ query: viewQuery }), z.object({ ids: z.array(id), complete: z.boolean() })),
  threadsCollapse: call(z.strictObject({ threadIds: ids, collapsed: z.boolean() }), nothing),
  threadsMute: call(z.strictObject({ threadIds: ids, muted: z.boolean() }), nothing),

  // Mailboxes.
  inboxUnread: call(z.strictObject({}), z.object({ unread: z.int() })),
  mailboxCreate: call(z.strictObject({ name }), mailbox),
  mailboxRename: call(z.strictObject({ id, name }), nothing),
  mailboxDelete: call(z.strictObject({ id }), nothing),
  mailboxEmpty: call(z.strictObject({ id }), nothing),
  mailboxesMarkRead: call(z.strictObject({ ids }), z.object({ undo })),
  mailboxRole: call(z.strictObject({ id, role: specialUse.nullable() }), nothing),
  mailboxSubscribe: call(z.strictObject({ id, subscribed: z.boolean() }), nothing),
  usage: call(z.strictObject({}), z.object({ used: z.int(), quota: z.int() })),

  // Rules.
  ruleSuggest: call(
    z.strictObject({ id, from: id, to: id }),
    z.object({
      suggestion: z
        .object({
          kind: z.enum(['add', 'remove']),
          listId: z.string(),
          msgFrom: z.string(),
          recipient: z.string(),
          rule,
        })
        .nullable(),
    }),
  ),
  rules: call(z.strictObject({}), z.object({ rules: z.array(rule) })),
  ruleAdd: call(z.strictObject({ rule }), nothing),
  ruleRemove: call(z.strictObject({ rule }), nothing),
  /** Never ask again: for a sender or list at a recipient, or for a mailbox. */
  ruleNever: call(
    z.strictObject({ recipient: z.string(), listId: z.string(), msgFrom: z.string(), mailboxId: id.nullable() }),
    nothing,
  ),

  // Settings.
  settingsSave: call(z.strictObject({ settings }), nothing),

  // Writing. Files go to POST upload/DRAFT.
  /** `id`: chosen by the caller, so that asking again, after an answer was lost, makes no second draft. */
  draftCreate: call(
    z.strictObject({
      id: z
        .string()
        .regex(/^[a-z2-7]{26}$/)
        .optional(),
      draft,
    }),
    savedDraft,
  ),
  /** `revision` as last seen: a draft that was saved elsewhere since is a conflict. */
  draftSave: call(z.strictObject({ id: z.string().max(100), revision: z.int(), draft }), savedDraft),
  draftOpen: call(z.strictObject({ messageId: id }), savedDraft),
  /** By its own id, which stays the same: for the page's address. */
  draftGet: call(z.strictObject({ id: z.string().max(100) }), savedDraft),
  draftRemove: call(z.strictObject({ id: z.string().max(100) }), nothing),
  draftAttach: call(
    z.strictObject({ id: z.string().max(100), messageId: id, paths: z.array(partPath).min(1).max(100) }),
    z.object({ attachments: z.array(draftAttachment) }),
  ),
  /** The whole message as an attachment. */
  draftAttachMessage: call(
    z.strictObject({ id: z.string().max(100), messageId: id }),
    z.object({ attachments: z.array(draftAttachment) }),
  ),
  draftDetach: call(
    z.strictObject({ id: z.string().max(100), attachment: z.string().max(100) }),
    z.object({ attachments: z.array(draftAttachment) }),
  ),
  send: call(
    z.strictObject({
      id: z.string().max(100),
      revision: z.int(),
      draft,
      /** Ids of the files that the sender sees: no others are sent, such as one whose upload was cancelled too late. */
      files: z.array(z.string().max(100)).max(100).optional(),
      /** Archive the messages of the thread that are in this mailbox. */
      archiveThread: z.strictObject({ mailboxId: id }).nullable(),
    }),
    z.object({
      /** Until when `sendUndo` works; null when it was handed over at once. */
      undoUntil: time.nullable(),
      sent: z.string(),
      warnings: z.array(z.string()),
    }),
  ),
  sendUndo: call(z.strictObject({ sent: z.string().max(100) }), savedDraft),
  completeRecipient: call(
    z.strictObject({ text: z.string().max(300) }),
    z.object({ recipients: z.array(nameAddress), complete: z.boolean() }),
  ),
  recipientSecurity: call(z.strictObject({ address: z.string().max(320) }), recipientSecurity),
  identities: call(z.strictObject({}), z.object({ identities: z.array(identity) })),

  // The user's own mail in the queue.
  outgoing: call(z.strictObject({}), z.object({ outgoing: z.array(outgoing), complete: z.boolean() })),
  outgoingCancel: call(z.strictObject({ queueIds: ids }), z.object({ cancelled: z.int() })),
  outgoingReschedule: call(z.strictObject({ queueIds: ids, due: time }), z.object({ changed: z.int() })),
} as const

export type Calls = typeof calls
export type CallName = keyof Calls
export type Params<N extends CallName> = z.input<Calls[N]['params']>
export type Result<N extends CallName> = z.output<Calls[N]['result']>

/**
 * - `noAuth`: no session or no CSRF token (401). `badAuth`: not valid any more (401). `loginFailed` (401).
 * - `badRequest`: against the schema (400). `refused`: cannot be done, says why (422). `notFound` (404).
 * - `conflict`: changed meanwhile (409). `sent`: the draft was sent before (409). `tooLarge` (413). `tooMany` (429). `server`: our fault, with an id (500).
 * - `connection`: no answer; made by the page.
 */
export const ERROR_CODES = [
  ...(['noAuth', 'badAuth', 'loginFailed', 'badRequest', 'refused', 'notFound'] as const),
  ...(['conflict', 'sent', 'tooLarge', 'tooMany', 'server', 'connection'] as const),
] as const
export type ErrorCode = (typeof ERROR_CODES)[number]
export const errorBody = z.object({ error: z.object({ code: z.enum(ERROR_CODES), message: z.string() }) })
