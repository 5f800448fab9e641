// Adding imported messages to an account, inside an operation: a message that is there already is passed by, whether it came
// by an import or by mail; parents that come after their answers still join their thread.
import { createHash } from 'node:crypto'
import type { Context } from './context.ts'
import { describe } from './describe.ts'
import { refuse } from './errors.ts'
import { flagColumns, joinWords, MESSAGE_KEYWORDS, parseWords } from './flags.ts'
import { importedWord, type StagedMessage } from './import-message.ts'
import { add } from './mailboxes.ts'
import type { Metadata } from './manifest.ts'
import { mailboxName } from './names.ts'
import type { Operation } from './operation.ts'
import { affordableKeywords, blankRow, findThread, insertMessage, position, threadColumns } from './place.ts'
import { LIVE_IN, MESSAGE, type MessageRow } from './schema.ts'
import type { ThreadHead } from './threads.ts'
import { receiptTime } from './times.ts'

/** Message-IDs that are remembered as referred to. */
const WAITING = 200_000
/** Stored messages of one Message-ID and size that are compared. */
const COMPARED = 5

/** Threads that wait for messages that theirs refer to. */
export class WaitingThreads {
  readonly #threads = new Map<string, number>()

  find(head: ThreadHead): number {
    for (const id of [head.messageId, ...head.references]) {
      const found = id === '' ? undefined : this.#threads.get(`${id} ${head.subjectBase}`)
      if (found !== undefined) return found
    }
    return 0
  }

  note(head: ThreadHead, thread: number): void {
    for (const id of head.references) {
      if (this.#threads.size >= WAITING) return
      const key = `${id} ${head.subjectBase}`
      if (!this.#threads.has(key)) this.#threads.set(key, thread)
    }
  }
}

/** The new message's id; undefined when it is there already. `quota` is 0 for none. */
export async function addImported(
  op: Operation,
  message: StagedMessage,
  waiting: WaitingThreads,
  quota: number,
): Promise<number | undefined> {
  const { storage } = op.context
  const mailbox = (await op.find(message.mailbox)) ?? (await add(op, message.mailbox, []))
  const { columns, thread } = describe(message.head)
  const key = `import/${message.hash.toString('hex')}/${message.mailbox}`
  if (await isThere(op, mailbox.id, key, columns.message_id_header, message)) return undefined
  if (quota > 0 && op.account.used + message.size > quota) throw refuse('quota', 'account storage full')
  const { noted, words: given = [] } = message
  const words = parseWords(noted === undefined ? given.map(importedWord) : given)
  const receivedAt = receiptTime(message.receivedAt ?? op.now)
  const found = await findThread(op, thread, mailbox.id, receivedAt)
  const row: Omit<MessageRow, 'id'> = {
    ...blankRow(op, mailbox),
    ...columns,
    ...threadColumns(found),
    ...flagColumns(Object.fromEntries(words.flags.map(flag => [flag, true]))),
    ...flagColumns(message.flags ?? {}),
    keywords: affordableKeywords(mailbox, joinWords(words.keywords.slice(0, MESSAGE_KEYWORDS))),
    delivery_key: key,
    content_id: await storage.content.keep(message.staged),
    size: message.size,
    received_at: receivedAt,
  }
  if (found.parent === undefined) row.thread_id = waiting.find(thread)
  if (noted !== undefined) Object.assign(row, await notedColumns(op, noted))
  position(op, mailbox, row)
  const inserted = await insertMessage(op, mailbox, row, message.head)
  if (inserted === undefined) throw new Error('message was not inserted')
  waiting.note(thread, inserted.thread_id)
  op.account.used += message.size
  return inserted.id
}

async function notedColumns(op: Operation, noted: Metadata): Promise<Partial<MessageRow>> {
  const { destined } = noted
  const checked = destined === undefined ? undefined : mailboxName(destined)
  const target = checked?.ok === true ? await op.find(checked.name) : undefined
  return {
    thread_muted: noted.muted ? 1 : 0,
    thread_collapsed: noted.collapsed ? 1 : 0,
    mail_from: noted.mailFrom ?? '',
    rcpt_to: noted.rcptTo ?? '',
    from_verified: noted.verified === true ? 1 : 0,
    is_forward: noted.forward === true ? 1 : 0,
    is_reject: noted.reject === true ? 1 : 0,
    destined_mailbox_id: target?.id ?? 0,
  }
}

async function isThere(
  op: Operation,
  mailboxId: number,
  key: string,
  messageId: string,
  { size, hash }: StagedMessage,
): Promise<boolean> {
  const { db } = op.context.storage
  const known = await db<MessageRow>(MESSAGE)
    .where({ account_id: op.account.id, delivery_key: key })
    .first('id', 'expunged_at')
  if (known !== undefined) {
    if (known.expunged_at === 0) return true
    // Removed since it was imported: who imports it again wants it back.
    await db(MESSAGE).where({ id: known.id }).update({ delivery_key: null })
  }
  if (messageId === '') return false
  const same: Pick<MessageRow, 'id' | 'prefix' | 'content_id'>[] = await db<MessageRow>(MESSAGE)
    .select('id', 'prefix', 'content_id')
    .where({ account_id: op.account.id, message_id_header: messageId, size })
    .whereRaw(LIVE_IN, [mailboxId])
    .limit(COMPARED)
  for (const row of same) if ((await hashOf(op.context, row)).equals(hash)) return true
  return false
}

async function hashOf(context: Context, row: Pick<MessageRow, 'prefix' | 'content_id'>): Promise<Buffer> {
  const hash = createHash('sha256').update(row.prefix)
  for await (const chunk of context.storage.content.open(row.content_id)) hash.update(chunk)
  return hash.digest()
}
