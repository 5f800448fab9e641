// The event stream: POST events with the CSRF header, answered with text/event-stream (read with fetch, so that the request
// can have a header and a body). Every event has a name of `events` below and JSON data; `id:` is the modseq up to which the
// reader is complete after it.
import { z } from 'zod'
import { id, identity, item, listedThread, mailbox, settings, viewQuery } from './model.ts'

/** Body of POST events. */
export const streamRequest = z.strictObject({
  /** After a break: go on after this event id with this view, instead of from the beginning. */
  resume: z
    .strictObject({
      /** Another account starts from the beginning. */
      account: z.string().max(1_000),
      modseq: z.int().min(0),
      view: z
        .strictObject({
          view: z.int(),
          query: viewQuery,
          /** `next` of the last page; null: the view is loaded to its end. */
          next: z.string().max(500).nullable(),
          /** Time of receipt of the last row of the last page, which bounds what is loaded; null without rows. */
          last: z.int().nullable(),
        })
        .nullable(),
    })
    .optional(),
})
export type StreamRequest = z.infer<typeof streamRequest>

/** Accounts that one browser may be logged in to. */
export const MAX_ACCOUNTS = 5

/**
 * Body of POST events/accounts: a stream for each account, all on one response, where names of events begin with the number of the
 * stream in this list, as in "1/page".
 */
export const accountStreamsRequest = z
  .array(z.strictObject({ csrf: z.string().max(100), request: streamRequest }))
  .min(1)
  .max(MAX_ACCOUNTS)
export type AccountStreamsRequest = z.infer<typeof accountStreamsRequest>

/** An extension that other plugins brought: its script is loaded from ext/NAME.js. */
export const extensionInfo = z.object({ name: z.string(), title: z.string() })

export const hello = z.object({
  stream: z.string(),
  account: z.string(),
  loginAddress: z.string(),
  identities: z.array(identity),
  /** Of our domains: separators, and whether case matters. */
  domains: z.array(z.object({ name: z.string(), separators: z.array(z.string()), caseSensitive: z.boolean() })),
  mailboxes: z.array(mailbox),
  settings,
  extensions: z.array(extensionInfo),
  /** Name of the mailbox of rejected messages; '' without one. */
  rejectsMailbox: z.string(),
  version: z.string(),
  now: z.int(),
  /** Bytes that a message may have. */
  maxMessageSize: z.int(),
  /** False: state must be loaded anew, the gap was too large to resume. True only after a `resume`. */
  resumed: z.boolean(),
})
export type Hello = z.infer<typeof hello>

export const page = z.object({
  view: z.int(),
  /** Replaces what was there; later pages of a view are appended. */
  first: z.boolean(),
  threads: z.array(listedThread),
  /** null: the end. */
  next: z.string().nullable(),
  /** False: more of the same request follows. */
  done: z.boolean(),
  /** False while messages wait to be indexed for search. */
  complete: z.boolean(),
  /** Matching messages where that is known without counting, as for a mailbox; null otherwise. */
  total: z.int().nullable(),
})
export type PageEvent = z.infer<typeof page>

export const changes = z.object({
  /** The view that items and removed are about; a page that opened another one meanwhile leaves them out. */
  view: z.int().nullable(),
  /**
   * New, or changed: flags, keywords, mailbox, thread. Without `added` only for rows and threads that are shown. A change of flags
   * alone never makes a row leave: `matches` is false then, and the page keeps what it had for a message in the same mailbox.
   */
  items: z.array(z.object({ item, added: z.boolean() })),
  /** Left the view's scope, or gone. */
  removed: z.array(id),
  threads: z.array(z.object({ threadId: z.int(), muted: z.boolean(), collapsed: z.boolean() })),
  /** The whole of each that changed. */
  mailboxes: z.array(mailbox),
  removedMailboxes: z.array(id),
})
export type Changes = z.infer<typeof changes>

export const events = {
  hello,
  page,
  viewError: z.object({ view: z.int(), message: z.string() }),
  changes,
  settings: z.object({ settings }),
  /** The user's mail in the queue changed. */
  outgoing: z.object({}),
  /** The stream ends: the session is not valid any more, too many changes waited, or the server stops. */
  goodbye: z.object({ reason: z.enum(['session', 'overflow', 'shutdown']), message: z.string() }),
} as const
export type Events = { readonly [K in keyof typeof events]: z.output<(typeof events)[K]> }
