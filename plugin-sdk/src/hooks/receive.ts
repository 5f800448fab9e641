// onReceive.*: may this come in, and how is it filed. The handlers run in the order of the SMTP commands; the message is
// not yet stored, and nothing is acknowledged.
import type { Path } from '../mail/address.ts'
import type { Head } from '../mail/header.ts'
import type { Envelope, EnvelopeRecipient, MailParameters } from '../model/envelope.ts'
import type { SessionInfo } from '../model/session.ts'
import type { Defer, Exempt, Pass, Patch, Quarantine, Reject, Tag } from './verdicts.ts'

/** A peer has connected; nothing was said yet. */
export interface ReceiveConnect {
  readonly session: SessionInfo
}

/** MAIL FROM, with its parameters checked. */
export interface ReceiveMail {
  readonly session: SessionInfo
  /** Null for `<>`. */
  readonly reversePath: Path | null
  readonly parameters: MailParameters
}

/** RCPT TO, one recipient; asked for each. */
export interface ReceiveRcpt {
  readonly session: SessionInfo
  /** What was accepted before this recipient. */
  readonly envelope: Envelope
  readonly recipient: EnvelopeRecipient
}

/** The whole message is here and not stored yet. */
export interface ReceiveData {
  readonly session: SessionInfo
  readonly envelope: Envelope
  /** The header section of the message as received. */
  readonly head: Head
  /** Bytes of the message as received. */
  readonly size: number
  readonly has8bit: boolean
  /** SHA-256 of the message as received. */
  readonly hash: Buffer
  /** Reads the whole message as received; the stream is bounded by the listener's size limit. */
  content(): AsyncIterable<Buffer>
}

/** What a handler of onReceive.head may change. */
export interface HeadDraft {
  /**
   * The header section: each field with its CRLF, and the empty line that ends it (absent when the message has none). At most
   * HEADER_BYTES. What is put in front of it is stored beside the content; any other change makes the content anew.
   */
  readonly head: Buffer
}

/** The message may come in, and is stored next, with the header section as the handlers leave it. */
export interface ReceiveHead {
  readonly draft: HeadDraft
  readonly session: SessionInfo
  readonly envelope: Envelope
}

/** After the commit: the message is ours. Identifies it; details come from storage. */
export interface ReceiveDone {
  readonly messageId: number
  readonly kind: 'delivery' | 'submission'
  readonly account: string
  /** "local@domain" of the reverse-path, '' for `<>`. */
  readonly from: string
  /** Forward-paths as text. */
  readonly recipients: readonly string[]
  readonly size: number
  /** For a delivery: ids in the message store of the copies that it made. */
  readonly copies?: readonly number[]
}

/** Of onReceive.connect, .mail and .rcpt, weakest first. */
export type ConnectVerdict = Pass | Exempt | Defer | Reject
/** Of onReceive.data, weakest first. */
export type DataVerdict = Pass | Tag | Exempt | Quarantine | Defer | Reject
/** Of onReceive.head: changes, and then the strongest of the rest, weakest first. */
export type HeadVerdict = Pass | Patch<HeadDraft> | Defer | Reject
