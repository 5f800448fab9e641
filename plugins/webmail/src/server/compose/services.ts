// What writing mail needs.
import type {
  Clock,
  Directory,
  Log,
  Mailboxes,
  QueueControl,
  Random,
  Storage,
  Submission,
  System,
} from '@mox/plugin-sdk'
import type { Settings } from '../../api/model.ts'

export interface ComposeServices {
  readonly clock: Clock
  readonly directory: Directory
  readonly log: Log
  readonly mailboxes: Mailboxes
  readonly queueControl: QueueControl
  readonly random: Random
  readonly storage: Storage
  readonly submission: Submission
  readonly system: System
  readonly settings: (account: string) => Promise<Settings>
  /** Bytes of a message. */
  readonly maxMessageSize: number
}

/** Files of one draft, and drafts of one account that are being written. */
export const MAX_FILES = 100
export const MAX_DRAFTS = 1_000
/** Characters of a file's name. */
export const MAX_FILE_NAME = 200
/** RFC 5321 §4.5.3.1.8 asks for 100 at least. */
export const MAX_RECIPIENTS = 1_000
/** How far ahead a message may be scheduled. */
export const MAX_SCHEDULE_MS: number = 60 * 24 * 3_600_000
