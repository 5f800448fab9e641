// A message store on real storage for tests: one database per test file or test, a virtual clock, a directory of accounts.
import { createHash } from 'node:crypto'
import { EventEmitter } from 'node:events'
import type {
  AccountInfo,
  Clock,
  Directory,
  LocalDelivery,
  LocalOutcome,
  Log,
  Mailboxes,
  Storage,
} from '@mox/plugin-sdk'
import { parseHeader } from '@mox/plugin-sdk/mail'
import type { Context } from '../../src/context.ts'
import { Feed } from '../../src/feed.ts'
import { Housekeeping } from '../../src/housekeeping.ts'
import { Indexer } from '../../src/indexer.ts'
import { type JunkFlagOptions, junkFlags } from '../../src/junk-flags.ts'
import { DEFAULT_MAILBOXES } from '../../src/mailboxes.ts'
import { migrations } from '../../src/schema.ts'
import { MailboxesService } from '../../src/service.ts'
import { prepare } from '../../src/statements.ts'
import { openStorage, type TestStorage } from './storage.ts'

/** 2026-01-01. */
export const START: number = Date.UTC(2026, 0, 1)

/** Time that stands still until advance(). */
export class TestClock implements Clock {
  #now = START
  readonly #timers = new EventEmitter().setMaxListeners(0)

  now(): number {
    return this.#now
  }

  after(ms: number, work: () => void): () => void {
    const due = this.#now + ms
    const check = (): void => {
      if (this.#now < due) return
      cancel()
      work()
    }
    const cancel = (): void => void this.#timers.off('time', check)
    this.#timers.on('time', check)
    return cancel
  }

  async sleep(): Promise<void> {}

  advance(ms: number): void {
    this.#now += ms
    this.#timers.emit('time')
  }
}

export interface Harness {
  readonly storage: Storage
  readonly backend: TestStorage
  readonly mailboxes: Mailboxes
  readonly context: Context
  readonly clock: TestClock
  readonly housekeeping: Housekeeping
  readonly quotas: Map<string, number>
  /** Delivers in a unit of work of its own. */
  deliver(account: string, message: string, fields?: Partial<LocalDelivery>): Promise<LocalOutcome>
  /** A delivery whose content is kept, for a unit of work that the test opens. */
  delivery(account: string, message: string, fields?: Partial<LocalDelivery>): Promise<LocalDelivery>
  close(): Promise<void>
}

const PREFIX = Buffer.from('Received: from mx.test\r\n')

/** `backend`: on memory unless given; it is closed with the harness. */
export async function openHarness(
  accounts: readonly string[] = ['alice', 'bob'],
  backend?: TestStorage,
  options: { readonly junkFlags?: JunkFlagOptions } = {},
): Promise<Harness> {
  backend ??= await openStorage()
  return await openOn(accounts, backend, options)
}

async function openOn(
  accounts: readonly string[],
  backend: TestStorage,
  options: { readonly junkFlags?: JunkFlagOptions },
): Promise<Harness> {
  const { storage } = backend
  await storage.migrate('mailboxes', migrations)
  const clock = new TestClock()
  const quotas = new Map<string, number>()
  const directory = {
    account: async (name: string): Promise<AccountInfo | undefined> =>
      accounts.includes(name)
        ? {
            name,
            fullName: '',
            quota: quotas.get(name) ?? 0,
            maxOutgoingPerDay: 0,
            maxFirstTimeRecipientsPerDay: 0,
            maxQueued: 0,
            maxQueuedBytes: 0,
            addresses: [],
          }
        : undefined,
  } as Directory
  const housekeeping = new Housekeeping()
  const log = silent()
  const context: Context = {
    storage,
    directory,
    clock,
    log,
    feed: new Feed(log),
    statements: prepare(storage),
    initialMailboxes: DEFAULT_MAILBOXES,
    indexer: new Indexer({ storage, clock, log }),
    rejectsMailbox: 'Rejects',
    junkFlags: junkFlags(options.junkFlags),
    eraseSoon: ids => housekeeping.eraseSoon(ids),
  }
  housekeeping.start(context, { historyDays: 30, rejectsDays: 14 })
  const mailboxes = new MailboxesService(context, () => {})
  let key = 0
  const delivery = async (
    account: string,
    message: string,
    fields: Partial<LocalDelivery> = {},
  ): Promise<LocalDelivery> => {
    const content = Buffer.from(message.replace(/\r?\n/g, '\r\n'))
    const prefix = fields.prefix ?? PREFIX
    const contentId = await keep(storage, content)
    return {
      account,
      mailbox: 'Inbox',
      key: `key ${++key}`,
      messageId: key,
      contentId,
      prefix,
      size: prefix.length + content.length,
      head: parseHeader(Buffer.concat([prefix, content])),
      receivedAt: clock.now(),
      reversePath: { localpart: 'sender', domain: 'remote.test' },
      recipient: { localpart: account, domain: 'local.test' },
      remoteIp: '192.0.2.1',
      helo: 'mx.remote.test',
      keywords: [],
      junk: false,
      ...fields,
    }
  }
  return {
    storage,
    backend,
    mailboxes,
    context,
    clock,
    housekeeping,
    quotas,
    delivery,
    async deliver(account, message, fields) {
      const made = await delivery(account, message, fields)
      return await storage.write(async () => await mailboxes.deliver(made))
    },
    async close() {
      await context.indexer.stop()
      await housekeeping.stop()
      await backend.close()
    },
  }
}

async function keep(storage: Storage, content: Buffer): Promise<number> {
  const writer = storage.content.writer()
  await writer.write(content)
  const staged = await writer.finish(createHash('sha256').update(content).digest())
  return await storage.write(async () => await storage.content.keep(staged))
}

function silent(): Log {
  const nothing = (): void => {}
  const log: Log = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing, child: () => log }
  return log
}
