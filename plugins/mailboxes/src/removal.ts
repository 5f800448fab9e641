// Removed accounts. The name is free at once: the store keeps its id under a name that no account can have, and nobody can open it.
// What is in it is deleted in portions in the background; a crash in between loses only time.
import { deleteInPortions } from '@mox/plugin-sdk/io'
import type { Context } from './context.ts'
import { CHUNK } from './expunge.ts'
import { INDEX } from './indexer.ts'
import {
  ACCOUNT,
  type AccountRow,
  ANNOTATION,
  CHANGE,
  ERASE,
  MAILBOX,
  MESSAGE,
  type MessageRow,
  RECIPIENT,
  SUBSCRIPTION,
} from './schema.ts'

/** Names of accounts never begin with a space. */
const PREFIX = ' removed '

export function isRemoved(name: string): boolean {
  return name.startsWith(PREFIX)
}

/** In the unit of work that removes the account. */
export async function leaveStore({ storage }: Context, name: string): Promise<void> {
  const row = await storage.db<AccountRow>(ACCOUNT).where({ name }).first('id')
  if (row !== undefined)
    await storage
      .db(ACCOUNT)
      .where({ id: row.id })
      .update({ name: `${PREFIX}${row.id}` })
}

/** A removed account whose store is still there. */
export async function nextRemoved({ storage }: Context): Promise<Pick<AccountRow, 'id'> | undefined> {
  return await storage.db<AccountRow>(ACCOUNT).where('name', 'like', `${PREFIX}%`).first('id')
}

/** Deletes the next messages, or, when there are none left, the rest. Returns false when nothing of the account is left. */
export async function deletePortion({ storage }: Context, account: number): Promise<boolean> {
  return await storage.write(async db => {
    const rows: Pick<MessageRow, 'id' | 'content_id' | 'search_id'>[] = await db<MessageRow>(MESSAGE)
      .select('id', 'content_id', 'search_id')
      .where({ account_id: account })
      .limit(CHUNK)
    for (const { content_id, search_id } of rows) {
      if (content_id !== 0) await storage.content.release(content_id)
      if (search_id !== null && search_id > 0) await storage.search?.remove(INDEX, search_id)
    }
    const ids = rows.map(row => row.id)
    for (const table of [RECIPIENT, ERASE]) await db(table).whereIn('message_id', ids).delete()
    await db(MESSAGE).whereIn('id', ids).delete()
    if (rows.length > 0) return true
    await deleteInPortions(db, CHANGE, 'id', { account_id: account })
    await deleteInPortions(db, ANNOTATION, 'id', { account_id: account })
    await db(SUBSCRIPTION).where({ account_id: account }).delete()
    await deleteInPortions(db, MAILBOX, 'id', { account_id: account })
    await db(ACCOUNT).where({ id: account }).delete()
    return false
  })
}
