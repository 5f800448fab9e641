// What a report says once it is understood, whoever wrote it and in whatever form; and how much of it is read.
export type {
  ParsedReport,
  ReportCategory as Category,
  ReportedRecipient as ParsedRecipient,
  ReportKind,
} from '@mox/plugin-sdk'

/** Recipients read from one report. */
export const RECIPIENTS = 1_000
/** Characters of a Message-ID: RFC 5322 §2.1.1 lines have at most 998. */
export const MESSAGE_ID_LENGTH = 998
/** Characters of an address or a host. */
export const NAME_LENGTH = 512
/** Characters of a diagnostic. */
export const DIAGNOSTIC_LENGTH = 2_000
