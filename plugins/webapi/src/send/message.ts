// What a caller said, its types checked and nothing else.

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
