// The consistency check: reads everything once, in pages on a reader thread, and compares what is kept incrementally with what
// it should be. Finds problems, repairs nothing. Counts of an account that changed meanwhile are not compared.
import { setImmediate } from 'node:timers/promises'
import type { Storage } from '@mox/plugin-sdk'
import { type Counts, count, noCounts, sameCounts } from './counts.ts'
import { CHUNK, chunks } from './expunge.ts'
import { splitWords } from './flags.ts'
import { accountWord, INDEX } from './indexer.ts'
import { parentName } from './names.ts'
import { isRemoved } from './removal.ts'
import { ROLES } from './rows.ts'
import {
  ACCOUNT,
  type AccountRow,
  ANNOTATION,
  CHANGE,
  ERASE,
  MAILBOX,
  type MailboxRow,
  MESSAGE,
  type MessageRow,
  RECIPIENT,
} from './schema.ts'

/** Problems reported of one kind. */
export const PROBLEMS_PER_KIND = 20
const PAGE = 1_000

type Scanned = Pick<
  MessageRow,
  | 'id'
  | 'account_id'
  | 'mailbox_id'
  | 'uid'
  | 'modseq'
  | 'create_seq'
  | 'expunged_at'
  | 'content_id'
  | 'prefix'
  | 'size'
  | 'seen'
  | 'deleted'
  | 'keywords'
  | 'thread_id'
  | 'thread_parent_id'
  | 'search_id'
> & { readonly counted: number | null }

const SCANNED = [
  'id',
  'account_id',
  'mailbox_id',
  'uid',
  'modseq',
  'create_seq',
  'expunged_at',
  'content_id',
  'prefix',
  'size',
  'seen',
  'deleted',
  'keywords',
  'thread_id',
  'thread_parent_id',
  'search_id',
]

/** What the messages of one mailbox amount to. */
interface Sum {
  readonly counts: Counts
  readonly keywords: Set<string>
  uid: number
  modseq: number
  live: number
}

class Check {
  readonly problems: string[] = []
  readonly #kinds = new Map<string, number>()
  readonly sums = new Map<number, Sum>()
  /** Bytes by account. */
  readonly used = new Map<number, number>()

  report(kind: string, detail: string): void {
    const n = (this.#kinds.get(kind) ?? 0) + 1
    this.#kinds.set(kind, n)
    if (n <= PROBLEMS_PER_KIND) this.problems.push(`${kind}: ${detail}`)
  }

  sum(mailbox: number): Sum {
    const known = this.sums.get(mailbox)
    if (known !== undefined) return known
    const made: Sum = { counts: noCounts(), keywords: new Set(), uid: 0, modseq: 0, live: 0 }
    this.sums.set(mailbox, made)
    return made
  }
}

export async function verify(storage: Storage): Promise<string[]> {
  const check = new Check()
  const before = await states(storage)
  for (let last = 0; ; ) {
    const rows = await storage.offload<Scanned>(
      storage
        .db(`${MESSAGE} as m`)
        .leftJoin(`${ERASE} as e`, 'e.message_id', 'm.id')
        .select(...SCANNED.map(column => `m.${column}`), 'e.counted')
        .where('m.id', '>', last)
        .orderBy('m.id')
        .limit(PAGE),
    )
    for (const row of rows) await checkMessage(storage, check, row)
    await checkIndex(storage, check, rows)
    last = rows.at(-1)?.id ?? 0
    if (rows.length < PAGE) break
    await setImmediate()
  }
  const mailboxes = await storage.offload<MailboxRow>(storage.db(MAILBOX).select('*'))
  const accounts = await storage.offload<AccountRow>(storage.db(ACCOUNT).select('*'))
  for (const account of accounts) {
    // Its messages are being deleted.
    if (isRemoved(account.name)) continue
    const own = mailboxes.filter(mailbox => mailbox.account_id === account.id)
    if (before.get(account.id) === state(account)) checkAccount(check, account, own)
  }
  await checkLinks(storage, check)
  return check.problems
}

/** What changes with every change to an account's messages. */
function state(account: AccountRow): string {
  return `${account.modseq} ${account.used}`
}

async function states(storage: Storage): Promise<Map<number, string>> {
  const rows = await storage.offload<AccountRow>(storage.db(ACCOUNT).select('*'))
  return new Map(rows.map(row => [row.id, state(row)]))
}

async function checkMessage(storage: Storage, check: Check, row: Scanned): Promise<void> {
  const what = `message ${row.id}`
  const sum = check.sum(row.mailbox_id)
  sum.uid = Math.max(sum.uid, row.uid)
  sum.modseq = Math.max(sum.modseq, row.modseq)
  if (row.uid < 1) check.report('message uid', `${what} has uid ${row.uid}`)
  if (row.create_seq < 1 || row.create_seq > row.modseq) {
    check.report('message modseq', `${what} has create sequence ${row.create_seq} and modseq ${row.modseq}`)
  }
  if (row.thread_id < 1) check.report('thread', `${what} has no thread`)
  if (row.thread_parent_id >= row.id)
    check.report('thread', `${what} answers the later message ${row.thread_parent_id}`)
  const live = row.expunged_at === 0
  if (live) {
    sum.live++
    count(sum.counts, row, 1)
    for (const word of splitWords(row.keywords)) sum.keywords.add(word)
    if (row.counted !== null) check.report('erase', `${what} waits to be erased and is not expunged`)
  } else if ((row.content_id !== 0) !== (row.counted !== null)) {
    check.report(
      'erase',
      `expunged ${what} has content ${row.content_id} and ${row.counted === null ? 'does not wait' : 'waits'} to be erased`,
    )
  }
  if (live || row.counted === 1) check.used.set(row.account_id, (check.used.get(row.account_id) ?? 0) + row.size)
  if (live || row.content_id !== 0) await checkContent(storage, check, row)
}

async function checkContent(storage: Storage, check: Check, row: Scanned): Promise<void> {
  try {
    const size = row.prefix.length + (await storage.content.size(row.content_id))
    if (size !== row.size) check.report('message size', `message ${row.id} has ${size} bytes, recorded are ${row.size}`)
  } catch {
    // Erased since its page was read?
    const now: Pick<MessageRow, 'content_id'> | undefined = await storage
      .db<MessageRow>(MESSAGE)
      .select('content_id')
      .where({ id: row.id })
      .first()
    if (now?.content_id !== row.content_id) return
    check.report('message content', `message ${row.id} has no content ${row.content_id}`)
  }
}

/** What was read for search is in the index, under its account. */
async function checkIndex(storage: Storage, check: Check, rows: readonly Scanned[]): Promise<void> {
  const { search } = storage
  for (const row of rows)
    if (row.expunged_at === 0 && row.search_id !== null && row.search_id <= 0)
      check.report('search index', `message ${row.id} is taken for one that is not there`)
  if (search === undefined) return
  const accounts = Map.groupBy(
    rows.filter(row => (row.search_id ?? 0) > 0),
    row => row.account_id,
  )
  for (const [account, group] of accounts)
    for (const part of chunks(group)) {
      const among = part.map(row => row.search_id ?? 0)
      const terms = [{ text: accountWord(account), field: 'account' }]
      const found = new Set(await search.query(INDEX, terms, { limit: CHUNK, among }))
      for (const row of part) {
        if (found.has(row.search_id ?? 0)) continue
        const now: Pick<MessageRow, 'search_id'> | undefined = await storage
          .db<MessageRow>(MESSAGE)
          .select('search_id')
          .where({ id: row.id })
          .first()
        // Erased since its page was read?
        if (now?.search_id === row.search_id) check.report('search index', `message ${row.id} is not in it`)
      }
    }
}

function checkAccount(check: Check, account: AccountRow, mailboxes: readonly MailboxRow[]): void {
  const used = check.used.get(account.id) ?? 0
  if (used !== account.used)
    check.report('usage', `account ${account.name} uses ${used} bytes, recorded are ${account.used}`)
  const live = mailboxes.filter(mailbox => mailbox.removed_seq === 0)
  const byName = new Map(live.map(mailbox => [mailbox.name, mailbox]))
  if (byName.size !== live.length) check.report('mailbox name', `account ${account.name} has two mailboxes of one name`)
  for (const role of ROLES) {
    const holders = live.filter(mailbox => mailbox[role] === 1)
    if (holders.length > 1) check.report('role', `account ${account.name} has ${holders.length} mailboxes for ${role}`)
  }
  if (account.introbox_id !== 0 && !live.some(mailbox => mailbox.id === account.introbox_id))
    check.report('introbox', `account ${account.name} has mailbox ${account.introbox_id} for it, which is not there`)
  for (const mailbox of mailboxes) {
    const what = `mailbox ${mailbox.id} ${JSON.stringify(mailbox.name)} of ${account.name}`
    checkMailbox(check, account, mailbox, what)
    if (mailbox.removed_seq === 0) {
      const parent = parentName(mailbox.name)
      const parentId = parent === '' ? 0 : byName.get(parent)?.id
      if (parentId !== mailbox.parent_id)
        check.report('mailbox parent', `${what} has parent ${mailbox.parent_id}, not ${parentId}`)
    } else if ((check.sums.get(mailbox.id)?.live ?? 0) > 0)
      check.report('mailbox removed', `${what} is removed and has messages`)
    else if (ROLES.some(role => mailbox[role] === 1)) check.report('role', `removed ${what} has a role`)
  }
}

function checkMailbox(check: Check, account: AccountRow, mailbox: MailboxRow, what: string): void {
  const sum = check.sum(mailbox.id)
  const { total, deleted, unread, unseen, size } = mailbox
  const recorded: Counts = { total, deleted, unread, unseen, size }
  if (!sameCounts(sum.counts, recorded)) {
    check.report(
      'mailbox counts',
      `${what} has ${JSON.stringify(sum.counts)}, recorded are ${JSON.stringify(recorded)}`,
    )
  }
  if (sum.uid >= mailbox.uidnext)
    check.report('mailbox uid', `${what} has uid ${sum.uid} and next uid ${mailbox.uidnext}`)
  if (mailbox.uidvalidity >= account.uidvalidity)
    check.report('uidvalidity', `${what} has one that is yet to be given out`)
  if (mailbox.create_seq < 1 || mailbox.create_seq > mailbox.modseq || mailbox.modseq > account.modseq) {
    check.report(
      'mailbox modseq',
      `${what} has create sequence ${mailbox.create_seq}, modseq ${mailbox.modseq} of ${account.modseq}`,
    )
  }
  if (mailbox.modseq < sum.modseq)
    check.report('mailbox modseq', `${what} has ${mailbox.modseq}, a message ${sum.modseq}`)
  const known = new Set(splitWords(mailbox.keywords))
  const unknown = [...sum.keywords].filter(word => !known.has(word))
  if (unknown.length > 0) check.report('mailbox keywords', `${what} does not list ${unknown.slice(0, 5).join(' ')}`)
}

/** What refers to rows that are not there or not right. */
async function checkLinks(storage: Storage, check: Check): Promise<void> {
  const { db } = storage
  const threads = await storage.offload<{ id: number; parent: number }>(
    db(`${MESSAGE} as m`)
      .join(`${MESSAGE} as p`, 'p.id', 'm.thread_parent_id')
      .where('m.thread_id', '<>', db.ref('p.thread_id'))
      .select('m.id', 'p.id as parent')
      .limit(PROBLEMS_PER_KIND),
  )
  for (const row of threads) check.report('thread', `message ${row.id} answers ${row.parent} of another thread`)
  const strays = await storage.offload<{ id: number }>(
    db(`${MESSAGE} as m`)
      .leftJoin(`${MAILBOX} as b`, join => join.on('b.id', 'm.mailbox_id').andOn('b.account_id', 'm.account_id'))
      .whereNull('b.id')
      .select('m.id')
      .limit(PROBLEMS_PER_KIND),
  )
  for (const row of strays) check.report('message mailbox', `message ${row.id} is in no mailbox of its account`)
  const recipients = await storage.offload<{ id: number; message_id: number }>(
    db(`${RECIPIENT} as r`)
      .leftJoin(`${MESSAGE} as m`, 'm.id', 'r.message_id')
      .where(query => query.whereNull('m.id').orWhere('m.expunged_at', '>', 0))
      .select('r.id', 'r.message_id')
      .limit(PROBLEMS_PER_KIND),
  )
  for (const row of recipients)
    check.report('recipient', `recipient ${row.id} belongs to the missing message ${row.message_id}`)
  const annotations = await storage.offload<{ id: number }>(
    db(`${ANNOTATION} as n`)
      .join(`${ACCOUNT} as a`, 'a.id', 'n.account_id')
      .leftJoin(`${MAILBOX} as b`, join => join.on('b.id', 'n.mailbox_id').andOn('b.account_id', 'n.account_id'))
      .where(query =>
        query
          .where('n.modseq', '>', db.ref('a.modseq'))
          .orWhere('n.create_seq', '>', db.ref('n.modseq'))
          .orWhere('n.create_seq', '<', 1)
          .orWhere(mailbox =>
            mailbox
              .where('n.mailbox_id', '>', 0)
              .where(gone =>
                gone.whereNull('b.id').orWhere('b.removed_seq', '>', 0).orWhere('b.modseq', '<', db.ref('n.modseq')),
              ),
          ),
      )
      .select('n.id')
      .limit(PROBLEMS_PER_KIND),
  )
  for (const row of annotations)
    check.report('annotation', `annotation ${row.id} has a wrong modseq, or a mailbox that is not there`)
  const erases = await storage.offload<{ message_id: number }>(
    db(`${ERASE} as e`)
      .leftJoin(`${MESSAGE} as m`, 'm.id', 'e.message_id')
      .whereNull('m.id')
      .select('e.message_id')
      .limit(PROBLEMS_PER_KIND),
  )
  for (const row of erases) check.report('erase', `message ${row.message_id} waits to be erased and is not there`)
  const changes = await storage.offload<{ id: number }>(
    db(`${CHANGE} as c`)
      .join(`${ACCOUNT} as a`, 'a.id', 'c.account_id')
      .where('c.modseq', '>', db.ref('a.modseq'))
      .select('c.id')
      .limit(PROBLEMS_PER_KIND),
  )
  for (const row of changes) check.report('change log', `change ${row.id} has a modseq that is yet to be given out`)
}
