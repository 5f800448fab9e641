// Drafts on the server: every save is durable before it is answered, and the mailbox for drafts has a copy that other programs
// see. A large draft's copy is renewed less often than it is saved.
import type { MailStore, Storage } from '@mox/plugin-sdk'
import {
  ADDRESS_LIST_ENTRIES,
  decodeText,
  messageView,
  parseStructure,
  partRoles,
  readableParts,
  VIEW_OCTETS,
} from '@mox/plugin-sdk/mail'
import type { Draft, DraftAttachment, SavedDraft } from '../../api/model.ts'
import { draft as draftSchema } from '../../api/model.ts'
import { isForward } from '../../api/subject.ts'
import { CallError } from '../call.ts'
import { draftCopy, stage } from './build.ts'
import { encodedSize, fileOf, partsOf, type StagedFile, shownFile, stageFile, tooLarge } from './files.ts'
import { originalOf, referencesTo } from './original.ts'
import { DRAFT, type DraftRow, FILE, type FileRow } from './schema.ts'
import { type ComposeServices, MAX_DRAFTS, MAX_FILES } from './services.ts'

/** Bytes of a draft whose copy is renewed with every save; of a larger one it may be this old, in milliseconds. */
export const SMALL_COPY: number = 1024 * 1024
export const COPY_AGE_MS = 120_000
/** Bytes that a message has beyond its text and files. */
const OVERHEAD: number = 64 * 1024
/** Drafts without a copy that nobody touched for so long are removed. */
export const ABANDONED_MS: number = 30 * 24 * 3_600_000

/** How long it is known of a draft that it was sent, for who asks again because no answer came. */
const SENT_KEPT_MS = 3_600_000
const wasSent = (): CallError => new CallError('sent', 'this message was sent')

export class Drafts {
  /** Ids of drafts that are being sent by this process. */
  readonly sending: Set<string> = new Set()
  readonly #services: ComposeServices
  readonly #storage: Storage

  constructor(services: ComposeServices) {
    this.#services = services
    this.#storage = services.storage
  }

  /** `wanted`: an id that the caller chose; a draft that has it already is the one of a request that is repeated. */
  async create(account: string, draft: Draft, files: readonly StagedFile[] = [], wanted?: string): Promise<SavedDraft> {
    const { clock, random } = this.#services
    const id = wanted ?? random.id()
    const repeated = await this.#storage.write(async db => {
      const [present] = await db<DraftRow>(DRAFT).where({ id })
      if (present !== undefined) {
        if (present.account !== account) throw new CallError('refused', 'this id of a draft cannot be used')
        return true
      }
      const [found] = await db(DRAFT).where({ account }).whereNot({ state: 'sent' }).count<{ n: number }[]>({ n: '*' })
      if (Number(found?.n ?? 0) >= MAX_DRAFTS)
        throw new CallError('refused', `there are ${MAX_DRAFTS} drafts; send or remove some`)
      await db<DraftRow>(DRAFT).insert({
        ...{ id, account, revision: 1, state: 'draft', draft: JSON.stringify(draft), copy_id: 0, copied_at: 0 },
        ...{ files_changed: 1, header_id: '', after: '', undo_until: 0, updated_at: clock.now() },
      })
      await this.#insertFiles(id, files, 0)
      return false
    })
    // Nobody knew of it, so that nobody else can have saved it.
    if (repeated) return await this.save(account, id, 1, draft)
    try {
      return await this.#copied(await this.row(account, id))
    } catch (error) {
      // Without a copy nobody would find it again.
      await this.#storage.write(() => this.erase(id))
      throw error
    }
  }

  async save(account: string, id: string, revision: number, draft: Draft): Promise<SavedDraft> {
    await this.update(account, id, revision, draft)
    try {
      return await this.#copied(await this.row(account, id))
    } catch (error) {
      // It was not saved: who tries again, such as after making room, has the revision that was there.
      const own = { id, account, revision: revision + 1 }
      await this.#storage.write(async db => await db<DraftRow>(DRAFT).where(own).update({ revision }))
      throw error
    }
  }

  /** Stores what is written, without a new copy. */
  async update(account: string, id: string, revision: number, draft: Draft): Promise<void> {
    const changed = await this.#storage.write(
      async db =>
        await db<DraftRow>(DRAFT)
          .where({ id, account, revision, state: 'draft' })
          .update({ draft: JSON.stringify(draft), revision: revision + 1, updated_at: this.#services.clock.now() }),
    )
    if (changed > 0) return
    const row = await this.row(account, id)
    if (row.state === 'sending') {
      await this.settle(row)
      return await this.update(account, id, revision, draft)
    }
    if (row.state === 'sent') throw wasSent()
    throw new CallError('conflict', 'this draft was changed in another window; open it again to see what it is now')
  }

  /** The draft that a message in the mailbox for drafts is the copy of; one that another program wrote is read. */
  async open(account: string, messageId: number): Promise<SavedDraft> {
    const { mailboxes } = this.#services
    const message = await mailboxes.message(messageId)
    if (message?.account !== account) throw new CallError('notFound', 'the draft is not there any more')
    const [row] = await this.#storage.db<DraftRow>(DRAFT).where({ account, copy_id: messageId }).limit(1)
    if (row?.state === 'sending') await this.settle(row)
    if (row !== undefined) return await this.show(await this.row(account, row.id))
    if (message.size > VIEW_OCTETS)
      throw new CallError('refused', 'this draft is too large to be edited here; use the program that wrote it')
    const parts: Buffer[] = []
    for await (const part of await mailboxes.open(messageId)) parts.push(part)
    const store = await mailboxes.store(account)
    const { draft, files } = await readDraft(Buffer.concat(parts), store)
    const staged: StagedFile[] = []
    try {
      for (const file of files)
        staged.push(
          await stageFile(this.#storage.content, { ...file, source: once(file.data) }, this.#services.maxMessageSize),
        )
      const saved = await this.create(account, draft, staged)
      await store.expunge([messageId])
      return saved
    } catch (error) {
      for (const file of staged) await file.abort()
      throw error
    }
  }

  async get(account: string, id: string): Promise<SavedDraft> {
    const row = await this.row(account, id)
    if (row.state === 'sending') await this.settle(row)
    if (row.state === 'sent') throw wasSent()
    return await this.show(await this.row(account, id))
  }

  async remove(account: string, id: string): Promise<void> {
    const store = await this.#services.mailboxes.store(account)
    await this.#storage.write(async () => {
      const row = await this.row(account, id)
      if (row.state !== 'draft') throw wasSent()
      await this.removeCopy(store, row)
      await this.erase(id)
    })
  }

  /** Adds a file that comes in, or a part of a message. */
  async attach(
    account: string,
    id: string,
    files: readonly { readonly name: string; readonly contentType: string; readonly source: AsyncIterable<Buffer> }[],
  ): Promise<DraftAttachment[]> {
    const before = await this.files((await this.row(account, id)).id)
    const room = this.#room(before)
    const staged: StagedFile[] = []
    try {
      for (const file of files) staged.push(await stageFile(this.#storage.content, file, room))
      await this.#storage.write(async db => {
        const row = await this.row(account, id)
        if (row.state !== 'draft') throw wasSent()
        // Another upload may have ended meanwhile.
        const now = await this.files(id)
        if (now.length + staged.length > MAX_FILES)
          throw new CallError('refused', `a message has at most ${MAX_FILES} files`)
        const added = staged.map(({ staged: { size }, encoding }) => encodedSize({ size, encoding }))
        if (added.reduce((sum, size) => sum + size, 0) > this.#left(now)) throw tooLarge(0)
        await this.#insertFiles(id, staged, (now.at(-1)?.position ?? 0) + 1)
        await db<DraftRow>(DRAFT).where({ id }).update({ files_changed: 1, updated_at: this.#services.clock.now() })
      })
    } catch (error) {
      for (const file of staged) await file.abort()
      throw error
    }
    return (await this.files(id)).map(shownFile)
  }

  /** Parts of a message, or without `paths` the whole of it. */
  async attachFrom(
    account: string,
    id: string,
    messageId: number,
    paths?: readonly string[],
  ): Promise<DraftAttachment[]> {
    const { mailboxes } = this.#services
    const message = await mailboxes.message(messageId)
    if (message?.account !== account) throw new CallError('notFound', 'the message is not there any more')
    const source = await mailboxes.open(messageId)
    if (paths === undefined) {
      const name = `${message.subject.slice(0, 100) || 'message'}.eml`
      return await this.attach(account, id, [{ name, contentType: 'message/rfc822', source }])
    }
    if (message.size > VIEW_OCTETS)
      throw new CallError('refused', 'this message is too large; forward it as an attachment')
    const parts: Buffer[] = []
    for await (const part of source) parts.push(part)
    const files = partsOf(Buffer.concat(parts), paths)
    return await this.attach(
      account,
      id,
      files.map(file => ({ ...file, source: once(file.data) })),
    )
  }

  async detach(account: string, id: string, file: string): Promise<DraftAttachment[]> {
    await this.#storage.write(async db => {
      const row = await this.row(account, id)
      if (row.state !== 'draft') throw wasSent()
      const [found] = await db<FileRow>(FILE).where({ id: file, draft_id: id })
      if (found === undefined) return
      await db(FILE).where({ id: file }).delete()
      await this.#storage.content.release(found.content_id)
      await db<DraftRow>(DRAFT).where({ id }).update({ files_changed: 1, updated_at: this.#services.clock.now() })
    })
    return (await this.files(id)).map(shownFile)
  }

  /**
   * A send that was cut short: a draft again when the queue never had its message; else the rest is done and it is a conflict.
   */
  async settle(row: DraftRow): Promise<void> {
    const { mailboxes } = this.#services
    if (this.sending.has(row.id)) throw new CallError('conflict', 'this message is being sent')
    const filter = { account: row.account, messageIdHeader: row.header_id }
    const [job] = await this.#storage.queue.list(filter, { limit: 1 })
    const [retired] = job === undefined ? await this.#storage.history.list(filter, { limit: 1 }) : []
    const store = await mailboxes.store(row.account)
    await this.#storage.write(async db => {
      if (job === undefined && retired === undefined)
        return void (await db<DraftRow>(DRAFT).where({ id: row.id }).update({ state: 'draft', header_id: '' }))
      await this.removeCopy(store, row)
      await this.erase(row.id)
    })
    if (job !== undefined || retired !== undefined) throw wasSent()
  }

  /** Bytes that a file may still have. */
  async room(account: string, id: string): Promise<number> {
    return this.#room(await this.files((await this.row(account, id)).id))
  }

  async row(account: string, id: string): Promise<DraftRow> {
    const [row] = await this.#storage.db<DraftRow>(DRAFT).where({ id, account })
    if (row === undefined) throw new CallError('notFound', 'the draft is not there any more')
    return row
  }

  async files(id: string): Promise<FileRow[]> {
    return await this.#storage.db<FileRow>(FILE).where({ draft_id: id }).orderBy('position')
  }

  async show(row: DraftRow): Promise<SavedDraft> {
    const { id, revision, copy_id } = row
    const attachments = (await this.files(id)).map(shownFile)
    return { id, revision, messageId: copy_id === 0 ? null : copy_id, draft: draftOf(row), attachments }
  }

  /** Inside a unit of work: the copy in the mailbox for drafts, unless somebody removed it. */
  async removeCopy(store: MailStore, row: DraftRow): Promise<void> {
    if (row.copy_id === 0) return
    const copy = await this.#services.mailboxes.message(row.copy_id)
    if (copy?.account === row.account) await store.expunge([copy.id])
  }

  /** Inside a unit of work: the row and its files. */
  async erase(id: string): Promise<void> {
    const { content, db } = this.#storage
    for (const file of await this.files(id)) await content.release(file.content_id)
    await db(FILE).where({ draft_id: id }).delete()
    await db(DRAFT).where({ id }).delete()
  }

  /** In the unit of work that removes the account. */
  async removeOf(account: string): Promise<void> {
    const rows: Pick<DraftRow, 'id'>[] = await this.#storage.db<DraftRow>(DRAFT).select('id').where({ account })
    for (const { id } of rows) await this.erase(id)
  }

  /** Removes what cannot be taken back any more and nobody may ask for again, and drafts that were never copied and are long forgotten; some of each. */
  async purge(): Promise<void> {
    const now = this.#services.clock.now()
    const old = await this.#storage
      .db<DraftRow>(DRAFT)
      .where({ state: 'sent' })
      .andWhere('undo_until', '<', now - SENT_KEPT_MS)
      .limit(100)
    const lost = await this.#storage
      .db<DraftRow>(DRAFT)
      .where({ state: 'draft', copy_id: 0 })
      .andWhere('updated_at', '<', now - ABANDONED_MS)
      .limit(100)
    if (old.length + lost.length === 0) return
    await this.#storage.write(async () => {
      for (const { id } of [...old, ...lost]) await this.erase(id)
    })
  }

  /** Makes a new copy when there is none, when files changed, and when it is small or old. */
  async #copied(row: DraftRow): Promise<SavedDraft> {
    const { clock, mailboxes, maxMessageSize, random, system } = this.#services
    const files = await this.files(row.id)
    const draft = draftOf(row)
    const size = draft.text.length + (draft.html?.length ?? 0) + files.reduce((sum, f) => sum + encodedSize(f), 0)
    const now = clock.now()
    const fresh = size > SMALL_COPY && row.files_changed === 0 && now - row.copied_at < COPY_AGE_MS
    if (row.copy_id !== 0 && fresh && (await mailboxes.message(row.copy_id)) !== undefined) return await this.show(row)
    const original = await originalOf(mailboxes, row.account, draft.response)
    const references =
      original === undefined || draft.response?.kind === 'forward' ? [] : await referencesTo(mailboxes, original)
    // The same for each copy, so that whoever shows it knows that it is still that draft.
    const meta = { messageId: `<${row.id}@${system.hostname}>`, references, date: now }
    const copy = draftCopy({ content: this.#storage.content, random }, draft, meta, files)
    const { staged, abort } = await stage(this.#storage.content, copy, maxMessageSize + OVERHEAD)
    try {
      const store = await mailboxes.store(row.account)
      const mailbox = await draftsMailbox(store)
      await this.#storage.write(async db => {
        // Two windows may save at once: the copy of the later revision stays.
        const present = await this.row(row.account, row.id)
        if (present.revision !== row.revision || present.state !== 'draft') return
        await this.removeCopy(store, present)
        const { id } = await store.append({ mailbox, content: staged, flags: { seen: true, draft: true } })
        await db<DraftRow>(DRAFT).where({ id: row.id }).update({ copy_id: id, copied_at: now, files_changed: 0 })
      })
    } finally {
      await abort()
    }
    return await this.show(await this.row(row.account, row.id))
  }

  /** Bytes of the message that files may still take. */
  #left(files: readonly FileRow[]): number {
    return this.#services.maxMessageSize - files.reduce((sum, file) => sum + encodedSize(file), OVERHEAD)
  }

  #room(files: readonly FileRow[]): number {
    return Math.max(0, Math.floor(this.#left(files) / 78) * 57)
  }

  async #insertFiles(draftId: string, files: readonly StagedFile[], from: number): Promise<void> {
    const { db, content } = this.#storage
    for (const [i, { name, contentType, encoding, staged }] of files.entries())
      await db<FileRow>(FILE).insert({
        ...{ id: this.#services.random.id(), draft_id: draftId, position: from + i, name, encoding },
        ...{ content_type: contentType, size: staged.size, content_id: await content.keep(staged) },
      })
  }
}

export function draftOf(row: DraftRow): Draft {
  return draftSchema.parse(JSON.parse(row.draft))
}

/** The name of the mailbox for drafts; made when there is none. */
async function draftsMailbox(store: MailStore): Promise<string> {
  const all = await store.mailboxes()
  const found = all.find(mailbox => mailbox.specialUse.includes('drafts'))
  if (found !== undefined) return found.name
  const named = all.find(mailbox => mailbox.name.toLowerCase() === 'drafts')
  if (named === undefined) return (await store.create('Drafts', ['drafts'])).name
  await store.setSpecialUse(named.name, [...named.specialUse, 'drafts'])
  return named.name
}

/** A draft that another program wrote. Refused when something of it would be lost. */
async function readDraft(
  bytes: Buffer,
  store: MailStore,
): Promise<{
  readonly draft: Draft
  readonly files: readonly { name: string; contentType: string; data: Buffer }[]
}> {
  const view = messageView(bytes)
  const root = parseStructure(bytes)
  const written = readableParts(root)
  const [text = '', html = ''] = [written.text, written.html].map(part =>
    part === undefined ? '' : decodeText(bytes, part).replace(/\r\n?/g, '\n'),
  )
  // What stands beside the text that is edited goes along as files.
  const { texts, html: shownHtml, attachments } = partRoles(root)
  const beside = [...texts, ...(shownHtml === undefined ? [] : [shownHtml])].filter(
    part => part !== written.text && part !== written.html,
  )
  const files = [...beside, ...attachments]
  const [original] = view.inReplyTo === '' ? [] : (await store.withMessageId(view.inReplyTo)).slice(-1)
  const lines = (list: readonly { readonly name: string; readonly address: string }[]): string[] =>
    list.map(({ name, address }) => {
      const text = name === '' ? address : `"${name.replace(/["\\]/g, '\\$&')}" <${address}>`
      return text.replace(/[\x00-\x1f\x7f]+/g, ' ').slice(0, 1_000)
    })
  const draft: Draft = {
    from: lines(view.from)[0] ?? '',
    to: lines(view.to),
    cc: lines(view.cc),
    bcc: lines(view.bcc),
    replyTo: lines(view.replyTo),
    subject: view.subject.replace(/[\x00-\x1f\x7f]+/g, ' ').slice(0, 998),
    text,
    html: html === '' ? null : html,
    response:
      original === undefined ? null : { messageId: original.id, kind: isForward(view.subject) ? 'forward' : 'reply' },
    ...{ requireTls: null, sendAt: null },
  }
  // Of as many addresses as are read there may be more.
  const cut = [view.to, view.cc, view.bcc].some(list => list.length === ADDRESS_LIST_ENTRIES)
  if (cut || files.length > MAX_FILES || !draftSchema.safeParse(draft).success)
    throw new CallError('refused', 'this draft has more than can be edited here; use the program that wrote it')
  return { draft, files: files.map(part => fileOf(bytes, part)) }
}

async function* once(data: Buffer): AsyncIterable<Buffer> {
  yield data
}
