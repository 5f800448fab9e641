// The store of one account as the contract has it: each change is one operation, each read a query on committed state.
import { createHash } from 'node:crypto'
import type {
  Annotation,
  AppendMessage,
  Change,
  DeliveryRule,
  ExportOptions,
  FlagChange,
  ImportOptions,
  ImportResult,
  ListedMessage,
  ListOptions,
  ListQuery,
  MailboxInfo,
  MailboxMessage,
  MailStore,
  MessagePage,
  SpecialUse,
  StagedContent,
  ThreadPage,
} from '@mox/plugin-sdk'
import { canonicalMessageId, parseHeader } from '@mox/plugin-sdk/mail'
import { type AnnotationEntry, annotate, shownAnnotation } from './annotations.ts'
import { stagedHead } from './content.ts'
import type { Context } from './context.ts'
import { refuse } from './errors.ts'
import type { Exported } from './export.ts'
import { expunge, liveMessages } from './expunge.ts'
import { changesSince, expungedSince } from './history.ts'
import { create, remove, rename, setIntrobox, setRoles, subscribe } from './mailboxes.ts'
import { append, copy, move, setFlags, setThread } from './messages.ts'
import { mailboxName } from './names.ts'
import { type Operation, operate } from './operation.ts'
import { list, listed, matching, threads } from './pages.ts'
import { mailboxInfo, mailboxMessage } from './rows.ts'
import { addRule, changeRules, readRules, sameRule } from './rules.ts'
import {
  ACCOUNT,
  type AccountRow,
  ANNOTATION,
  type AnnotationRow,
  MAILBOX,
  type MailboxRow,
  MESSAGE,
  type MessageRow,
  SUBSCRIPTION,
} from './schema.ts'

/** Messages that one call returns. */
export const MESSAGES_PAGE = 10_000
/** Messages of one Message-ID that are looked at. */
const SAME_MESSAGE_ID = 100

export class AccountStore implements MailStore {
  readonly account: string
  readonly #context: Context
  readonly #id: number

  constructor(context: Context, account: string, id: number) {
    this.#context = context
    this.account = account
    this.#id = id
  }

  async mailboxes(): Promise<MailboxInfo[]> {
    return await this.#mailboxes({})
  }

  async mailbox(name: string): Promise<MailboxInfo | undefined> {
    const checked = mailboxName(name)
    return checked.ok ? (await this.#mailboxes({ name: checked.name }))[0] : undefined
  }

  async #mailboxes(filter: { readonly name?: string }): Promise<MailboxInfo[]> {
    const { db } = this.#context.storage
    const where = { account_id: this.#id, ...filter }
    const rows: MailboxRow[] = await db<MailboxRow>(MAILBOX)
      .where({ ...where, removed_seq: 0 })
      .orderBy('name')
    const names: { name: string }[] = await db<{ name: string }>(SUBSCRIPTION).select('name').where(where)
    const subscribed = new Set(names.map(row => row.name))
    const account = await db<AccountRow>(ACCOUNT).where({ id: this.#id }).first('introbox_id')
    return rows.map(row => mailboxInfo(row, subscribed.has(row.name), row.id === account?.introbox_id))
  }

  async create(name: string, specialUse: readonly SpecialUse[] = []): Promise<MailboxInfo> {
    return await this.#change(async op => {
      const row = await create(op, name, specialUse)
      return mailboxInfo(row, true, false)
    })
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#change(op => rename(op, from, to))
  }

  async remove(name: string): Promise<void> {
    await this.#change(op => remove(op, name))
  }

  async setSpecialUse(name: string, specialUse: readonly SpecialUse[]): Promise<void> {
    await this.#change(async op => await setRoles(op, await op.existing(name), specialUse))
  }

  async setIntrobox(name: string): Promise<void> {
    await this.#change(op => setIntrobox(op, name))
  }

  async subscribe(name: string, subscribed: boolean): Promise<void> {
    await this.#change(op => subscribe(op, name, subscribed))
  }

  async messages(
    mailboxId: number,
    options: { readonly limit: number; readonly after?: number; readonly changedSince?: number },
  ): Promise<MailboxMessage[]> {
    const query = this.#context.storage
      .db<MessageRow>(MESSAGE)
      .where({ account_id: this.#id, mailbox_id: mailboxId, expunged_at: 0 })
      .where('uid', '>', options.after ?? 0)
      .orderBy('uid')
      .limit(Math.max(0, Math.min(options.limit, MESSAGES_PAGE)))
    if (options.changedSince !== undefined) query.where('modseq', '>', options.changedSince)
    return this.#shown(await query)
  }

  async list(options: ListOptions): Promise<MessagePage> {
    return await list(this.#context, this.#id, options)
  }

  async threads(options: ListOptions): Promise<ThreadPage> {
    return await threads(this.#context, this.#id, options)
  }

  async listed(ids: readonly number[]): Promise<ListedMessage[]> {
    return await listed(this.#context, this.#id, ids)
  }

  async matching(query: ListQuery, ids: readonly number[]): Promise<number[]> {
    return await matching(this.#context, this.#id, query, ids)
  }

  async append(message: AppendMessage): Promise<MailboxMessage> {
    if (!Buffer.isBuffer(message.content)) return await this.#append(message, message.content)
    const writer = this.#context.storage.content.writer()
    try {
      await writer.write(message.content)
      return await this.#append(message, await writer.finish(createHash('sha256').update(message.content).digest()))
    } catch (err) {
      await writer.abort()
      throw err
    }
  }

  async #append(message: AppendMessage, staged: StagedContent): Promise<MailboxMessage> {
    const { content } = this.#context.storage
    const head = Buffer.isBuffer(message.content) ? parseHeader(message.content) : await stagedHead(content, staged)
    return await this.#change(async op => {
      const contentId = await content.keep(staged)
      return this.#show(await append(op, message, { head, contentId, size: staged.size }))
    })
  }

  async setFlags(
    ids: readonly number[],
    change: FlagChange,
  ): Promise<{ changed: MailboxMessage[]; modified: number[] }> {
    return await this.#change(async op => {
      const { changed, modified } = await setFlags(op, ids, change)
      return { changed: this.#shown(changed), modified }
    })
  }

  async move(ids: readonly number[], mailbox: string): Promise<MailboxMessage[]> {
    return await this.#change(async op => this.#shown(await move(op, ids, mailbox)))
  }

  async copy(ids: readonly number[], mailbox: string): Promise<MailboxMessage[]> {
    return await this.#change(async op => this.#shown(await copy(op, ids, mailbox)))
  }

  async expunge(ids: readonly number[]): Promise<void> {
    await this.#change(async op => await expunge(op, await liveMessages(op, ids)))
  }

  async expungedSince(mailboxId: number, modseq: number): Promise<number[]> {
    return await expungedSince(this.#context, this.account, mailboxId, modseq)
  }

  async annotations(mailbox: string): Promise<Annotation[]> {
    const { db } = this.#context.storage
    const found = mailbox === '' ? undefined : await this.mailbox(mailbox)
    if (mailbox !== '' && found === undefined) throw refuse('missing', 'no such mailbox')
    const rows: AnnotationRow[] = await db<AnnotationRow>(ANNOTATION)
      .where({ account_id: this.#id, mailbox_id: found?.id ?? 0 })
      .orderBy('key')
    return rows.map(shownAnnotation)
  }

  async annotate(mailbox: string, entries: readonly AnnotationEntry[]): Promise<void> {
    await this.#change(op => annotate(op, mailbox, entries))
  }

  async rules(): Promise<DeliveryRule[]> {
    const row = await this.#context.storage.db<AccountRow>(ACCOUNT).where({ id: this.#id }).first('rules')
    return readRules(row?.rules ?? '')
  }

  async addRule(rule: DeliveryRule): Promise<void> {
    await changeRules(this.#context, this.account, rules => addRule(rules, rule))
  }

  async removeRule(rule: DeliveryRule): Promise<number> {
    let removed = 0
    await changeRules(this.#context, this.account, rules => {
      const left = rules.filter(other => !sameRule(other, rule))
      removed = rules.length - left.length
      return left
    })
    return removed
  }

  async thread(threadId: number): Promise<MailboxMessage[]> {
    const rows: MessageRow[] = await this.#context.storage
      .db<MessageRow>(MESSAGE)
      .where({ account_id: this.#id, thread_id: threadId, expunged_at: 0 })
      .orderBy('id')
      .limit(MESSAGES_PAGE)
    return this.#shown(rows)
  }

  async withMessageId(messageId: string): Promise<MailboxMessage[]> {
    const canonical = canonicalMessageId(messageId)
    if (canonical === null) return []
    const rows: MessageRow[] = await this.#context.storage
      .db<MessageRow>(MESSAGE)
      .where({ account_id: this.#id, message_id_header: canonical, expunged_at: 0 })
      .orderBy('id')
      .limit(SAME_MESSAGE_ID)
    return this.#shown(rows)
  }

  async setThread(threadId: number, change: { readonly muted?: boolean; readonly collapsed?: boolean }): Promise<void> {
    await this.#change(op => setThread(op, threadId, change))
  }

  async modseq(): Promise<number> {
    const row: AccountRow | undefined = await this.#context.storage
      .db<AccountRow>(ACCOUNT)
      .where({ id: this.#id })
      .first()
    return row?.modseq ?? 0
  }

  async changesSince(modseq: number, limit: number): Promise<{ changes: Change[]; complete: boolean }> {
    return await changesSince(this.#context, this.account, modseq, limit)
  }

  async import(path: string, options?: ImportOptions): Promise<ImportResult> {
    // Rare, and its readers of archives are a tenth of what a start would have to load.
    const { importMail } = await import('./import.ts')
    return await importMail(this.#context, this.account, path, options)
  }

  async *export(options: ExportOptions): AsyncGenerator<Buffer> {
    const { exportMail } = await import('./export.ts')
    const read = async (): Promise<Exported> => {
      const names: { name: string }[] = await this.#context.storage
        .db(SUBSCRIPTION)
        .select('name')
        .where({ account_id: this.#id })
        .orderBy('name')
      const subscriptions = names.map(row => row.name)
      return { mailboxes: await this.mailboxes(), subscriptions, rules: await this.rules() }
    }
    yield* exportMail(this.#context, { id: this.#id, name: this.account }, read, options)
  }

  async usage(): Promise<{ readonly used: number; readonly quota: number }> {
    const row: AccountRow | undefined = await this.#context.storage
      .db<AccountRow>(ACCOUNT)
      .where({ id: this.#id })
      .first()
    const info = await this.#context.directory.account(this.account)
    return { used: row?.used ?? 0, quota: info?.quota ?? 0 }
  }

  #change<T>(work: (op: Operation) => Promise<T>): Promise<T> {
    return operate(this.#context, this.account, work)
  }

  #show(row: MessageRow): MailboxMessage {
    return mailboxMessage(row, this.account)
  }

  #shown(rows: readonly MessageRow[]): MailboxMessage[] {
    return rows.map(row => this.#show(row))
  }
}
