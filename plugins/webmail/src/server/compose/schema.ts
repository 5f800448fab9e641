// Tables of what is being written. A draft's row is the truth while it is edited here; its copy in the mailbox for drafts is for
// other programs, and for finding it.
import type { Migration } from '@mox/plugin-sdk'

export const DRAFT = 'webmail_draft'
export const FILE = 'webmail_draft_file'

/**
 * - `draft`: is edited. `sending`: was handed to the queue or is about to be, which its Message-ID tells. `sent`: can still be
 *   taken back.
 */
export type DraftState = 'draft' | 'sending' | 'sent'

export interface DraftRow {
  readonly id: string
  readonly account: string
  readonly revision: number
  readonly state: DraftState
  /** A `Draft` as JSON. */
  readonly draft: string
  /** The copy in the mailbox for drafts; 0 for none. */
  readonly copy_id: number
  readonly copied_at: number
  /** Files were added or removed since the copy was made. */
  readonly files_changed: number
  /** Message-ID that it is sent with; '' before. */
  readonly header_id: string
  /** What sending did, as JSON; '' before. */
  readonly after: string
  readonly undo_until: number
  readonly updated_at: number
}

export interface FileRow {
  readonly id: string
  readonly draft_id: string
  readonly position: number
  readonly name: string
  readonly content_type: string
  readonly encoding: 'base64' | '7bit' | '8bit'
  readonly size: number
  /** The row holds one reference. */
  readonly content_id: number
}

export const draftTables: Omit<Migration, 'version'> = {
  name: 'drafts',
  up: async db => {
    await db.schema.createTable(DRAFT, table => {
      table.string('id', 26).primary()
      table.string('account', 255).notNullable()
      table.integer('revision').notNullable()
      table.string('state', 10).notNullable()
      table.text('draft').notNullable()
      table.bigInteger('copy_id').notNullable()
      table.bigInteger('copied_at').notNullable()
      table.integer('files_changed').notNullable()
      table.string('header_id', 998).notNullable()
      table.text('after').notNullable()
      table.bigInteger('undo_until').notNullable()
      table.bigInteger('updated_at').notNullable()
      table.index(['account', 'copy_id'])
      table.index(['state', 'undo_until'])
    })
    await db.schema.createTable(FILE, table => {
      table.string('id', 26).primary()
      table.string('draft_id', 26).notNullable()
      table.integer('position').notNullable()
      table.string('name', 300).notNullable()
      table.string('content_type', 300).notNullable()
      table.string('encoding', 10).notNullable()
      table.bigInteger('size').notNullable()
      table.bigInteger('content_id').notNullable()
      table.index(['draft_id', 'position'])
    })
  },
}
