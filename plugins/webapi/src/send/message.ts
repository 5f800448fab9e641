// A message on its way from a request to bytes: `Request` is what a caller said, its types checked and nothing else;
// `Draft` is what may be composed, made by check.ts only.
import type { Path } from '@mox/plugin-sdk/mail'

export interface RequestAddress {
  readonly name: string
  readonly address: string
}

export interface RequestFile {
  readonly name: string
  readonly contentType: string
  /** With or without angle brackets. */
  readonly contentId: string
  /** Base64, or the bytes themselves. */
  readonly data: string | Buffer
}

export interface Request {
  readonly from: readonly RequestAddress[]
  readonly to: readonly RequestAddress[]
  readonly cc: readonly RequestAddress[]
  readonly bcc: readonly RequestAddress[]
  readonly replyTo: readonly RequestAddress[]
  readonly messageId: string
  readonly references: readonly string[]
  /** Milliseconds since the epoch; undefined: now. */
  readonly date: number | undefined
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly extra: ReadonlyMap<string, string>
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly alternativeFiles: readonly RequestFile[]
  readonly inlineFiles: readonly RequestFile[]
  readonly attachedFiles: readonly RequestFile[]
  readonly requireTls: boolean | undefined
  /** Not before this time, milliseconds since the epoch. */
  readonly futureRelease: number | undefined
  readonly saveSent: boolean
  readonly stream: string
  /** Adds one-click unsubscription (RFC 8058). */
  readonly unsubscribe: boolean
}

export const EMPTY_REQUEST: Request = {
  ...{ from: [], to: [], cc: [], bcc: [], replyTo: [], messageId: '', references: [], date: undefined, subject: '' },
  ...{ text: '', html: '', extra: new Map(), headers: [], alternativeFiles: [], inlineFiles: [], attachedFiles: [] },
  ...{ requireTls: undefined, futureRelease: undefined, saveSent: false, stream: '', unsubscribe: false },
}

export interface Mailbox {
  /** Display name, '' for none. Without control characters. */
  readonly name: string
  readonly path: Path
}

export interface DraftFile {
  readonly name: string
  /** '' when unknown. */
  readonly contentType: string
  /** Without brackets, '' for none. */
  readonly contentId: string
  readonly data: Buffer
}

export interface Draft {
  readonly from: Mailbox
  readonly to: readonly Mailbox[]
  readonly cc: readonly Mailbox[]
  readonly replyTo: readonly Mailbox[]
  /** With brackets. */
  readonly messageId: string
  readonly references: readonly string[]
  readonly date: number
  readonly subject: string
  /** CRLF line ends; '' for none. */
  readonly text: string
  readonly html: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly alternativeFiles: readonly DraftFile[]
  readonly inlineFiles: readonly DraftFile[]
  readonly attachedFiles: readonly DraftFile[]
  /** RFC 6531: a localpart of the author, a recipient or Reply-To is not ASCII, so the header is UTF-8. */
  readonly smtputf8: boolean
}
