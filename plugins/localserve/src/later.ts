// What comes back some time after a delivery: written down with the delivery, and received as from the other server when its
// time has come, through all receive hooks. What cannot be received now is tried again each minute, and given up in the end.
import type {
  Clock,
  DeliveryBatch,
  Job,
  Log,
  Migration,
  Random,
  Receiver,
  SessionInfo,
  SmtpReply,
  Storage,
  System,
  Worker,
} from '@mox/plugin-sdk'
import { formatPath, HEADER_BYTES, parseHeader, parsePath } from '@mox/plugin-sdk/mail'
import type { Later } from './magic.ts'
import { composeReport } from './report-message.ts'

/** The listener's name in sessions that bring reports. */
export const REPORTS = 'localserve-reports'
/** Times that a report is tried. */
export const REPORT_TRIES = 5
const RETRY_MS = 60_000
const SHORTEST_MS = 1_000
/** Reports that are due at the same time and handled in one go. */
const BATCH = 50
/** Bytes of the largest report. */
const MAX_REPORT = 1024 * 1024
const LOOPBACK = '127.0.0.1'
const TABLE = 'localserve_later'

export const migrations: readonly Migration[] = [
  {
    version: 1,
    name: 'reports to come',
    up: async db => {
      await db.schema.createTable(TABLE, table => {
        table.bigIncrements('id')
        table.bigInteger('due').notNullable().index()
        table.integer('tries').notNullable()
        table.bigInteger('queue_id').notNullable()
        table.string('sender', 400).notNullable()
        table.string('host', 400).notNullable()
        table.boolean('smtputf8').notNullable()
        table.binary('content').notNullable()
      })
    },
  },
]

interface Row {
  readonly id: number
  readonly due: number
  readonly tries: number
  readonly queue_id: number
  readonly sender: string
  readonly host: string
  readonly smtputf8: number | boolean
  readonly content: Buffer
}

export interface LaterDeps {
  readonly clock: Clock
  readonly log: Log
  readonly random: Random
  readonly receiver: Receiver
  readonly storage: Storage
  readonly system: System
}

export class LaterReports implements Worker {
  readonly name = 'localserve reports'
  readonly #deps: LaterDeps
  readonly #abort = new AbortController()
  #started = false
  #again = false
  #running: Promise<void> | undefined
  #cancel = (): void => {}

  constructor(deps: LaterDeps) {
    this.#deps = deps
  }

  /** A message without a reverse-path causes none. Never throws: the message was delivered. */
  async add(later: Later, job: Job, batch: DeliveryBatch): Promise<void> {
    try {
      await this.#add(later, job, batch)
    } catch (error) {
      this.#deps.log.error({ err: error, queueId: job.id }, 'nothing will come back for this recipient')
    }
  }

  async #add({ kind, afterMs }: Later, job: Job, batch: DeliveryBatch): Promise<void> {
    const { clock, random, storage } = this.#deps
    if (job.reversePath === null) return
    const deliveredAt = clock.now()
    const at = deliveredAt + afterMs
    const header = await headerOf(batch)
    const about = { job, to: job.reversePath, header, deliveredAt, at, id: random.id() }
    const { host, smtputf8, content } = composeReport(kind, about)
    await storage.write(async db => {
      await db(TABLE).insert({
        ...{ due: at, tries: 0, queue_id: job.id, sender: formatPath(job.reversePath), host, smtputf8, content },
      })
    })
    this.kick()
  }

  start(): void {
    this.#started = true
    this.kick()
  }

  busy(): boolean {
    return this.#running !== undefined
  }

  kick(): void {
    if (!this.#started) return
    this.#again = true
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined
    })
  }

  /** Forgets all that would come. */
  async reset(): Promise<void> {
    await this.#deps.storage.write(async db => void (await db(TABLE).delete()))
  }

  async stop(): Promise<void> {
    this.#started = false
    this.#cancel()
    this.#abort.abort(new Error('the server is stopping'))
    await this.#running
  }

  async #work(): Promise<void> {
    let wait: number | undefined
    while (this.#again && this.#started) {
      this.#again = false
      try {
        wait = await this.#look()
      } catch (error) {
        if (this.#started) this.#deps.log.error({ err: error }, 'reports to come could not be handled')
        wait = RETRY_MS
      }
    }
    this.#cancel()
    if (this.#started && wait !== undefined) this.#cancel = this.#deps.clock.after(wait, () => this.kick())
  }

  /** Milliseconds until the next one is due; undefined when there is none. */
  async #look(): Promise<number | undefined> {
    const { storage, clock } = this.#deps
    for (;;) {
      const due: Row[] = await storage.db(TABLE).where('due', '<=', clock.now()).orderBy(['due', 'id']).limit(BATCH)
      for (const row of due) {
        if (!this.#started) return undefined
        await this.#one(row)
      }
      if (due.length < BATCH) break
    }
    const next: { due: number } | undefined = await storage.db(TABLE).orderBy('due').first('due')
    return next === undefined ? undefined : Math.max(Number(next.due) - clock.now(), SHORTEST_MS)
  }

  async #one(row: Row): Promise<void> {
    const { storage, clock, log } = this.#deps
    const reply = await this.#receive(row)
    const tries = row.tries + 1
    const fields = { queueId: row.queue_id, to: row.sender, code: reply.code, text: reply.text, tries }
    const over = reply.code < 300 || reply.code >= 500 || tries >= REPORT_TRIES
    if (reply.code >= 300) log.warn(fields, over ? 'a report was refused' : 'a report is tried again later')
    await storage.write(async db => {
      if (over) await db(TABLE).where({ id: row.id }).delete()
      else
        await db(TABLE)
          .where({ id: row.id })
          .update({ tries, due: clock.now() + RETRY_MS })
    })
  }

  /** One session as another server would have it; the last reply. */
  async #receive({ sender, host, smtputf8, content }: Row): Promise<SmtpReply> {
    const parsed = parsePath(sender, { kind: 'forward', smtputf8: true })
    if (!parsed.ok) return { code: 501, enhanced: '5.1.3', text: parsed.error }
    const { session, reply } = await this.#deps.receiver.open(this.#session(host), this.#abort.signal)
    if (reply !== undefined) return reply
    try {
      const from = await session.mail(null, { body: '8BITMIME', smtputf8: Boolean(smtputf8) })
      const to = from.code < 300 ? await session.rcpt({ path: parsed.path }) : from
      if (to.code >= 300) return to
      const data = session.data({ maxSize: MAX_REPORT })
      await data.write(Buffer.from(content))
      return await data.finish()
    } finally {
      session.close()
    }
  }

  #session(helo: string): SessionInfo {
    const { random, system, clock } = this.#deps
    return {
      ...{ id: random.id(), kind: 'delivery', listener: REPORTS, hostname: system.hostname, localIp: LOOPBACK },
      ...{ remoteIp: LOOPBACK, remotePort: 0, connectedAt: clock.now(), helo, protocol: 'ESMTP' },
    }
  }
}

/** The header section of a message, as far as it is within the limit for headers. */
async function headerOf(batch: DeliveryBatch): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of batch.open()) {
    chunks.push(chunk)
    size += chunk.length
    if (size >= HEADER_BYTES) break
  }
  const bytes = Buffer.concat(chunks)
  return bytes.subarray(0, parseHeader(bytes).length)
}
