// One change to one account's store: takes a modseq, collects the mailboxes it touches and the changes it makes, and at the
// end writes counts, log and feed. It keeps rows only while it runs, so that a unit of work that rolls back leaves nothing
// behind in memory. What it throws undoes the unit of work.
import type { Change } from '@mox/plugin-sdk'
import { UsageError } from '@mox/plugin-sdk'
import type { Context } from './context.ts'
import { refuse } from './errors.ts'
import { mailboxName } from './names.ts'
import { type AccountRow, MAILBOX, type MailboxRow } from './schema.ts'
import { mailboxUpdate } from './statements.ts'

type WithoutModseq<C> = C extends Change ? Omit<C, 'modseq'> : never

/** What an operation needs to know of its account. */
export type OperationAccount = Pick<
  AccountRow,
  'id' | 'name' | 'uidvalidity' | 'modseq' | 'used' | 'rules' | 'introbox_id'
>

export class Operation {
  readonly context: Context
  /** Its modseq is this operation's. */
  readonly account: OperationAccount
  readonly now: number
  readonly #mailboxes = new Map<number, MailboxRow>()
  readonly #touched = new Set<MailboxRow>()
  readonly #changes: Change[] = []

  constructor(context: Context, account: OperationAccount) {
    this.context = context
    this.account = { ...account, modseq: account.modseq + 1 }
    this.now = context.clock.now()
  }

  /** The modseq of everything that this operation changes. */
  get modseq(): number {
    return this.account.modseq
  }

  /** Adds to the log and the feed. */
  record(change: WithoutModseq<Change>): void {
    this.#changes.push({ ...change, modseq: this.modseq })
  }

  recordMailbox(mailbox: MailboxRow): void {
    this.record({ kind: 'mailbox', mailboxId: mailbox.id, name: mailbox.name, removed: mailbox.removed_seq > 0 })
  }

  /** Has the row written at the end. */
  touch(mailbox: MailboxRow): void {
    mailbox.modseq = this.modseq
    this.#touched.add(mailbox)
  }

  /** The mailbox of a normalised name. */
  async find(name: string): Promise<MailboxRow | undefined> {
    for (const row of this.#mailboxes.values()) if (row.name === name && row.removed_seq === 0) return row
    return this.keep(await this.context.statements.mailbox.get({ account: this.account.id, name }))
  }

  /** The mailbox of a name as a user gives it. */
  async existing(text: string): Promise<MailboxRow> {
    const checked = mailboxName(text)
    if (!checked.ok) throw refuse('name', checked.error)
    const row = await this.find(checked.name)
    if (row === undefined) throw refuse('missing', 'no such mailbox')
    return row
  }

  async junk(): Promise<MailboxRow | undefined> {
    return this.keep(await this.context.statements.junkMailbox.get({ account: this.account.id }))
  }

  async byId(id: number): Promise<MailboxRow> {
    const known = this.#mailboxes.get(id)
    if (known !== undefined) return known
    const row: MailboxRow | undefined = await this.context.storage.db<MailboxRow>(MAILBOX).where({ id }).first()
    const kept = this.keep(row)
    if (kept === undefined) throw new Error(`mailbox ${id} is gone`)
    return kept
  }

  /** One row object per mailbox, whichever way it was found. */
  keep<R extends MailboxRow | undefined>(row: R): R {
    if (row === undefined) return row
    const known = this.#mailboxes.get(row.id)
    if (known !== undefined) return known as R
    this.#mailboxes.set(row.id, row)
    return row
  }

  /** Writes what was recorded; an operation without changes takes no modseq. */
  async finish(): Promise<void> {
    if (this.#changes.length === 0) return
    const { statements, storage, feed, indexer } = this.context
    const { id, name, modseq, used, uidvalidity } = this.account
    await statements.updateAccount.run({ id, modseq, used, uidvalidity })
    for (const mailbox of this.#touched) await statements.updateMailbox.run(mailboxUpdate(mailbox))
    for (const { modseq: _, ...body } of this.#changes) {
      await statements.addChange.run({ account: id, modseq, at: this.now, body: JSON.stringify(body) })
    }
    const added = this.#changes.some(change => change.kind === 'add')
    storage.afterCommit(() => {
      feed.publish(name, this.#changes)
      if (added) indexer.wake()
    })
  }
}

/** Starts an operation in the open unit of work. */
export async function begin(context: Context, name: string): Promise<Operation | undefined> {
  const account = await context.statements.account.get({ name })
  return account === undefined ? undefined : new Operation(context, account)
}

/** Runs one operation as a unit of work, or inside the surrounding one. */
export async function operate<T>(context: Context, account: string, work: (op: Operation) => Promise<T>): Promise<T> {
  return await context.storage.write(async () => {
    const op = await begin(context, account)
    if (op === undefined) throw new UsageError(`no message store for account ${JSON.stringify(account)}`)
    const result = await work(op)
    await op.finish()
    return result
  })
}
