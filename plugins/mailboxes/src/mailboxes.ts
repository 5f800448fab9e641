// Making, renaming and removing mailboxes, their roles and subscriptions. Every method of an operation; refusals are thrown
// as MailboxError before anything is changed.
import type { SpecialUse } from '@mox/plugin-sdk'
import { removeAnnotations } from './annotations.ts'
import type { Context } from './context.ts'
import { noCounts } from './counts.ts'
import { refuse } from './errors.ts'
import { expungeAll } from './expunge.ts'
import { ancestorNames, mailboxName, parentName } from './names.ts'
import { begin, type Operation } from './operation.ts'
import { ROLES } from './rows.ts'
import { ACCOUNT, type AccountRow, MAILBOX, type MailboxRow, SUBSCRIPTION } from './schema.ts'

/** Mailboxes of an account. */
export const MAILBOXES = 2_000
/** Subscriptions of an account, those without a mailbox included. */
export const SUBSCRIPTIONS = 4_000

export const DEFAULT_MAILBOXES: readonly { readonly name: string; readonly specialUse: SpecialUse }[] = [
  { name: 'Sent', specialUse: 'sent' },
  { name: 'Archive', specialUse: 'archive' },
  { name: 'Trash', specialUse: 'trash' },
  { name: 'Drafts', specialUse: 'drafts' },
  { name: 'Junk', specialUse: 'junk' },
]

/** Makes the store of an account with its first mailboxes; an operation on it. */
export async function createAccount(context: Context, name: string): Promise<Operation> {
  const { clock, storage } = context
  const row: Omit<AccountRow, 'id'> = {
    name,
    // Half the Unix time: higher than that of a store of the same name that was removed before.
    uidvalidity: Math.floor(clock.now() / 2_000),
    // The first one given out is 2: clients take 1 for "from the beginning".
    modseq: 1,
    purged: 0,
    used: 0,
    rules: '',
    introbox_id: 0,
  }
  await storage.db(ACCOUNT).insert(row)
  const op = await begin(context, name)
  if (op === undefined) throw new Error('account row is missing after its insert')
  await add(op, 'Inbox', [])
  for (const { name: mailbox, specialUse } of context.initialMailboxes) {
    if ((await op.find(mailbox)) === undefined) await add(op, mailbox, specialUse === undefined ? [] : [specialUse])
  }
  return op
}

/** Makes a mailbox and its missing parents, each subscribed. `name` is normalised and not taken. */
export async function add(op: Operation, name: string, specialUse: readonly SpecialUse[]): Promise<MailboxRow> {
  const { db } = op.context.storage
  const [{ n }] = (await db(MAILBOX).where({ account_id: op.account.id, removed_seq: 0 }).count({ n: '*' })) as [
    { n: number },
  ]
  const missing: string[] = []
  let parentId = 0
  for (const ancestor of ancestorNames(name)) {
    const row = await op.find(ancestor)
    if (row === undefined) missing.push(ancestor)
    else parentId = row.id
  }
  if (Number(n) + missing.length + 1 > MAILBOXES) throw refuse('limit', 'too many mailboxes')
  for (const parent of missing) parentId = (await insert(op, parent, parentId)).id
  const mailbox = await insert(op, name, parentId)
  await setRoles(op, mailbox, specialUse)
  return mailbox
}

async function insert(op: Operation, name: string, parentId: number): Promise<MailboxRow> {
  const row: Omit<MailboxRow, 'id'> = {
    account_id: op.account.id,
    parent_id: parentId,
    name,
    uidvalidity: op.account.uidvalidity++,
    uidnext: 1,
    create_seq: op.modseq,
    modseq: op.modseq,
    removed_seq: 0,
    keywords: '',
    ...noCounts(),
    archive: 0,
    drafts: 0,
    junk: 0,
    sent: 0,
    trash: 0,
  }
  const { db } = op.context.storage
  const [inserted] = (await db(MAILBOX).insert(row).returning('id')) as [{ id: number }]
  await db(SUBSCRIPTION).insert({ account_id: op.account.id, name }).onConflict(['account_id', 'name']).ignore()
  const mailbox = op.keep<MailboxRow>({ ...row, id: inserted.id })
  op.recordMailbox(mailbox)
  return mailbox
}

export async function create(op: Operation, text: string, specialUse: readonly SpecialUse[]): Promise<MailboxRow> {
  const name = allowed(text)
  if ((await op.find(name)) !== undefined) throw refuse('exists', 'mailbox exists')
  return await add(op, name, specialUse)
}

/** RFC 9051 §6.3.6, but Inbox cannot be renamed. Children follow; uids and UIDVALIDITY stay; subscriptions do not follow. */
export async function rename(op: Operation, from: string, to: string): Promise<void> {
  const mailbox = await op.existing(from)
  const name = allowed(to)
  if (mailbox.name === 'Inbox' || name === 'Inbox') throw refuse('inbox', 'Inbox cannot be renamed')
  if ((await op.find(name)) !== undefined) throw refuse('exists', 'mailbox exists')
  const below = await descendants(op, mailbox)
  const moved = below.map(row => ({ row, name: name + row.name.slice(mailbox.name.length) }))
  for (const entry of moved) allowed(entry.name)
  const { db } = op.context.storage
  // Leaves first, the mailbox last: then its parents can be made, even one that takes its old name.
  for (const { row, name: newName } of [...moved.reverse(), { row: mailbox, name }]) {
    row.name = newName
    op.touch(row)
    op.recordMailbox(row)
    await db(MAILBOX).where({ id: row.id }).update({ name: newName })
  }
  const parent = parentName(name)
  const parentId = parent === '' ? 0 : ((await op.find(parent)) ?? (await add(op, parent, []))).id
  mailbox.parent_id = parentId
  await db(MAILBOX).where({ id: mailbox.id }).update({ parent_id: parentId })
}

/** All mailboxes below, parents before children. */
async function descendants(op: Operation, mailbox: MailboxRow): Promise<MailboxRow[]> {
  const { db } = op.context.storage
  const found: MailboxRow[] = []
  for (let parents = [mailbox.id]; parents.length > 0; ) {
    const rows: MailboxRow[] = await db<MailboxRow>(MAILBOX).whereIn('parent_id', parents).where('removed_seq', 0)
    found.push(...rows.map(row => op.keep(row)))
    parents = rows.map(row => row.id)
  }
  return found
}

/** Removes a mailbox without children with all its messages. Its row stays, for who asks what happened to it. */
export async function remove(op: Operation, name: string): Promise<void> {
  const mailbox = await op.existing(name)
  if (mailbox.name === 'Inbox') throw refuse('inbox', 'Inbox cannot be removed')
  if ((await descendants(op, mailbox)).length > 0) throw refuse('children', 'mailbox has mailboxes below it')
  await expungeAll(op, mailbox)
  await removeAnnotations(op, mailbox.id)
  for (const role of ROLES) mailbox[role] = 0
  if (op.account.introbox_id === mailbox.id) await writeIntrobox(op, 0)
  mailbox.removed_seq = op.modseq
  op.touch(mailbox)
  op.recordMailbox(mailbox)
  await op.context.storage.db(MAILBOX).where({ id: mailbox.id }).update({ removed_seq: op.modseq })
}

/** Gives a mailbox these roles and no others, and takes them from whoever had them. */
export async function setRoles(op: Operation, mailbox: MailboxRow, specialUse: readonly SpecialUse[]): Promise<void> {
  const { db } = op.context.storage
  const changed = new Set<MailboxRow>()
  for (const role of ROLES) {
    const wanted = specialUse.includes(role) ? 1 : 0
    if (mailbox[role] === wanted) continue
    if (wanted === 1) {
      const row: MailboxRow | undefined = await db<MailboxRow>(MAILBOX)
        .where({ account_id: op.account.id, removed_seq: 0, [role]: 1 })
        .first()
      const holder = op.keep(row)
      if (holder !== undefined) {
        holder[role] = 0
        changed.add(holder)
        await db(MAILBOX)
          .where({ id: holder.id })
          .update({ [role]: 0 })
      }
    }
    mailbox[role] = wanted
    changed.add(mailbox)
    await db(MAILBOX)
      .where({ id: mailbox.id })
      .update({ [role]: wanted })
  }
  for (const row of changed) {
    op.touch(row)
    op.recordMailbox(row)
  }
}

/** Has mail of first-time senders put in this mailbox, made when missing; '' for in Inbox like all other mail. */
export async function setIntrobox(op: Operation, text: string): Promise<void> {
  const name = text === '' ? '' : allowed(text)
  if (name === 'Inbox') throw refuse('inbox', 'Inbox cannot be the mailbox for first-time senders')
  const mailbox = name === '' ? undefined : ((await op.find(name)) ?? (await add(op, name, [])))
  const before = op.account.introbox_id
  if ((mailbox?.id ?? 0) === before) return
  await writeIntrobox(op, mailbox?.id ?? 0)
  for (const row of [before === 0 ? undefined : await op.byId(before), mailbox]) {
    if (row === undefined) continue
    op.touch(row)
    op.recordMailbox(row)
  }
}

async function writeIntrobox(op: Operation, id: number): Promise<void> {
  op.account.introbox_id = id
  await op.context.storage.db(ACCOUNT).where({ id: op.account.id }).update({ introbox_id: id })
}

/** Subscriptions are names: they need no mailbox (RFC 9051 §6.3.7). */
export async function subscribe(op: Operation, text: string, subscribed: boolean): Promise<void> {
  const name = allowed(text)
  const { db } = op.context.storage
  const row = { account_id: op.account.id, name }
  const [there] = await db(SUBSCRIPTION).where(row).select('name')
  if ((there !== undefined) === subscribed) return
  if (subscribed) {
    const [{ n }] = (await db(SUBSCRIPTION).where({ account_id: op.account.id }).count({ n: '*' })) as [{ n: number }]
    if (Number(n) >= SUBSCRIPTIONS) throw refuse('limit', 'too many subscriptions')
    await db(SUBSCRIPTION).insert(row)
  } else await db(SUBSCRIPTION).where(row).delete()
  const mailbox = await op.find(name)
  if (mailbox !== undefined) op.touch(mailbox)
  op.record({ kind: 'mailbox', mailboxId: mailbox?.id ?? 0, name, removed: false })
}

function allowed(text: string): string {
  const checked = mailboxName(text)
  if (!checked.ok) throw refuse('name', checked.error)
  return checked.name
}
