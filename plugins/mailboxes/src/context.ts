// What the parts of the store share: services, prepared statements, the feed.
import type { Clock, Directory, Log, SpecialUse, Storage } from '@mox/plugin-sdk'
import type { Feed } from './feed.ts'
import type { Indexer } from './indexer.ts'
import type { JunkFlags } from './junk-flags.ts'
import type { Statements } from './statements.ts'

export interface InitialMailbox {
  readonly name: string
  readonly specialUse?: SpecialUse | undefined
}

export interface Context {
  readonly storage: Storage
  readonly directory: Directory
  readonly clock: Clock
  readonly log: Log
  readonly feed: Feed
  readonly statements: Statements
  readonly indexer: Indexer
  /** What a mailbox makes of messages that come into it, if anything. */
  readonly junkFlags: (mailbox: string) => JunkFlags | undefined
  /** Name of the mailbox for what was refused; it need not be there. */
  readonly rejectsMailbox: string
  readonly initialMailboxes: readonly InitialMailbox[]
  /** Called after a commit with messages that nobody can still show. */
  readonly eraseSoon: (ids: readonly number[]) => void
}
