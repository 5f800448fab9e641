// Which mailboxes a list looks at. A name that is not there is refused; an id that is not there gives an empty list.
import type { ListScope } from '@mox/plugin-sdk'
import type { Context } from './context.ts'
import { refuse } from './errors.ts'
import { mailboxName } from './names.ts'
import type { Query } from './query.ts'
import { MAILBOX, type MailboxRow, type MessageRow } from './schema.ts'

export interface Scope {
  /** The only mailbox. */
  readonly mailbox?: number
  /** Only these. */
  readonly only?: readonly number[]
  /** All but these. */
  readonly without?: readonly number[]
  /** Trash, Junk and Rejects, unless the scope is one of them: nothing is shown from there for context. */
  readonly hidden: ReadonlySet<number>
}

type Mailbox = Pick<MailboxRow, 'id' | 'name' | 'trash' | 'junk'>

export async function resolveScope(context: Context, account: number, scope: ListScope): Promise<Scope> {
  const { db } = context.storage
  const mailboxes: Mailbox[] = await db<MailboxRow>(MAILBOX)
    .select('id', 'name', 'trash', 'junk')
    .where({ account_id: account, removed_seq: 0 })
  const aside = mailboxes.filter(m => m.trash === 1 || m.junk === 1 || m.name === context.rejectsMailbox)
  const hidden = new Set(aside.map(m => m.id))
  if (scope === 'all') return { hidden: new Set() }
  if (scope === 'usual') return { without: [...hidden], hidden }
  const named = find(mailboxes, scope.mailbox)
  const below = scope.below === true && named !== undefined ? mailboxes.filter(m => isBelow(m, named)) : []
  const ids = [...(named === undefined ? [] : [named]), ...below].map(m => m.id)
  for (const id of ids) hidden.delete(id)
  const [first] = ids
  return ids.length === 1 && first !== undefined ? { mailbox: first, hidden } : { only: ids, hidden }
}

function find(mailboxes: readonly Mailbox[], which: number | string): Mailbox | undefined {
  if (typeof which === 'number') return mailboxes.find(m => m.id === which)
  const checked = mailboxName(which)
  const found = checked.ok ? mailboxes.find(m => m.name === checked.name) : undefined
  if (found === undefined) throw refuse('missing', 'no such mailbox')
  return found
}

function isBelow(mailbox: Mailbox, above: Mailbox): boolean {
  return mailbox.name.startsWith(`${above.name}/`)
}

/** The same for a row that was found by its id, thread or key. */
export function isInScope(row: Pick<MessageRow, 'account_id' | 'mailbox_id'>, account: number, scope: Scope): boolean {
  if (row.account_id !== account) return false
  if (scope.mailbox !== undefined) return row.mailbox_id === scope.mailbox
  return scope.only?.includes(row.mailbox_id) ?? scope.without?.includes(row.mailbox_id) !== true
}

/** Messages of the scope that are there. One mailbox, and the account as a whole, are read along an index by time. */
export function inScope(query: Query, account: number, scope: Scope): void {
  if (scope.mailbox !== undefined) query.where({ mailbox_id: scope.mailbox, expunged_at: 0 })
  else {
    query.where({ account_id: account, expunged_at: 0 })
    if (scope.only !== undefined) query.whereIn('mailbox_id', scope.only)
    if (scope.without !== undefined && scope.without.length > 0) query.whereNotIn('mailbox_id', scope.without)
  }
}
