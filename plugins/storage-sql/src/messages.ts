// Messages as stored: one row each, which lives until no queued and no retired recipient refers to it.
import type { MessageRepository, Statement, StoredMessage } from '@mox/plugin-sdk'
import { compile, places } from './compile.ts'
import type { ContentRefs } from './content.ts'
import type { SqlEngine } from './engine.ts'
import type { Ids } from './ids.ts'
import { pathOf } from './recipient-rows.ts'
import { HISTORY, MESSAGE, QUEUE } from './schema.ts'

/** Rows of one list or purge at most. */
export const MESSAGE_LIMIT = 10_000
/** Forward-paths kept with a message. */
export const MESSAGE_RECIPIENTS = 1_000

interface MessageRow {
  readonly id: number
  readonly received_at: number
  readonly kind: string
  readonly source: string
  readonly account: string
  readonly reverse_local: string | null
  readonly reverse_domain: string | null
  readonly message_id_header: string
  readonly subject: string
  readonly size: number
  readonly has8bit: number
  readonly smtputf8: number
  readonly ret: string | null
  readonly envid: string | null
  readonly future_release: string | null
  readonly prefix: Buffer
  readonly content_id: number
  readonly remote_ip: string
  readonly helo: string
  readonly protocol: string
  readonly recipients: string
  readonly facts: string
  readonly trace: string
}

const COLUMNS: readonly (keyof MessageRow)[] = [
  'id',
  'received_at',
  'kind',
  'source',
  'account',
  'reverse_local',
  'reverse_domain',
  'message_id_header',
  'subject',
  'size',
  'has8bit',
  'smtputf8',
  'ret',
  'envid',
  'future_release',
  'prefix',
  'content_id',
  'remote_ip',
  'helo',
  'protocol',
  'recipients',
  'facts',
  'trace',
]

export class SqlMessages implements MessageRepository {
  readonly #engine: SqlEngine
  readonly #ids: Ids
  readonly #content: ContentRefs
  readonly #insert: Statement<MessageRow, unknown>
  readonly #select: Statement<{ id: number }, MessageRow>
  readonly #facts: Statement<{ id: number; facts: string }, unknown>
  readonly #trace: Statement<{ id: number; trace: string }, unknown>
  readonly #delete: Statement<{ id: number }, unknown>

  constructor(engine: SqlEngine, ids: Ids, content: ContentRefs) {
    this.#engine = engine
    this.#ids = ids
    this.#content = content
    this.#insert = compile(engine, (db, p) => db(MESSAGE).insert(places(COLUMNS, p)))
    this.#select = compile(engine, (db, p) => db(MESSAGE).select('*').where('id', p('id')))
    this.#facts = compile(engine, (db, p) =>
      db(MESSAGE)
        .where('id', p('id'))
        .update({ facts: p('facts') }),
    )
    this.#trace = compile(engine, (db, p) =>
      db(MESSAGE)
        .where('id', p('id'))
        .update({ trace: p('trace') }),
    )
    this.#delete = compile(engine, (db, p) => db(MESSAGE).where('id', p('id')).delete())
  }

  async add(message: Omit<StoredMessage, 'id'>): Promise<number> {
    const id = await this.#ids.next('message')
    await this.#insert.run(rowOf(id, message))
    return id
  }

  async get(id: number): Promise<StoredMessage | undefined> {
    const row = await this.#select.get({ id })
    return row && messageOf(row)
  }

  async update(id: number, fields: Partial<Pick<StoredMessage, 'facts' | 'trace'>>): Promise<void> {
    if (fields.facts !== undefined) await this.#facts.run({ id, facts: JSON.stringify(fields.facts) })
    if (fields.trace !== undefined) await this.#trace.run({ id, trace: JSON.stringify(fields.trace) })
  }

  async list({ limit, before }: { limit: number; before?: number }): Promise<StoredMessage[]> {
    checkLimit(limit)
    const query = this.#engine.db(MESSAGE).select('*').orderBy('id', 'desc').limit(limit)
    if (before !== undefined) void query.where('id', '<', before)
    return ((await query) as MessageRow[]).map(messageOf)
  }

  async purge(until: number, limit: number): Promise<number> {
    checkLimit(limit)
    const { db } = this.#engine
    const rows = (await db(`${MESSAGE} as m`)
      .select('m.id', 'm.content_id')
      .where('m.received_at', '<', until)
      .whereNotExists(db(QUEUE).select(db.raw('1')).whereRaw('message_id = m.id'))
      .whereNotExists(db(HISTORY).select(db.raw('1')).whereRaw('message_id = m.id'))
      .orderBy('m.received_at')
      .limit(limit)) as { id: number; content_id: number }[]
    for (const { id, content_id } of rows) {
      await this.#delete.run({ id })
      await this.#content.release(content_id)
    }
    return rows.length
  }
}

function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > MESSAGE_LIMIT)
    throw new RangeError(`messages: limit must be 1 to ${MESSAGE_LIMIT}, not ${limit}`)
}

function rowOf(id: number, m: Omit<StoredMessage, 'id'>): MessageRow {
  return {
    id,
    received_at: m.receivedAt,
    kind: m.kind,
    source: m.source,
    account: m.account,
    reverse_local: m.reversePath === null ? null : m.reversePath.localpart,
    reverse_domain: m.reversePath === null ? null : m.reversePath.domain,
    message_id_header: m.messageIdHeader,
    subject: m.subject,
    size: m.size,
    has8bit: m.has8bit ? 1 : 0,
    smtputf8: m.smtputf8 ? 1 : 0,
    ret: m.ret ?? null,
    envid: m.envid ?? null,
    future_release: m.futureReleaseRequest ?? null,
    prefix: m.prefix,
    content_id: m.contentId,
    remote_ip: m.remoteIp,
    helo: m.helo,
    protocol: m.protocol,
    recipients: JSON.stringify(m.recipients.slice(0, MESSAGE_RECIPIENTS)),
    facts: JSON.stringify(m.facts),
    trace: JSON.stringify(m.trace),
  }
}

function messageOf(row: MessageRow): StoredMessage {
  return {
    id: row.id,
    receivedAt: row.received_at,
    kind: row.kind as StoredMessage['kind'],
    source: row.source,
    account: row.account,
    reversePath: pathOf(row.reverse_local, row.reverse_domain),
    messageIdHeader: row.message_id_header,
    subject: row.subject,
    size: row.size,
    has8bit: row.has8bit === 1,
    smtputf8: row.smtputf8 === 1,
    ...(row.ret === null ? {} : { ret: row.ret as 'FULL' | 'HDRS' }),
    ...(row.envid === null ? {} : { envid: row.envid }),
    ...(row.future_release === null ? {} : { futureReleaseRequest: row.future_release }),
    prefix: row.prefix,
    contentId: row.content_id,
    remoteIp: row.remote_ip,
    helo: row.helo,
    protocol: row.protocol,
    recipients: JSON.parse(row.recipients) as string[],
    facts: JSON.parse(row.facts) as Record<string, unknown>,
    trace: JSON.parse(row.trace) as StoredMessage['trace'],
  }
}
