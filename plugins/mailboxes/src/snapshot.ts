// The state of an account's mail at one moment, for exports, which take long: no message is left out or comes twice because it
// is moved meanwhile. Rows are listed in pages; then one query has everything that changed since the listing began, by
// modseq, so that both together are the state at the moment of that query. Pages wait compressed in memory, some 40 bytes for a
// message. Expunged messages keep their content until close(), for an hour at most. Throws a UsageError when the account
// changes too fast to be listed.
import { promisify } from 'node:util'
import { deflate, inflate } from 'node:zlib'
import { type MailboxInfo, UsageError } from '@mox/plugin-sdk'
import type { Context } from './context.ts'
import { chunks } from './expunge.ts'
import { METADATA_LINES } from './manifest.ts'
import {
  ACCOUNT,
  type AccountRow,
  type FlagColumns,
  MAILBOX,
  type MailboxRow,
  MESSAGE,
  type MessageRow,
} from './schema.ts'

/** Messages of a page. */
const PAGE: number = METADATA_LINES
/** Messages that may change while all are listed, and how often it is tried. */
export const CHANGED = 20_000
export const TRIES = 5

/** What an export says of a message, without its content. */
export type SnapshotRow = FlagColumns &
  Pick<
    MessageRow,
    | 'id'
    | 'mailbox_id'
    | 'uid'
    | 'modseq'
    | 'received_at'
    | 'keywords'
    | 'thread_muted'
    | 'thread_collapsed'
    | 'destined_mailbox_id'
    | 'is_reject'
    | 'is_forward'
    | 'from_verified'
    | 'mail_from'
    | 'rcpt_to'
  >

const COLUMNS: readonly (keyof SnapshotRow)[] = [
  ...(['id', 'mailbox_id', 'uid', 'modseq', 'received_at', 'keywords', 'thread_muted', 'thread_collapsed'] as const),
  ...(['destined_mailbox_id', 'is_reject', 'is_forward', 'from_verified', 'mail_from', 'rcpt_to'] as const),
  ...(['seen', 'answered', 'flagged', 'forwarded', 'junk', 'notjunk', 'deleted', 'draft'] as const),
  ...(['phishing', 'mdn_sent'] as const),
]

const pack = promisify(deflate)
const unpack = promisify(inflate)

/** Which messages: all of the mailboxes, or only those with the ids. */
export interface Wanted {
  readonly mailboxes: readonly Pick<MailboxInfo, 'id'>[]
  readonly ids?: readonly number[] | undefined
}

export class Snapshot {
  readonly #pages = new Map<number, Buffer[]>()
  #changed: ReadonlyMap<number, SnapshotRow | undefined> = new Map()
  readonly close: () => void

  private constructor(context: Context, account: string) {
    this.close = context.feed.keep(account)
  }

  /** `choose` reads what is wanted; it is asked again when mailboxes were made or renamed meanwhile. */
  static async take<W extends Wanted>(
    context: Context,
    account: { readonly id: number; readonly name: string },
    choose: () => Promise<W>,
  ): Promise<{ readonly snapshot: Snapshot; readonly wanted: W }> {
    const snapshot = new Snapshot(context, account.name)
    try {
      for (let tries = 0; tries < TRIES; tries++) {
        const wanted = await snapshot.#list(context, account.id, choose)
        if (wanted !== undefined) return { snapshot, wanted }
      }
      throw new UsageError('the account changes too fast to be exported; try again later')
    } catch (err) {
      snapshot.close()
      throw err
    }
  }

  /** Messages of a mailbox by uid, in pages. */
  async *rows(mailboxId: number): AsyncGenerator<SnapshotRow[]> {
    const changed = [...this.#changed.values()].filter(row => row?.mailbox_id === mailboxId) as SnapshotRow[]
    changed.sort((a, b) => a.uid - b.uid)
    let next = 0
    for (const page of this.#pages.get(mailboxId) ?? []) {
      const listed = (JSON.parse((await unpack(page)).toString()) as SnapshotRow[]).filter(
        row => !this.#changed.has(row.id),
      )
      const last = listed.at(-1)?.uid ?? 0
      const from = next
      while ((changed[next]?.uid ?? Number.POSITIVE_INFINITY) < last) next++
      const rows = [...listed, ...changed.slice(from, next)]
      if (rows.length > 0) yield rows.sort((a, b) => a.uid - b.uid)
    }
    while (next < changed.length) {
      yield changed.slice(next, next + PAGE)
      next += PAGE
    }
  }

  /** Undefined when too much changed meanwhile. */
  async #list<W extends Wanted>(context: Context, account: number, choose: () => Promise<W>): Promise<W | undefined> {
    const { storage } = context
    const known = (await storage.db<AccountRow>(ACCOUNT).where({ id: account }).first('modseq'))?.modseq ?? 0
    const names = await mailboxNames(context, account)
    const chosen = await choose()
    const { mailboxes, ids } = chosen
    this.#pages.clear()
    if (ids === undefined) for (const { id } of mailboxes) await this.#listMailbox(context, id)
    else await this.#listIds(context, account, ids)
    const wanted = new Set(ids)
    const changed = await storage.offload<SnapshotRow & Pick<MessageRow, 'expunged_at'>>(
      storage
        .db(MESSAGE)
        .select(...COLUMNS, 'expunged_at')
        .whereIn(
          'mailbox_id',
          mailboxes.map(mailbox => mailbox.id),
        )
        .where('modseq', '>', known)
        .limit(CHANGED + 1),
    )
    const own = ids === undefined ? changed : changed.filter(row => wanted.has(row.id))
    this.#changed = new Map(own.map(({ expunged_at: expunged, ...row }) => [row.id, expunged === 0 ? row : undefined]))
    // What went to a mailbox that was not there at the beginning would not be found.
    return changed.length <= CHANGED && (await mailboxNames(context, account)) === names ? chosen : undefined
  }

  async #listMailbox({ storage }: Context, mailboxId: number): Promise<void> {
    const pages: Buffer[] = []
    this.#pages.set(mailboxId, pages)
    for (let after = 0; ; ) {
      const rows = await storage.offload<SnapshotRow>(
        storage
          .db(MESSAGE)
          .select(...COLUMNS)
          .where({ mailbox_id: mailboxId, expunged_at: 0 })
          .where('uid', '>', after)
          .orderBy('uid')
          .limit(PAGE),
      )
      if (rows.length > 0) pages.push(await pack(JSON.stringify(rows)))
      if (rows.length < PAGE) return
      after = rows.at(-1)?.uid ?? 0
    }
  }

  async #listIds({ storage }: Context, account: number, ids: readonly number[]): Promise<void> {
    const all: SnapshotRow[] = []
    for (const part of chunks([...new Set(ids)]))
      all.push(
        ...(await storage.offload<SnapshotRow>(
          storage
            .db(MESSAGE)
            .select(...COLUMNS)
            .where({ account_id: account, expunged_at: 0 })
            .whereIn('id', part),
        )),
      )
    for (const [mailbox, rows] of Map.groupBy(all, row => row.mailbox_id)) {
      rows.sort((a, b) => a.uid - b.uid)
      const pages: Buffer[] = []
      for (const part of chunks(rows)) pages.push(await pack(JSON.stringify(part)))
      this.#pages.set(mailbox, pages)
    }
  }
}

async function mailboxNames({ storage }: Context, account: number): Promise<string> {
  const rows: Pick<MailboxRow, 'id' | 'name'>[] = await storage
    .db<MailboxRow>(MAILBOX)
    .where({ account_id: account, removed_seq: 0 })
    .orderBy('id')
    .select('id', 'name')
  return JSON.stringify(rows)
}
