// Mail that comes and goes as files: importing archives of other programs, exporting an account. Part of mailboxes@1.

export interface ImportOptions {
  /** For a single mbox file, the mailbox it goes to; default Inbox. */
  readonly mailbox?: string
  /** Leading folders of the paths in the archive that are left out, such as "Takeout/Mail". */
  readonly prefix?: string
  /** For an archive: its mailboxes are made below this one, and do not get the roles that they had. */
  readonly below?: string
  /** Stops after the batch that is being written. */
  readonly signal?: AbortSignal
  readonly progress?: (event: ImportEvent) => void
}

export type ImportEvent =
  /** Messages added to a mailbox so far; about every hundred, and at the end. */
  | { readonly kind: 'count'; readonly mailbox: string; readonly messages: number }
  /** Something that was left out or is not as it should be; the import goes on. */
  | { readonly kind: 'problem'; readonly text: string }

export interface ImportResult {
  readonly added: number
  /** Messages that were there already: equal bytes in the mailbox. */
  readonly duplicates: number
  /** Messages and files that were left out, each told as a problem. */
  readonly skipped: number
}

export interface ExportOptions {
  /** `maildir`: a message per file, with everything that is known of it; `mbox`: a file per mailbox. */
  readonly format: 'maildir' | 'mbox'
  /** `none`: an mbox file by itself, of a single mailbox or of `messages`. */
  readonly archive: 'tar' | 'tgz' | 'zip' | 'none'
  /** Only this mailbox; names in the archive begin with its own. Default all, with the account's rules and annotations. */
  readonly mailbox?: string
  /** Also the mailboxes below it. Default true, but for a file that is no archive. */
  readonly below?: boolean
  /** Only these messages, as the mailbox "Export"; ids that are not there are left out. */
  readonly ids?: readonly number[]
}
