// The past of an account's store: the log of changes and the records of expunged messages. Both are kept for a bounded time;
// who asks for more is told that the answer is not complete.
import type { Change } from '@mox/plugin-sdk'
import type { Context } from './context.ts'
import { CHUNK, chunks } from './expunge.ts'
import { begin, type Operation } from './operation.ts'
import {
  ACCOUNT,
  type AccountRow,
  CHANGE,
  ERASE,
  MAILBOX,
  type MailboxRow,
  MESSAGE,
  type MessageRow,
} from './schema.ts'

/** Changes that one call returns, but for those of one modseq, which stay together. */
export const CHANGES_PAGE = 10_000
export const DAY_MS = 86_400_000

interface ChangeRow {
  readonly id: number
  readonly account_id: number
  readonly modseq: number
  readonly body: string
}

export async function changesSince(
  context: Context,
  name: string,
  modseq: number,
  limit: number,
): Promise<{ changes: Change[]; complete: boolean }> {
  const { db } = context.storage
  const account: AccountRow | undefined = await db<AccountRow>(ACCOUNT).where({ name }).first()
  if (account === undefined) return { changes: [], complete: false }
  const most = Math.max(1, Math.min(limit, CHANGES_PAGE))
  const query = db<ChangeRow>(CHANGE).where({ account_id: account.id }).orderBy('id')
  let rows: ChangeRow[] = await query
    .clone()
    .where('modseq', '>', modseq)
    .limit(most + 1)
  if (rows.length > most) {
    // A page ends between two modseqs, so that the last one says where to go on.
    const cut = rows[most]!.modseq
    const whole = rows.filter(row => row.modseq < cut)
    rows = whole.length > 0 ? whole : await query.clone().where({ modseq: cut })
  }
  const changes = rows.map(row => ({ ...(JSON.parse(row.body) as Change), modseq: row.modseq }))
  // A modseq of the future comes from another life of the database, such as before a backup was restored.
  return { changes, complete: modseq >= account.purged && modseq <= account.modseq }
}

/**
 * Uids expunged after a modseq, ascending. Where records that old are gone, all uids that are not there (RFC 7162 §3.2.5.1
 * allows more than what was expunged).
 */
export async function expungedSince(
  context: Context,
  name: string,
  mailboxId: number,
  modseq: number,
): Promise<number[]> {
  const { db } = context.storage
  const account: AccountRow | undefined = await db<AccountRow>(ACCOUNT).where({ name }).first()
  const mailbox: MailboxRow | undefined =
    account && (await db<MailboxRow>(MAILBOX).where({ id: mailboxId, account_id: account.id }).first())
  if (account === undefined || mailbox === undefined) return []
  const inMailbox = db<MessageRow>(MESSAGE).where({ mailbox_id: mailboxId }).orderBy('uid')
  if (modseq >= account.purged) {
    const gone: Pick<MessageRow, 'uid'>[] = await inMailbox
      .select('uid')
      .whereNot('expunged_at', 0)
      .where('modseq', '>', modseq)
    return gone.map(row => row.uid)
  }
  const live: Pick<MessageRow, 'uid'>[] = await inMailbox.select('uid').where('expunged_at', 0)
  const there = new Set(live.map(row => row.uid))
  const uids: number[] = []
  for (let uid = 1; uid < mailbox.uidnext; uid++) if (!there.has(uid)) uids.push(uid)
  return uids
}

/** Ages out log entries older than `days` and the records of messages that they say were expunged; returns how many entries. */
export async function purgeHistory(context: Context, days: number): Promise<number> {
  const before = context.clock.now() - days * DAY_MS
  let purged = 0
  for (;;) {
    const n = await purgeSome(context, before)
    purged += n
    if (n < CHUNK) return purged
  }
}

async function purgeSome(context: Context, before: number): Promise<number> {
  return await context.storage.write(async db => {
    const rows: ChangeRow[] = await db<ChangeRow>(CHANGE)
      .where('at', '<', before)
      .orderBy('at')
      .orderBy('id')
      .limit(CHUNK)
    const operations = new Map<number, Operation>()
    for (const row of rows) {
      const change = JSON.parse(row.body) as Change
      if (change.kind === 'remove') {
        const op = operations.get(row.account_id) ?? (await operationOf(context, row.account_id))
        operations.set(row.account_id, op)
        for (const uids of chunks(change.uids)) await purgeExpunged(op, change.mailboxId, uids)
      }
      await db(CHANGE).where({ id: row.id }).delete()
    }
    for (const op of operations.values()) await op.finish()
    for (const [account, modseq] of highest(rows)) {
      await db(ACCOUNT).where({ id: account }).where('purged', '<', modseq).update({ purged: modseq })
    }
    return rows.length
  })
}

async function operationOf(context: Context, accountId: number): Promise<Operation> {
  const account = await context.storage.db<AccountRow>(ACCOUNT).where({ id: accountId }).first('name')
  const op = account === undefined ? undefined : await begin(context, account.name)
  if (op === undefined) throw new Error(`account ${accountId} of the change log is gone`)
  return op
}

async function purgeExpunged(op: Operation, mailboxId: number, uids: readonly number[]): Promise<void> {
  const { db } = op.context.storage
  const rows: Pick<MessageRow, 'id' | 'thread_id' | 'thread_parent_id'>[] = await db<MessageRow>(MESSAGE)
    .select('id', 'thread_id', 'thread_parent_id')
    .where({ mailbox_id: mailboxId })
    .whereIn('uid', uids)
    .where('expunged_at', '>', 0)
    .whereNotIn('id', db(ERASE).select('message_id'))
  for (const row of rows) {
    // Answers to it become answers to what it answered, which lists show.
    const answers = { thread_id: row.thread_id, thread_parent_id: row.id }
    const shown: Pick<MessageRow, 'id' | 'mailbox_id' | 'uid'>[] = await db<MessageRow>(MESSAGE)
      .select('id', 'mailbox_id', 'uid')
      .where({ ...answers, expunged_at: 0 })
    for (const { id, mailbox_id, uid } of shown) {
      op.touch(await op.byId(mailbox_id))
      op.record({ kind: 'flags', mailboxId: mailbox_id, uid, id })
      await db(MESSAGE).where({ id }).update({ modseq: op.modseq })
    }
    await db(MESSAGE).where(answers).update({ thread_parent_id: row.thread_parent_id, thread_missing_link: 1 })
    await db(MESSAGE).where({ id: row.id }).delete()
  }
}

/** The highest modseq of each account. */
function highest(rows: readonly ChangeRow[]): Map<number, number> {
  const modseqs = new Map<number, number>()
  for (const row of rows) modseqs.set(row.account_id, Math.max(row.modseq, modseqs.get(row.account_id) ?? 0))
  return modseqs
}
