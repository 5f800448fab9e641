// A message to be composed: every value was checked by who made it.
import type { Path } from '../mail/address.ts'

/** An address with a display name, '' for none. Without control characters. */
export interface Mailbox {
  readonly name: string
  readonly path: Path
}

/** A file of a message. */
export interface ComposeFile {
  readonly name: string
  /** '' when unknown. */
  readonly contentType: string
  /** Without brackets, '' for none. */
  readonly contentId: string
  readonly data: Buffer
}

/** A message to be composed. */
export interface ComposeDraft {
  readonly from: Mailbox
  readonly to: readonly Mailbox[]
  readonly cc: readonly Mailbox[]
  readonly replyTo: readonly Mailbox[]
  /** With brackets. */
  readonly messageId: string
  /** With brackets; the last one becomes In-Reply-To. */
  readonly references: readonly string[]
  /** Milliseconds since the epoch. */
  readonly date: number
  readonly subject: string
  /** CRLF line ends; '' for none. */
  readonly text: string
  readonly html: string
  /** Further fields. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly alternativeFiles: readonly ComposeFile[]
  readonly inlineFiles: readonly ComposeFile[]
  readonly attachedFiles: readonly ComposeFile[]
  /** RFC 6531: a localpart of the author, a recipient or Reply-To is not ASCII, so the header is UTF-8. */
  readonly smtputf8: boolean
}

/** What was asked for cannot be composed; the message says what to do. */
export class ComposeError extends Error {
  override readonly name = 'ComposeError'
}
