// Idempotency-Key: the first request with a key is carried out, later ones get its answer, for 24 hours. The key is on stable
// storage before anything is sent, with the Message-ID that the message will have; after a crash that id tells whether the
// message was queued.
import { createHash } from 'node:crypto'
import type { Clock, Log, Storage, StoredMessage } from '@mox/plugin-sdk'
import { pathToString } from '@mox/plugin-sdk/mail'
import type { z } from 'zod'
import { IDEMPOTENCY_MS, MAX_IDEMPOTENCY_KEY, MAX_RECIPIENTS } from '../limits.ts'
import { IDEMPOTENCY, type IdempotencyRow } from '../schema.ts'
import { Problem } from './problem.ts'
import type * as schemas from './schemas.ts'

type SendResponse = z.output<typeof schemas.sendResponse>

/** Messages looked at in one step of the search after a crash. */
const STEP = 1_000
const PURGE_MS = 3_600_000
const PURGE_ROWS = 1_000
/** Seconds to wait for the request in progress. */
const BUSY_RETRY = 1

export interface IdempotencyKey {
  readonly account: string
  /** As given. */
  readonly key: string
  readonly fingerprint: string
}

export class Idempotency {
  readonly #storage: Storage
  readonly #clock: Clock
  readonly #log: Log
  #cancel: (() => void) | undefined
  #purging: Promise<unknown> = Promise.resolve()

  constructor(services: { storage: Storage; clock: Clock; log: Log }) {
    this.#storage = services.storage
    this.#clock = services.clock
    this.#log = services.log
  }

  /** Requests that an earlier process did not finish get their answer, or are forgotten when nothing was queued. */
  async start(): Promise<void> {
    const { db } = this.#storage
    const rows: IdempotencyRow[] = await db<IdempotencyRow>(IDEMPOTENCY).select('*').whereNull('response')
    if (rows.length > 0) await this.#recover(rows)
    this.#schedule()
  }

  async stop(): Promise<void> {
    this.#cancel?.()
    await this.#purging
  }

  /** The answer that there is, or undefined: then the caller sends and calls finish() or forget(). */
  async begin(key: IdempotencyKey, headerId: string): Promise<SendResponse | undefined> {
    const now = this.#clock.now()
    const id = { account: key.account, key: hashOf(key.key) }
    return await this.#storage.write(async db => {
      const [known]: IdempotencyRow[] = await db<IdempotencyRow>(IDEMPOTENCY).select('*').where(id)
      if (known !== undefined && Number(known.created_at) + IDEMPOTENCY_MS > now) {
        if (known.fingerprint !== key.fingerprint)
          throw new Problem('conflict', 'this Idempotency-Key was used with another request; use a new one')
        if (known.response === null)
          throw new Problem('conflict', 'the request with this Idempotency-Key is in progress', {
            retryAfter: BUSY_RETRY,
          })
        return JSON.parse(known.response) as SendResponse
      }
      await db<IdempotencyRow>(IDEMPOTENCY).where(id).delete()
      const { fingerprint } = key
      await db<IdempotencyRow>(IDEMPOTENCY).insert({
        ...id,
        fingerprint,
        header_id: headerId,
        response: null,
        created_at: now,
      })
      return undefined
    })
  }

  /** Never rejects: the message was sent, whatever becomes of this row. */
  async finish(key: IdempotencyKey, response: SendResponse): Promise<void> {
    try {
      await this.#answer({ account: key.account, key: hashOf(key.key) }, response)
    } catch (err) {
      this.#log.error({ err, account: key.account }, 'the answer to an Idempotency-Key could not be kept')
    }
  }

  /** After a failure that does not tell whether the message was queued. */
  async settle({ account, key }: IdempotencyKey): Promise<void> {
    const { db } = this.#storage
    await this.#recover(
      await db<IdempotencyRow>(IDEMPOTENCY)
        .select('*')
        .where({ account, key: hashOf(key) }),
    )
  }

  /** Nothing was queued: the key may be used again. */
  async forget(key: IdempotencyKey): Promise<void> {
    await this.#storage.write(
      async db =>
        void (await db(IDEMPOTENCY)
          .where({ account: key.account, key: hashOf(key.key) })
          .delete()),
    )
  }

  async #answer(id: { account: string; key: string }, response: SendResponse): Promise<void> {
    await this.#storage.write(
      async db =>
        void (await db<IdempotencyRow>(IDEMPOTENCY)
          .where(id)
          .update({ response: JSON.stringify(response) })),
    )
  }

  async #recover(rows: readonly IdempotencyRow[]): Promise<void> {
    const wanted = new Map(rows.map(row => [`${row.account}\n${row.header_id}`, row]))
    const since = Math.min(...rows.map(row => Number(row.created_at)))
    for (let before: number | undefined; wanted.size > 0; ) {
      const page = await this.#storage.messages.list({ limit: STEP, ...(before === undefined ? {} : { before }) })
      for (const message of page) {
        const key = `${message.account}\n${message.messageIdHeader}`
        const row = wanted.get(key)
        if (row === undefined) continue
        wanted.delete(key)
        await this.#answer({ account: row.account, key: row.key }, await this.#rebuilt(message))
      }
      before = page.at(-1)?.id
      if (before === undefined || (page.at(-1)?.receivedAt ?? 0) < since) break
    }
    for (const { account, key } of wanted.values())
      await this.#storage.write(async db => void (await db(IDEMPOTENCY).where({ account, key }).delete()))
    this.#log.info({ found: rows.length - wanted.size, forgotten: wanted.size }, 'unfinished requests settled')
  }

  async #rebuilt(message: StoredMessage): Promise<SendResponse> {
    const filter = { messageId: message.id }
    const page = { limit: MAX_RECIPIENTS }
    const [queued, retired] = [
      await this.#storage.queue.list(filter, page),
      await this.#storage.history.list(filter, page),
    ]
    const recipients = [...queued, ...retired]
      .sort((a, b) => a.id - b.id)
      .map(job => ({
        ...{ address: pathToString(job.recipient), queueId: job.id, fromId: job.fromId ?? '', suppressed: false },
      }))
    return { id: message.id, messageId: message.messageIdHeader, recipients, warnings: [], test: false }
  }

  #schedule(): void {
    this.#cancel = this.#clock.after(PURGE_MS, () => {
      this.#purging = this.#purge().catch((err: unknown) => this.#log.warn({ err }, 'old idempotency keys stay'))
      this.#schedule()
    })
  }

  async #purge(): Promise<void> {
    const before = this.#clock.now() - IDEMPOTENCY_MS
    await this.#storage.write(async db => {
      const old = db(IDEMPOTENCY)
        .select('created_at')
        .where('created_at', '<', before)
        .orderBy('created_at')
        .limit(PURGE_ROWS)
      await db(IDEMPOTENCY).whereIn('created_at', old).delete()
    })
  }
}

/** The header's value; undefined when there is none. */
export function idempotencyKey(header: string): string | undefined {
  if (header === '') return undefined
  if (header.length > MAX_IDEMPOTENCY_KEY || !/^[\x20-\x7e]+$/.test(header))
    throw new Problem('protocol', `the Idempotency-Key must be 1 to ${MAX_IDEMPOTENCY_KEY} printable ASCII characters`)
  return header
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}
