// Messages that came in, as one `incoming` event for each copy in a mailbox. What may be a report about something we sent waits
// some seconds in a table of its own: when a report was recognised (onDSN.done) it is an event of the sent message instead.
import type { Clock, Directory, Events, Log, Mailboxes, NewEvent, ReceiveDone, Storage, Worker } from '@mox/plugin-sdk'
import { parseAddress, parseHeader, parseParameters, pathToString } from '@mox/plugin-sdk/mail'
import { REPORT, type ReportRow, WAITING, type WaitingRow } from './schema.ts'

/** Milliseconds that a possible report waits to be recognised. */
export const REPORT_WAIT_MS = 10_000
/** Rows handled in one unit of work. */
const BATCH = 100
/** Octets of a message read to find out what it is. */
const HEAD_OCTETS = 64 * 1024
const STORAGE_WAIT_MS = 60_000
/** What files reports of this server itself in mailboxes. */
const OWN_REPORTS = 'dsn'

export interface IncomingServices {
  readonly storage: Storage
  readonly clock: Clock
  readonly log: Log
  readonly mailboxes: Mailboxes
  readonly directory: Directory
}

export class Incoming implements Worker {
  readonly name = 'incoming events'
  readonly #services: IncomingServices
  readonly #events: Pick<Events, 'add'>
  #cancel: (() => void) | undefined
  #running: Promise<void> = Promise.resolve()
  /** Looks that have not ended. */
  #looks = 0
  #stopped = true

  constructor(services: IncomingServices, events: Pick<Events, 'add'>) {
    this.#services = services
    this.#events = events
  }

  start(): void {
    this.#stopped = false
    this.#look()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel?.()
    await this.#running
  }

  busy(): boolean {
    return this.#looks > 0
  }

  /** onReceive.done. May be repeated. */
  async received(done: ReceiveDone): Promise<void> {
    if (done.kind !== 'delivery') return
    const { storage, mailboxes, clock } = this.#services
    const copies = done.copies ?? (await mailboxes.copies(done.messageId)).map(copy => copy.id)
    if (copies.length === 0) return
    if (!(await this.#mayBeReport(done))) {
      await storage.write(() => this.#add(done.messageId, copies))
      return
    }
    const row: WaitingRow = {
      message_id: done.messageId,
      due: clock.now() + REPORT_WAIT_MS,
      copies: JSON.stringify(copies),
    }
    await storage.write(async db => {
      await db(WAITING).insert(row).onConflict('message_id').ignore()
      storage.afterCommit(() => this.#wake(REPORT_WAIT_MS))
    })
  }

  /** onDSN.done, in its unit of work: this message is no news for the account. */
  async isReport(messageId: number, account: string): Promise<void> {
    const row: ReportRow = { message_id: messageId, account, at: this.#services.clock.now() }
    await this.#services.storage.db(REPORT).insert(row).onConflict(['message_id', 'account']).ignore()
  }

  /** From nobody, a multipart/report, or to an address with a suffix, as unique reverse-paths have one. */
  async #mayBeReport({ from, messageId, recipients }: ReceiveDone): Promise<boolean> {
    if (from === '') return true
    const { storage, directory } = this.#services
    for (const text of recipients) {
      const parsed = parseAddress(text)
      const domain = parsed.ok ? await directory.domain(parsed.path.domain) : undefined
      if (parsed.ok && domain?.separators.some(separator => parsed.path.localpart.includes(separator))) return true
    }
    const message = await storage.messages.get(messageId)
    if (message === undefined) return false
    const head = parseHeader(await storage.content.read(message.contentId, HEAD_OCTETS))
    return parseParameters(head.get('content-type') ?? '').value === 'multipart/report'
  }

  #look(): void {
    if (this.#stopped) return
    this.#looks++
    this.#running = this.#running
      .then(() => this.#handleDue())
      .finally(() => {
        this.#looks--
      })
  }

  #wake(ms: number): void {
    if (this.#stopped) return
    this.#cancel?.()
    this.#cancel = this.#services.clock.after(ms, () => this.#look())
  }

  async #handleDue(): Promise<void> {
    const { storage, clock, log } = this.#services
    try {
      for (;;) {
        const due: WaitingRow[] = await storage
          .db<WaitingRow>(WAITING)
          .where('due', '<=', clock.now())
          .orderBy('due')
          .limit(BATCH)
        if (due.length === 0 || this.#stopped) break
        for (const row of due) await storage.write(() => this.#handle(row))
      }
      const next: Pick<WaitingRow, 'due'> | undefined = await storage
        .db<WaitingRow>(WAITING)
        .select('due')
        .orderBy('due')
        .first()
      if (next !== undefined) this.#wake(Math.max(0, next.due - clock.now()))
    } catch (error) {
      log.error({ err: error }, 'incoming messages that waited could not be made events')
      this.#wake(STORAGE_WAIT_MS)
    }
  }

  async #handle({ message_id, copies }: WaitingRow): Promise<void> {
    const { db } = this.#services.storage
    const removed = await db(WAITING).where({ message_id }).delete()
    if (removed > 0) await this.#add(message_id, JSON.parse(copies) as number[])
  }

  /** Inside a unit of work. */
  async #add(messageId: number, copies: readonly number[]): Promise<void> {
    const { storage, mailboxes } = this.#services
    const message = await storage.messages.get(messageId)
    if (message?.source === OWN_REPORTS) return
    const reports: Pick<ReportRow, 'account'>[] = await storage
      .db<ReportRow>(REPORT)
      .select('account')
      .where({ message_id: messageId })
    for (const id of copies) {
      const copy = await mailboxes.message(id)
      // Already gone, or a report for this account.
      if (copy === undefined || reports.some(({ account }) => account === copy.account)) continue
      const recipient = parseAddress(copy.rcptTo)
      const event: NewEvent = {
        account: copy.account,
        kind: 'incoming',
        queueId: 0,
        messageId,
        mailboxMessageId: id,
        messageIdHeader: message?.messageIdHeader ?? (copy.messageIdHeader === '' ? '' : `<${copy.messageIdHeader}>`),
        subject: copy.subject,
        recipient: recipient.ok ? pathToString(recipient.path) : copy.rcptTo,
        ...{ fromId: '', stream: '', extra: {}, dsn: false, suppressing: false, code: 0, enhanced: '', error: '' },
        ...{ attempt: 0, remoteMta: '' },
        dedupe: `incoming ${id}`,
      }
      await this.#events.add(event)
    }
  }
}
