// A whole server without sockets, for tests: SQLite in a temporary directory, accounts, mailboxes, the queue, this plugin, and a
// transport "direct" that says what the test wants. Time stands still until advance().
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Application, createApplication, resolveConfig } from '@mox/core'
import { accounts } from '@mox/plugin-accounts'
import { mailboxes } from '@mox/plugin-mailboxes'
import {
  type DeliveryBatch,
  type DeliveryResult,
  definePlugin,
  type Envelope,
  type Handlers,
  mailboxes as mailboxesToken,
  type Notify,
  type Plugin,
  receiver,
  type SmtpReply,
  type Storage,
  storage as storageToken,
  submission,
  transports,
} from '@mox/plugin-sdk'
import { collectingLog, samplePath, sampleSession, VirtualClock } from '@mox/plugin-sdk/testkit'
import { storageSqlite } from '@mox/plugin-storage-sqlite'
import { dsn } from '../../src/index.ts'

export const HOSTNAME = 'mail.example.org'

export type Answer = Omit<DeliveryResult, 'id'>
export const TEMPORARY: Answer = {
  ...{ outcome: 'temporary', code: 451, enhanced: '4.3.0', text: 'try again later', stage: 'rcpt' },
  ...{ remoteHost: 'mx.example.net', remoteIp: '192.0.2.1' },
}
export const PERMANENT: Answer = {
  ...TEMPORARY,
  outcome: 'permanent',
  code: 550,
  enhanced: '5.1.1',
  text: 'no such user',
}
export const DELIVERED: Answer = {
  ...TEMPORARY,
  outcome: 'delivered',
  code: 250,
  enhanced: '2.0.0',
  text: 'ok',
  stage: 'end',
}

export interface World {
  readonly app: Application
  readonly clock: VirtualClock
  readonly storage: Storage
  readonly log: ReturnType<typeof collectingLog>
  /** What the transport says of a recipient, by address; others are delivered. May be changed. */
  readonly answers: Map<string, Answer | ((batch: DeliveryBatch) => Promise<Answer>)>
  /** Messages that left through the transport: reverse-path, recipients, bytes. */
  readonly sent: {
    readonly from: string
    readonly to: readonly string[]
    readonly bytes: string
    readonly batch: DeliveryBatch
  }[]
  submit(to: readonly string[], options?: SubmitOptions): Promise<readonly number[]>
  /** Mail from outside; replies to MAIL, each RCPT and the data. */
  receive(
    from: string,
    to: readonly string[],
    message: string | Buffer,
    notify?: readonly Notify[],
  ): Promise<SmtpReply[]>
  /** Moves the clock in steps, letting storage do its work. */
  advance(ms: number, step?: number): Promise<void>
  settle(): Promise<void>
  /** Messages of an account, oldest first, with their mailbox. */
  inbox(account: string): Promise<string[]>
  close(): Promise<void>
  /** Stops as a crash would leave it, and starts again on the same data. */
  restart(): Promise<World>
}

export interface SubmitOptions {
  readonly from?: string
  readonly account?: string
  readonly notify?: readonly Notify[]
  readonly envelope?: Partial<Envelope>
  readonly message?: string
}

export const MESSAGE =
  'From: Alice <alice@example.org>\r\nTo: bob@example.net\r\nSubject: hello\r\nMessage-ID: <1@example.org>\r\nDate: Tue, 1 Jan 2030 12:00:00 +0000\r\n\r\nHello Bob.\r\n'

export interface WorldOptions {
  readonly handlers?: Handlers
  readonly options?: Parameters<typeof dsn>[0]
  readonly keepRetiredDays?: number
  readonly quota?: number
  readonly withoutDsn?: boolean
  readonly retrySchedule?: readonly number[]
}

export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), 'mox-dsn-'))
  return await openIn(dir, new VirtualClock(), options, new Map(), [])
}

async function openIn(
  dir: string,
  clock: VirtualClock,
  options: WorldOptions,
  answers: World['answers'],
  sent: World['sent'],
): Promise<World> {
  const log = collectingLog()
  const direct = definePlugin({
    name: 'direct-test',
    provides: { transports },
    setup: () => ({
      services: {
        transports: {
          name: 'direct',
          deliver: async batch => {
            const results: DeliveryResult[] = []
            const chunks: Buffer[] = []
            for await (const chunk of batch.open()) chunks.push(chunk)
            const address = (path: { localpart: string; domain: string }) => `${path.localpart}@${path.domain}`
            for (const { id, recipient } of batch.jobs) {
              const answer = answers.get(address(recipient)) ?? DELIVERED
              results.push({ id, ...(typeof answer === 'function' ? await answer(batch) : answer) })
            }
            const [{ reversePath }] = batch.jobs
            sent.push({
              from: reversePath === null ? '' : address(reversePath),
              to: batch.jobs.map(({ recipient }) => address(recipient)),
              bytes: Buffer.concat(chunks).toString(),
              batch,
            })
            return results
          },
        },
      },
    }),
  })
  const extra = definePlugin({ name: 'handlers-test', setup: () => ({ ...options.handlers }) })
  const plugins: (Plugin | false)[] = [
    storageSqlite(),
    accounts({
      domains: {
        'example.org': { aliases: { team: { members: ['bob@example.org', 'carol@example.org'], postPublic: true } } },
      },
      accounts: {
        alice: {
          addresses: ['alice@example.org', 'grün@example.org', { address: 'work@example.org', mailbox: 'Work' }],
          quota: options.quota ?? 0,
        },
        bob: { addresses: ['bob@example.org'] },
        carol: { addresses: ['carol@example.org'] },
        full: { addresses: ['full@example.org'], quota: 1 },
        root: { addresses: ['root@example.org'] },
      },
      postmaster: 'root',
    }),
    mailboxes(),
    options.withoutDsn !== true && dsn(options.options),
    direct(),
    extra(),
  ]
  const config = resolveConfig(
    {
      hostname: HOSTNAME,
      dataDir: dir,
      queue: {
        keepRetiredDays: options.keepRetiredDays ?? 7,
        ...(options.retrySchedule === undefined ? {} : { retrySchedule: options.retrySchedule }),
      },
      plugins,
    },
    join(dir, 'mox.config.ts'),
  )
  const app = createApplication(config, { clock, log })
  await app.open()
  await app.serve()
  const storage = app.host.service(storageToken)
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 4; i++) {
      for (let turn = 0; turn < 4; turn++) await new Promise(resolve => setTimeout(resolve, 1))
      await storage.write(async () => {})
    }
  }
  const world: World = {
    ...{ app, clock, storage, log, answers, sent, settle },
    submit: async (to, { from = 'alice@example.org', account = 'alice', notify, envelope, message = MESSAGE } = {}) => {
      const recipients = to.map(address => ({ path: samplePath(address), ...(notify === undefined ? {} : { notify }) }))
      const reversePath = from === '' ? null : samplePath(from)
      const given = { account, source: 'test', content: Buffer.from(message) }
      const done = await app.host
        .service(submission)
        .submit({ ...given, envelope: { reversePath, recipients, ...envelope } })
      await settle()
      return done.queueIds
    },
    receive: async (from, to, message, notify) => {
      const { session } = await app.host.service(receiver).open(sampleSession(), new AbortController().signal)
      const replies = [await session.mail(from === '' ? null : samplePath(from), {})]
      for (const address of to)
        replies.push(await session.rcpt({ path: samplePath(address), ...(notify === undefined ? {} : { notify }) }))
      const sink = session.data({ maxSize: 10_000_000 })
      await sink.write(Buffer.from(message))
      replies.push(await sink.finish())
      await settle()
      return replies
    },
    advance: async (ms, step = STEP_MS) => {
      const end = clock.now() + ms
      await settle()
      while (clock.now() < end) {
        await clock.advance(Math.min(step, end - clock.now()))
        await settle()
      }
    },
    inbox: async account => {
      const service = app.host.service(mailboxesToken)
      const store = await service.store(account)
      const found: string[] = []
      for (const mailbox of await store.mailboxes())
        for (const { id } of await store.messages(mailbox.id, { limit: 1_000 })) {
          const chunks: Buffer[] = []
          for await (const chunk of await service.open(id)) chunks.push(chunk)
          found.push(`X-Test-Mailbox: ${mailbox.name}\r\n${Buffer.concat(chunks)}`)
        }
      return found
    },
    close: async () => {
      await app.drain(AbortSignal.timeout(5_000))
      await app.close()
      await rm(dir, { recursive: true, force: true })
    },
    restart: async () => {
      await app.drain(AbortSignal.abort())
      await app.close()
      return await openIn(dir, clock, options, answers, sent)
    },
  }
  return world
}

/** Step of advance(): shorter than any wait that most tests are about. */
const STEP_MS = 30_000

/** The value of a header field of the message, unfolded. */
export function fieldOf(message: string, name: string): string | undefined {
  const head = message.slice(0, message.indexOf('\r\n\r\n')).replaceAll(/\r\n[ \t]+/g, ' ')
  return new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1]
}
