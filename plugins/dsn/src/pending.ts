// The table of pending DSNs. Everything that changes it must run inside a unit of work; rows and content references change
// together.
import type { Storage, StoredMessage, TraceEntry } from '@mox/plugin-sdk'
import { formatAddress } from '@mox/plugin-sdk/mail'
import { type DsnKind, type ReportedMessage, type ReportedRecipient, reportedMessage } from './model.ts'
import { PENDING, type PendingRow } from './schema.ts'

/** The channel on which the worker hears of new rows. */
export const CHANNEL = 'dsn'
/** Recipients of one DSN; more of one message make more DSNs. */
export const RECIPIENTS_PER_DSN = 500
/** Milliseconds that a notice of delay is remembered at most; no queue keeps a recipient as long. */
export const REMEMBER_MS: number = 90 * 24 * 3_600_000
/** Rows of one statement. */
const CHUNK = 400

/** What one DSN is about. */
export interface Group {
  readonly messageId: number
  readonly sender: string
  readonly kind: DsnKind
}

export interface PendingRecipient {
  readonly id: number
  readonly key: string
  readonly recipient: ReportedRecipient
}

/** The rows of a group, oldest first. */
export interface PendingDsn extends Group {
  readonly createdAt: number
  readonly tries: number
  readonly reportId?: string
  readonly contentId: number
  readonly prefix: Buffer
  readonly message: ReportedMessage
  readonly recipients: readonly PendingRecipient[]
}

export class Pending {
  readonly #storage: Storage

  constructor(storage: Storage) {
    this.#storage = storage
  }

  /** False when the recipient has such a row already. */
  async add(
    kind: DsnKind,
    key: string,
    message: StoredMessage,
    recipient: ReportedRecipient,
    now: number,
  ): Promise<boolean> {
    const { db, content } = this.#storage
    if (message.reversePath === null) throw new Error('a message without a reverse-path causes no DSN')
    const known = await db(PENDING).select('id').where({ recipient_key: key, kind }).first()
    if (known !== undefined) return false
    const row: Omit<PendingRow, 'id'> = {
      ...{ recipient_key: key, kind, message_id: message.id, sender: formatAddress(message.reversePath) },
      ...{ created_at: now, due: now, tries: 0, report_id: null, open: 1 },
      ...{ content_id: message.contentId, prefix: message.prefix },
      message: JSON.stringify(reportedMessage(message)),
      recipient: JSON.stringify(recipient),
    }
    await db(PENDING).insert(row)
    await content.retain(message.contentId)
    this.#storage.notify(CHANNEL)
    return true
  }

  /** Whether a notice of delay is pending or was sent. */
  async hasDelayed(key: string): Promise<boolean> {
    return (
      (await this.#storage.db(PENDING).select('id').where({ recipient_key: key, kind: 'delayed' }).first()) !==
      undefined
    )
  }

  /** The recipient left the queue: a notice of delay that was not sent yet would be wrong. */
  async forgetDelayed(key: string): Promise<void> {
    const { db, content } = this.#storage
    const row = (await db(PENDING)
      .select('id', 'open', 'content_id')
      .where({ recipient_key: key, kind: 'delayed' })
      .first()) as Pick<PendingRow, 'id' | 'open' | 'content_id'> | undefined
    if (row === undefined) return
    await db(PENDING).where({ id: row.id }).delete()
    if (row.open === 1) await content.release(row.content_id)
  }

  /** Groups with a row that is due, the longest due first. */
  async due(now: number, limit: number): Promise<Group[]> {
    const rows = (await this.#storage
      .db(PENDING)
      .select('message_id', 'sender', 'kind')
      .min('due as first')
      .where({ open: 1 })
      .where('due', '<=', now)
      .groupBy('message_id', 'sender', 'kind')
      .orderBy('first')
      .limit(limit)) as { message_id: number; sender: string; kind: DsnKind }[]
    return rows.map(({ message_id, sender, kind }) => ({ messageId: message_id, sender, kind }))
  }

  async nextDue(): Promise<number | undefined> {
    const row = (await this.#storage.db(PENDING).where({ open: 1 }).min('due as due').first()) as
      | { due: number | null }
      | undefined
    return row?.due ?? undefined
  }

  async load({ messageId, sender, kind }: Group): Promise<PendingDsn | undefined> {
    const rows = (await this.#storage
      .db(PENDING)
      .select('*')
      .where({ message_id: messageId, sender, kind, open: 1 })
      .orderBy('id')
      .limit(RECIPIENTS_PER_DSN)) as PendingRow[]
    const [first] = rows
    if (first === undefined) return undefined
    const reportId = rows.find(row => row.report_id !== null)?.report_id ?? undefined
    return {
      ...{ messageId, sender, kind, createdAt: first.created_at },
      tries: Math.max(...rows.map(({ tries }) => tries)),
      ...(reportId === undefined ? {} : { reportId }),
      contentId: first.content_id,
      prefix: first.prefix,
      message: JSON.parse(first.message) as ReportedMessage,
      recipients: rows.map(row => ({
        ...{ id: row.id, key: row.recipient_key },
        recipient: JSON.parse(row.recipient) as ReportedRecipient,
      })),
    }
  }

  /** Looked at again at `due`. */
  async update(
    dsn: PendingDsn,
    fields: { readonly due?: number; readonly tries?: number; readonly report_id?: string },
  ): Promise<void> {
    for (const ids of chunks(dsn)) await this.#storage.db(PENDING).whereIn('id', ids).update(fields)
  }

  /** The sender was told, or will not be. Throws, so that the unit is undone, when somebody else was faster. */
  async finish(dsn: PendingDsn): Promise<void> {
    const { db, content } = this.#storage
    let changed = 0
    for (const ids of chunks(dsn)) {
      const rows = db(PENDING).whereIn('id', ids).where({ open: 1 })
      changed += await (dsn.kind === 'delayed'
        ? rows.update({ open: 0, prefix: Buffer.alloc(0), message: '', recipient: '' })
        : rows.delete())
    }
    if (changed !== dsn.recipients.length) throw new Error('the rows of a DSN changed while it was written')
    for (let n = 0; n < changed; n++) await content.release(dsn.contentId)
  }

  /** Notices of delay whose recipient left the queue without our knowing. */
  async clean(now: number): Promise<void> {
    await this.#storage
      .db(PENDING)
      .where({ open: 0 })
      .where('created_at', '<', now - REMEMBER_MS)
      .delete()
  }

  /** What handlers of onDSN.compose said, beside what is known of the recipients already. */
  async addTrace(dsn: PendingDsn, trace: readonly TraceEntry[], limit: number): Promise<void> {
    const { history } = this.#storage
    if (trace.length === 0) return
    for (const { recipient } of dsn.recipients.slice(0, limit)) {
      const row = await history.get(recipient.queueId)
      if (row !== undefined) await history.update(row.id, { trace: [...row.trace, ...trace] })
    }
  }
}

function* chunks({ recipients }: PendingDsn): Iterable<number[]> {
  for (let at = 0; at < recipients.length; at += CHUNK) yield recipients.slice(at, at + CHUNK).map(({ id }) => id)
}
