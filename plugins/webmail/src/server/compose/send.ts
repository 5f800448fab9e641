// Sending a draft, and taking it back. The Message-ID is stored before the message goes to the queue, so that a send that was
// cut short is found there and never sent twice. What is done after queueing is one unit of work.
import { MailError, type MailStore, type StagedContent } from '@mox/plugin-sdk'
import { formatMailbox, type Mailbox } from '@mox/plugin-sdk/compose'
import { formatAddress, formatField, type Path } from '@mox/plugin-sdk/mail'
import type { Draft, SavedDraft } from '../../api/model.ts'
import { CallError, type Caller } from '../call.ts'
import { messageOf, stage } from './build.ts'
import { type Drafts, draftOf } from './drafts.ts'
import { markAnswered, originalOf, referencesTo } from './original.ts'
import { isAscii, people } from './people.ts'
import { DRAFT, type DraftRow } from './schema.ts'
import { type ComposeServices, MAX_RECIPIENTS, MAX_SCHEDULE_MS } from './services.ts'

export interface SendRequest {
  readonly id: string
  readonly revision: number
  readonly draft: Draft
  /** Ids; all when it is not said. */
  readonly files?: readonly string[] | undefined
  readonly archiveThread: { readonly mailboxId: number } | null
}

export interface SendResult {
  readonly undoUntil: number | null
  readonly sent: string
  readonly warnings: readonly string[]
}

/** What sending did, so that it can be taken back. */
interface After {
  /** In the message repository; 0 until it was queued. */
  readonly messageId: number
  readonly recipients: number
  readonly sentCopy: number
  readonly original: number
  /** Flags that the original was given. */
  readonly flags: readonly string[]
  readonly archived: readonly { readonly id: number; readonly mailboxId: number }[]
}

interface Prepared {
  readonly from: Mailbox
  readonly to: readonly Mailbox[]
  readonly cc: readonly Mailbox[]
  readonly bcc: readonly Mailbox[]
  readonly replyTo: readonly Mailbox[]
  readonly paths: readonly Path[]
}

export class Sending {
  readonly #services: ComposeServices
  readonly #drafts: Drafts

  constructor(services: ComposeServices, drafts: Drafts) {
    this.#services = services
    this.#drafts = drafts
  }

  async send(caller: Caller, request: SendRequest): Promise<SendResult> {
    const { account } = caller
    const { sending } = this.#drafts
    if (sending.has(request.id)) throw new CallError('conflict', 'this message is being sent')
    const prepared = await this.#prepare(account, request.draft)
    await this.#drafts.update(account, request.id, request.revision, request.draft)
    sending.add(request.id)
    let message: { readonly staged: StagedContent; abort(): Promise<void> } | undefined
    try {
      const headerId = `<${this.#services.random.id()}@${prepared.from.path.domain}>`
      await this.#set(request.id, { state: 'sending', header_id: headerId })
      const row = await this.#drafts.row(account, request.id)
      const due = await this.#due(account, request.draft)
      message = await this.#stage(row, request, prepared)
      const { messageId } = await this.#submit(caller, request.draft, prepared, message.staged, due)
      return await this.#afterwards(row, request, { messageId, prepared, staged: message.staged, due })
    } catch (error) {
      // What is neither was perhaps queued: the next look at the draft finds out by its Message-ID.
      if (error instanceof MailError || error instanceof CallError)
        await this.#set(request.id, { state: 'draft', header_id: '' })
      throw error instanceof MailError ? new CallError('refused', error.reply.text) : error
    } finally {
      sending.delete(request.id)
      await message?.abort()
    }
  }

  /** Takes a message back that was not tried yet: a draft again. */
  async undo(account: string, id: string): Promise<SavedDraft> {
    const { clock, mailboxes, queueControl, storage } = this.#services
    const row = await this.#drafts.row(account, id)
    const tooLate = new CallError('refused', 'it is too late: the message is on its way')
    if (row.state !== 'sent' || row.undo_until <= clock.now()) throw tooLate
    const after = JSON.parse(row.after) as After
    const selection = { account, messageId: after.messageId }
    const waiting = await storage.queue.list(selection, { limit: MAX_RECIPIENTS })
    if (waiting.length === 0 || waiting.some(job => job.attempts > 0)) throw tooLate
    if (waiting.length < after.recipients)
      throw new CallError(
        'refused',
        'it cannot be edited any more: for some recipients it was cancelled, or is on its way',
      )
    const ended = await queueControl.end(selection, 'cancelled', 'taken back by the sender')
    if (ended === 0) throw tooLate
    const store = await mailboxes.store(account)
    await storage.write(async () => {
      const copy = after.sentCopy === 0 ? undefined : await mailboxes.message(after.sentCopy)
      if (copy?.account === account) await store.expunge([copy.id])
      await this.#takeBackMarks(store, account, after)
      await this.#set(id, { state: 'draft', header_id: '', after: '', undo_until: 0, copy_id: 0, files_changed: 1 })
    })
    if (ended < after.recipients)
      this.#services.log.warn(
        { account, messageId: after.messageId, ended },
        'a message was taken back for some recipients only',
      )
    return await this.#drafts.save(account, id, row.revision, draftOf(row))
  }

  /** The id to take back by, for queued messages that still can be; by message id. */
  async undoable(account: string): Promise<Map<number, string>> {
    const rows = await this.#services.storage
      .db<DraftRow>(DRAFT)
      .where({ account, state: 'sent' })
      .andWhere('undo_until', '>', this.#services.clock.now())
      .limit(1_000)
    return new Map(rows.map(row => [(JSON.parse(row.after) as After).messageId, row.id]))
  }

  async #takeBackMarks(store: MailStore, account: string, after: After): Promise<void> {
    const { mailboxes } = this.#services
    const original = after.original === 0 ? undefined : await mailboxes.message(after.original)
    if (original?.account === account && after.flags.length > 0)
      await store.setFlags([original.id], { set: Object.fromEntries(after.flags.map(flag => [flag, false])) })
    const names = new Map((await store.mailboxes()).map(mailbox => [mailbox.id, mailbox.name]))
    for (const { id, mailboxId } of after.archived) {
      const message = await mailboxes.message(id)
      const name = names.get(mailboxId)
      if (message?.account === account && name !== undefined) await store.move([id], name)
    }
  }

  async #prepare(account: string, draft: Draft): Promise<Prepared> {
    const { clock, directory } = this.#services
    const [from, ...more] = people([draft.from], 'From')
    if (from === undefined || more.length > 0) throw new CallError('refused', 'choose one address to send from')
    if ((await directory.domain(from.path.domain))?.disabled === true)
      throw new CallError('refused', `the domain ${from.path.domain} is disabled for now; send from another address`)
    if (!(await directory.maySendAs(account, from.path)))
      throw new CallError('refused', `you may not send from ${formatAddress(from.path)}; choose an address of yours`)
    const [to, cc, bcc] = [people(draft.to, 'To'), people(draft.cc, 'Cc'), people(draft.bcc, 'Bcc')]
    const paths = new Map([...to, ...cc, ...bcc].map(({ path }) => [formatAddress(path), path]))
    if (paths.size === 0) throw new CallError('refused', 'name somebody to send to')
    if (paths.size > MAX_RECIPIENTS)
      throw new CallError('refused', `a message has at most ${MAX_RECIPIENTS} recipients`)
    if (draft.sendAt !== null && draft.sendAt - clock.now() > MAX_SCHEDULE_MS)
      throw new CallError('refused', 'a message can be scheduled at most 60 days ahead')
    return { from, to, cc, bcc, replyTo: people(draft.replyTo, 'Reply-To'), paths: [...paths.values()] }
  }

  /** When the first attempt is made: as scheduled, or when it cannot be taken back any more; undefined: at once. */
  async #due(account: string, draft: Draft): Promise<number | undefined> {
    const now = this.#services.clock.now()
    if (draft.sendAt !== null && draft.sendAt > now) return draft.sendAt
    const { sendDelay } = await this.#services.settings(account)
    return sendDelay === 0 ? undefined : now + sendDelay * 1_000
  }

  async #stage(row: DraftRow, { draft, files: wanted }: SendRequest, prepared: Prepared) {
    // From now on nothing is attached or detached.
    const attached = await this.#drafts.files(row.id)
    const files = wanted === undefined ? attached : attached.filter(({ id }) => wanted.includes(id))
    if (wanted !== undefined && files.length < wanted.length)
      throw new CallError('conflict', 'the files of this draft were changed in another window; open it again')
    const { clock, mailboxes, maxMessageSize, random, storage } = this.#services
    const original = await originalOf(mailboxes, row.account, draft.response)
    const reply = original !== undefined && draft.response?.kind === 'reply'
    const written = {
      ...{ from: prepared.from, to: prepared.to, cc: prepared.cc, replyTo: prepared.replyTo },
      messageId: row.header_id,
      references: reply ? await referencesTo(mailboxes, original) : [],
      date: clock.now(),
      // RFC 8689 §5.
      headers: draft.requireTls === false ? ([['TLS-Required', 'No']] as const) : [],
      smtputf8: ![prepared.from, ...prepared.to, ...prepared.cc, ...prepared.bcc, ...prepared.replyTo].every(isAscii),
    }
    const { content } = storage
    return await stage(content, messageOf({ content, random }, draft, written, files), maxMessageSize)
  }

  async #submit(caller: Caller, draft: Draft, prepared: Prepared, staged: StagedContent, due: number | undefined) {
    const { storage, submission } = this.#services
    const scheduled = draft.sendAt !== null && due === draft.sendAt
    const ascii = [prepared.from, ...prepared.to, ...prepared.cc, ...prepared.bcc, ...prepared.replyTo].every(isAscii)
    return await submission.submit({
      ...{ account: caller.account, loginAddress: caller.loginAddress, source: 'webmail', remoteIp: caller.remoteIp },
      content: storage.content.openStaged(staged),
      ...(draft.requireTls === false ? { requireTls: false } : {}),
      envelope: {
        reversePath: prepared.from.path,
        recipients: prepared.paths.map(path => ({ path })),
        smtputf8: !ascii,
        ...(draft.requireTls === true ? { requireTls: true } : {}),
        ...(due === undefined ? {} : { holdUntil: due }),
        ...(scheduled ? { futureReleaseRequest: `until;${new Date(due).toISOString().replace(/\.\d+/, '')}` } : {}),
      },
    })
  }

  /** The message is queued: what fails here is a warning. */
  async #afterwards(
    row: DraftRow,
    request: SendRequest,
    done: {
      readonly messageId: number
      readonly prepared: Prepared
      readonly staged: StagedContent
      readonly due: number | undefined
    },
  ): Promise<SendResult> {
    const { log, mailboxes, storage } = this.#services
    const { account } = row
    const { messageId, prepared, due } = done
    const warnings: string[] = []
    const copy = await this.#sentCopy(done.staged, prepared)
    try {
      const store = await mailboxes.store(account)
      await storage.write(async () => {
        const sent = (await store.mailboxes()).find(mailbox => mailbox.specialUse.includes('sent'))
        if (sent === undefined) warnings.push('no copy was kept: there is no mailbox with the role Sent')
        const kept =
          sent === undefined
            ? undefined
            : await store.append({
                ...{ mailbox: sent.name, content: copy.staged, flags: { seen: true, notjunk: true }, messageId },
              })
        const original = await originalOf(mailboxes, account, request.draft.response)
        const flags =
          original === undefined ? [] : await markAnswered(store, original, request.draft.response?.kind ?? 'reply')
        const archived =
          original === undefined || request.archiveThread === null
            ? []
            : await archive(store, original.threadId, request.archiveThread.mailboxId, warnings)
        await this.#drafts.removeCopy(store, row)
        const after: After = {
          ...{ messageId, recipients: prepared.paths.length, sentCopy: kept?.id ?? 0 },
          ...{ original: original?.id ?? 0, flags, archived },
        }
        const until = due ?? this.#services.clock.now()
        await this.#set(row.id, { state: 'sent', after: JSON.stringify(after), undo_until: until, copy_id: 0 })
      })
    } catch (err) {
      log.warn({ err, account, messageId }, 'a message was queued, and its draft could not be put away')
      warnings.push(
        'the message is on its way, but its copy could not be put into Sent and the draft could not be removed',
      )
    } finally {
      await copy.abort()
    }
    await this.#drafts.purge()
    return { undoUntil: due ?? null, sent: row.id, warnings }
  }

  /** With the Bcc that nobody else sees. */
  async #sentCopy(message: StagedContent, { bcc, ...prepared }: Prepared) {
    const { storage, maxMessageSize } = this.#services
    const utf8 = ![prepared.from, ...prepared.to, ...prepared.cc, ...bcc].every(isAscii)
    const field = bcc.length === 0 ? '' : formatField('Bcc', bcc.map(box => formatMailbox(box, utf8)).join(', '))
    const source = async function* (): AsyncIterable<Buffer> {
      if (field !== '') yield Buffer.from(field)
      yield* storage.content.openStaged(message)
    }
    return await stage(storage.content, source(), maxMessageSize + Buffer.byteLength(field))
  }

  async #set(id: string, fields: Partial<DraftRow>): Promise<void> {
    await this.#services.storage.write(async db => {
      await db<DraftRow>(DRAFT)
        .where({ id })
        .update({ ...fields, updated_at: this.#services.clock.now() })
    })
  }
}

/** Moves the messages of a thread that are in one mailbox to the one with the role. */
async function archive(
  store: MailStore,
  threadId: number,
  mailboxId: number,
  warnings: string[],
): Promise<After['archived']> {
  const all = await store.mailboxes()
  const target = all.find(mailbox => mailbox.specialUse.includes('archive'))
  const source = all.find(mailbox => mailbox.id === mailboxId)
  if (target === undefined) {
    warnings.push('the thread was not archived: there is no mailbox with the role Archive')
    return []
  }
  // What one wrote oneself stays in Sent.
  if (source === undefined || source.id === target.id || source.specialUse.includes('sent')) return []
  const ids = (await store.thread(threadId)).filter(message => message.mailboxId === source.id).map(({ id }) => id)
  if (ids.length > 0) await store.move(ids, target.name)
  return ids.map(id => ({ id, mailboxId: source.id }))
}
