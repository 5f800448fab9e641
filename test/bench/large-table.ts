// What the measurements of large tables share: the real storage without a server around it, a database filled through its
// repositories. Each runs in a process of its own and sends its figures to the parent.
import { createHash } from 'node:crypto'
import type { Clock, Log, Metrics, NewJob, Page, StoredMessage } from '@mox/plugin-sdk'
import { type SqliteStorage, sqliteStorage } from '../../plugins/storage-sqlite/src/database.ts'
import type { TableJob } from './jobs.ts'

export const NOW = 1_800_000_000_000
export const HOUR = 3_600_000
/** Recipients of one message, accounts, domains. */
const RECIPIENTS = 10
export const ACCOUNTS = 100
const DOMAINS = 2_000
/** Messages per unit of work while the queue is filled. */
const UNIT = 200
export const PAGE: Page = { limit: 100, ascending: true }

const quiet: Log = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, child: () => quiet }
const none = { inc() {}, set() {}, observe() {} }
const metrics: Metrics = {
  ...{ counter: () => none, gauge: () => none, histogram: () => none, collect() {} },
  render: async () => '',
}
const clock: Clock = { now: () => NOW, after: () => () => {}, sleep: async () => {} }

/** Every domain has mail, the first ones most of it; one recipient in a hundred is held, one in a thousand has a transport. */
function recipient(n: number, message: number): NewJob {
  const domain = `d${Math.floor(DOMAINS * ((n * 7919) % 1_000_003) ** 2 * 1e-12) % DOMAINS}.example`
  return {
    ...{ recipient: { localpart: `user${n}`, domain }, recipientDomain: domain, extra: {}, maxAttempts: 0 },
    reversePath: { localpart: `news${message % 50}`, domain: 'sender.example' },
    // Half is due; the rest waits for up to eight hours.
    due: NOW - 4 * HOUR + ((n * 104_729) % (8 * HOUR)),
    hold: n % 100 === 7,
    ...(n % 1_000 === 13 ? { transport: 'relay' } : {}),
  }
}

/** Messages of ten recipients in the queue, `UNIT` of them in a unit of work; `then` is called inside it with each. */
export async function fillQueue(
  storage: SqliteStorage,
  recipients: number,
  then?: (queued: {
    readonly ids: readonly number[]
    readonly jobs: readonly NewJob[]
    readonly message: StoredMessage
  }) => Promise<void>,
): Promise<void> {
  const bytes = Buffer.alloc(2_000, 'x')
  const writer = storage.content.writer()
  await writer.write(bytes)
  const staged = await writer.finish(createHash('sha256').update(bytes).digest())
  const contentId = await storage.write(() => storage.content.keep(staged))
  const messages = recipients / RECIPIENTS
  for (let from = 0; from < messages; from += UNIT)
    await storage.write(async () => {
      for (let m = from; m < Math.min(from + UNIT, messages); m++) {
        await storage.content.retain(contentId)
        const jobs = Array.from({ length: RECIPIENTS }, (_, i) => recipient(m * RECIPIENTS + i, m))
        const message: Omit<StoredMessage, 'id'> = {
          ...{ receivedAt: NOW - 96 * HOUR + Math.floor((m / messages) * 96 * HOUR), kind: 'submission' },
          ...{ source: 'bench', account: `account${m % ACCOUNTS}`, reversePath: jobs[0]!.reversePath, size: 2_000 },
          ...{ messageIdHeader: `<${m}@sender.example>`, subject: `Newsletter ${m}`, has8bit: false, smtputf8: false },
          ...{
            prefix: Buffer.from('Received: x\r\n'),
            contentId,
            remoteIp: '192.0.2.1',
            helo: 'h',
            protocol: 'ESMTPA',
          },
          ...{ recipients: jobs.map(j => `${j.recipient.localpart}@${j.recipient.domain}`), facts: {}, trace: [] },
        }
        const id = await storage.messages.add(message)
        const ids = await storage.queue.add(id, jobs)
        await then?.({ ids, jobs, message: { ...message, id } })
      }
    })
}

export async function open<T>(dir: string, work: (storage: SqliteStorage) => Promise<T>): Promise<T> {
  const storage = sqliteStorage({ dir, file: 'mox.db', driver: 'better-sqlite3' }, { clock, log: quiet, metrics })
  await storage.open()
  try {
    return await work(storage)
  } finally {
    await storage.close()
  }
}

/** Does what the parent asks for, once. */
export function serve<R extends object>(work: {
  readonly fill: (storage: SqliteStorage, recipients: number) => Promise<void>
  readonly measure: (storage: SqliteStorage, recipients: number) => Promise<R>
}): void {
  // Not `once`: a listener keeps the process while nothing but the storage's own thread works.
  process.on('message', ({ step, dir, recipients }: TableJob) => {
    open(dir, async storage => (await work[step](storage, recipients)) ?? {}).then(
      result => process.send?.({ result }, () => process.disconnect()),
      error => process.send?.({ error: String((error as Error).stack) }, () => process.disconnect()),
    )
  })
}
