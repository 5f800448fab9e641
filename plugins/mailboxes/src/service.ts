// mailboxes@1 over all accounts: delivery, reading by id, watching, and the erasing that goes on in the background.
import {
  type Change,
  type ChangeSession,
  type LocalDelivery,
  type LocalOutcome,
  type Mailboxes,
  type MailboxMessage,
  type MailStore,
  type RuledDelivery,
  type Ruling,
  UsageError,
} from '@mox/plugin-sdk'
import type { Context } from './context.ts'
import { deliver } from './deliver.ts'
import { createAccount } from './mailboxes.ts'
import { isRemoved } from './removal.ts'
import { mailboxMessage } from './rows.ts'
import { ruling } from './rules.ts'
import { ACCOUNT, type AccountRow, MESSAGE, type MessageRow } from './schema.ts'
import { AccountStore } from './store.ts'
import { verify } from './verify.ts'

/** Messages that recent() and copies() return at most. */
export const RECENT_PAGE = 1_000

export class MailboxesService implements Mailboxes {
  readonly #context: Context
  readonly #delivered: (result: 'delivered' | 'duplicate' | 'refused') => void

  constructor(context: Context, delivered: (result: 'delivered' | 'duplicate' | 'refused') => void) {
    this.#context = context
    this.#delivered = delivered
  }

  get rejectsMailbox(): string {
    return this.#context.rejectsMailbox
  }

  async deliver(delivery: LocalDelivery): Promise<LocalOutcome> {
    if (!this.#context.storage.inUnit()) throw new Error('deliver() must run inside a unit of work')
    const outcome = await deliver(this.#context, delivery)
    this.#delivered(!outcome.ok ? 'refused' : outcome.duplicate ? 'duplicate' : 'delivered')
    return outcome
  }

  async ruling(delivery: RuledDelivery): Promise<Ruling | undefined> {
    const row = await this.#account(delivery.account)
    return ruling(row?.rules ?? '', delivery, this.#context.log)
  }

  async store(account: string): Promise<MailStore> {
    const { storage } = this.#context
    const row = await this.#account(account)
    if (row !== undefined) return new AccountStore(this.#context, account, row.id)
    if ((await this.#context.directory.account(account)) === undefined) {
      throw new UsageError(`there is no account ${JSON.stringify(account)}`)
    }
    const id = await storage.write(async () => {
      const made = await this.#account(account)
      if (made !== undefined) return made.id
      const op = await createAccount(this.#context, account)
      await op.finish()
      return op.account.id
    })
    return new AccountStore(this.#context, account, id)
  }

  async #account(name: string): Promise<AccountRow | undefined> {
    return await this.#context.storage.db<AccountRow>(ACCOUNT).where({ name }).first()
  }

  async message(id: number): Promise<MailboxMessage | undefined> {
    return (await this.#list(1, { id }))[0]
  }

  async recent(options: { readonly limit: number; readonly before?: number }): Promise<MailboxMessage[]> {
    return await this.#list(options.limit, {}, options.before)
  }

  async copies(messageId: number): Promise<MailboxMessage[]> {
    return await this.#list(RECENT_PAGE, { message_id: messageId })
  }

  /** Newest first. */
  async #list(limit: number, where: Partial<MessageRow>, before?: number): Promise<MailboxMessage[]> {
    const { db } = this.#context.storage
    const query = db<MessageRow>(MESSAGE)
      .where({ expunged_at: 0, ...where })
      .orderBy('id', 'desc')
      .limit(Math.max(0, Math.min(limit, RECENT_PAGE)))
    if (before !== undefined) query.where('id', '<', before)
    const rows: MessageRow[] = await query
    const accounts: AccountRow[] = await db<AccountRow>(ACCOUNT).whereIn('id', [
      ...new Set(rows.map(row => row.account_id)),
    ])
    const names = new Map(accounts.map(account => [account.id, account.name]))
    return rows.flatMap(row => {
      const account = names.get(row.account_id) ?? ''
      return isRemoved(account) ? [] : mailboxMessage(row, account)
    })
  }

  /** Expunged messages too, until they are erased: sessions may still show them. */
  async open(id: number): Promise<AsyncIterable<Buffer>> {
    const { db, content } = this.#context.storage
    const row: Pick<MessageRow, 'prefix' | 'content_id'> | undefined = await db<MessageRow>(MESSAGE)
      .select('prefix', 'content_id')
      .where({ id })
      .first()
    if (row === undefined || row.content_id === 0) throw new Error(`message ${id} is gone`)
    return concat(row.prefix, content.open(row.content_id))
  }

  watch(account: string, listener: (changes: readonly Change[]) => void): () => void {
    return this.#context.feed.watch(account, listener)
  }

  session(account: string, wake: () => void): ChangeSession {
    return this.#context.feed.session(account, wake)
  }

  async verify(): Promise<string[]> {
    return await verify(this.#context.storage)
  }
}

async function* concat(prefix: Buffer, content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (prefix.length > 0) yield prefix
  yield* content
}
