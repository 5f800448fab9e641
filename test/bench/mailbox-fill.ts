// What the measurements of large mailboxes share: the real storage without a server around it, an account that is filled.
import type { Clock, Directory, Log, Metrics } from '@mox/plugin-sdk'
import { parseHeader } from '@mox/plugin-sdk/mail'
import type { Context } from '../../plugins/mailboxes/src/context.ts'
import { describe } from '../../plugins/mailboxes/src/describe.ts'
import { Feed } from '../../plugins/mailboxes/src/feed.ts'
import {
  accountWord,
  INDEX,
  INDEX_FIELDS,
  Indexer,
  partFields,
  searchKey,
} from '../../plugins/mailboxes/src/indexer.ts'
import { DEFAULT_MAILBOXES } from '../../plugins/mailboxes/src/mailboxes.ts'
import { begin } from '../../plugins/mailboxes/src/operation.ts'
import { blankRow } from '../../plugins/mailboxes/src/place.ts'
import { migrations } from '../../plugins/mailboxes/src/schema.ts'
import { MailboxesService } from '../../plugins/mailboxes/src/service.ts'
import { prepare } from '../../plugins/mailboxes/src/statements.ts'
import { type SqliteStorage, sqliteStorage } from '../../plugins/storage-sqlite/src/database.ts'
import type { MailboxJob } from './jobs.ts'

export const NOW = 1_800_000_000_000
export const YEAR = 365 * 86_400_000
/** Messages per unit of work while mailboxes are filled. */
const UNIT = 1_000
/** Messages of a thread, on average. */
const THREAD = 3
/** Words of a message that is searched. */
const WORDS = 150
export const ROWS = 50

export const quiet: Log = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, child: () => quiet }
const none = { inc() {}, set() {}, observe() {} }
const metrics: Metrics = {
  ...{ counter: () => none, gauge: () => none, histogram: () => none, collect() {} },
  render: async () => '',
}
export const clock: Clock = { now: () => NOW, after: () => () => {}, sleep: async () => {} }
const directory = {
  account: async (name: string) => ({
    ...{ name, fullName: '', quota: 0, addresses: [] },
    ...{ maxOutgoingPerDay: 0, maxFirstTimeRecipientsPerDay: 0, maxQueued: 0, maxQueuedBytes: 0 },
  }),
} as unknown as Directory

export function contextOn(storage: SqliteStorage): Context {
  return {
    ...{ storage, directory, clock, log: quiet, feed: new Feed(quiet), statements: prepare(storage) },
    ...{ indexer: new Indexer({ storage, clock, log: quiet }), rejectsMailbox: 'Rejects' },
    junkFlags: () => undefined,
    ...{ initialMailboxes: DEFAULT_MAILBOXES, eraseSoon: () => {} },
  }
}

let random = 1
function next(n: number): number {
  random = (random * 48_271) % 2_147_483_647
  return random % n
}

/** Few words are common and most are rare, as in any language. */
function word(): string {
  return `w${Math.floor((next(1_000_003) / 1_000_003) ** 3 * 50_000)}`
}

/** Fills Inbox of an account, a tenth of it Archive; with `searched` all of it can be searched. */
export async function fill(context: Context, name: string, messages: number, searched: boolean): Promise<void> {
  const { storage } = context
  await new MailboxesService(context, () => {}).store(name)
  if (searched) await storage.write(async () => await storage.search?.create(INDEX, INDEX_FIELDS))
  const threads: number[] = []
  for (let from = 0; from < messages; from += UNIT)
    await storage.write(async () => {
      const op = await begin(context, name)
      if (op === undefined) throw new Error('no account')
      const inbox = await op.existing('Inbox')
      const archive = await op.existing('Archive')
      for (let i = from; i < Math.min(from + UNIT, messages); i++) {
        const mailbox = next(10) === 0 ? archive : inbox
        const sender = `Person ${next(5_000)} <p${next(5_000)}@d${next(500)}.example>`
        const subject = `${word()} ${word()} ${word()}`
        const head = parseHeader(Buffer.from(`From: ${sender}\r\nTo: me@here.example\r\nSubject: ${subject}\r\n\r\n`))
        const receivedAt = NOW - YEAR + Math.floor((i / messages) * YEAR) + next(600_000)
        const thread = next(THREAD) > 0 ? threads[threads.length - 1 - next(200)] : undefined
        const row = {
          ...{ ...blankRow(op, mailbox), ...describe(head).columns, uid: mailbox.uidnext++, modseq: op.modseq },
          ...{ create_seq: op.modseq, message_id_header: `${i}@${name}`, size: 5_000, received_at: receivedAt },
          ...{
            preview: `${subject} ${subject}`,
            attachments: next(8) === 0 ? ' pdf ' : '',
            seen: next(5) === 0 ? 0 : 1,
          },
          ...{ prefix: Buffer.alloc(300), thread_id: thread ?? 0, saved_at: receivedAt },
        }
        const inserted = await context.statements.addMessage.get(row)
        const id = inserted?.id ?? 0
        if (thread === undefined) {
          threads.push(id)
          await context.statements.setThread.run({ id, thread: id })
        }
        const key = searchKey(receivedAt, id)
        await storage.db('mailboxes_message').where({ id }).update({ search_id: key })
        if (!searched) continue
        const text = `${subject}\n${sender}\n${Array.from({ length: WORDS }, word).join(' ')}`
        const fields = 'from to subject received dkimʼsignature messageʼid'
        const account = accountWord(op.account.id)
        await storage.search?.put(INDEX, key, { account, fields, text, ...partFields(row) })
      }
      for (const mailbox of [inbox, archive]) {
        op.touch(mailbox)
        op.recordMailbox(mailbox)
      }
      await op.finish()
    })
}

export async function open<T>(dir: string, work: (context: Context) => Promise<T>): Promise<T> {
  const storage = sqliteStorage({ dir, file: 'mox.db', driver: 'better-sqlite3' }, { clock, log: quiet, metrics })
  await storage.open()
  try {
    await storage.migrate('mailboxes', migrations)
    const context = contextOn(storage)
    const result = await work(context)
    await context.indexer.stop()
    return result
  } finally {
    await storage.close()
  }
}

/** `reader`, which can be searched, and `big` with all messages. */
export async function fillAll({ dir, messages }: MailboxJob): Promise<object> {
  return await open(dir, async context => {
    await fill(context, 'reader', Math.min(messages, 100_000), true)
    await fill(context, 'big', messages, false)
    return {}
  })
}
