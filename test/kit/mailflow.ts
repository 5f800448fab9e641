// The whole mail flow in the test's own process: the real application on a real database, with a clock that the test moves and
// a transport "direct" that does as it is told. example.org and example.net are ours, with accounts alice and bob.
import { createApplication, resolveConfig } from '@mox/core'
import { accounts } from '@mox/plugin-accounts'
import { mailboxes } from '@mox/plugin-mailboxes'
import {
  type CommandResult,
  type DeliveryBatch,
  type DeliveryResult,
  definePlugin,
  type Job,
  type Plugin,
  queueControl,
  receiver,
  type ServiceOf,
  type ServiceToken,
  type SessionInfo,
  type SmtpReply,
  type Storage,
  type Submitted,
  storage,
  submission,
  transports,
  UsageError,
} from '@mox/plugin-sdk'
import { type Path, parseAddress } from '@mox/plugin-sdk/mail'
import { type CollectingLog, collectingLog, seededRandom, VirtualClock } from '@mox/plugin-sdk/testkit'
import { storageSqlite } from '@mox/plugin-storage-sqlite'
import { memoryDir, removeDir, tempDir } from './temp.ts'

export type Answer = Omit<DeliveryResult, 'id'>
type Flags = Readonly<Record<string, string | number | boolean>>
type AccountsInput = Parameters<typeof accounts>[0]

export const DELIVERED: Answer = { outcome: 'delivered', code: 250, enhanced: '2.0.0', text: 'ok', stage: 'end' }

export interface SendOptions extends Submitted {
  readonly from?: string | null
  readonly to: readonly string[]
  readonly account?: string
  readonly loginAddress?: string
  /** Address of the From field; alice's by default. */
  readonly author?: string
  /** Header lines beside From, without line ends. */
  readonly headers?: readonly string[]
  readonly content?: string
  readonly holdUntil?: number
}

export interface Mailflow {
  readonly clock: VirtualClock
  readonly log: CollectingLog
  readonly storage: Storage
  /** What the transport got, one entry for each call. */
  readonly sent: DeliveryBatch[]
  /** What the transport says from now on. */
  answer(work: (job: Job, batch: DeliveryBatch) => Answer | Promise<Answer>): void
  /** Submits as a plugin would; the queue ids. Throws the MailError of a refusal. */
  submit(options: SendOptions): Promise<readonly number[]>
  /** A message over SMTP, as submission when `account` is given: the last reply. */
  smtp(options: SendOptions): Promise<SmtpReply>
  jobs(): Promise<Job[]>
  mox(line: string, flags?: Flags): Promise<CommandResult>
  /** What a command prints, or the message of its UsageError. */
  text(line: string, flags?: Flags): Promise<string>
  rows(line: string, flags?: Flags): Promise<readonly Readonly<Record<string, unknown>>[]>
  service<S extends ServiceToken<unknown>>(token: S): ServiceOf<S>
  /** Moves the clock and waits until nothing runs. */
  advance(ms: number): Promise<void>
  /** Real units of work take real turns of the event loop. */
  until(check: () => Promise<boolean> | boolean, what: string): Promise<void>
  restart(laterMs?: number): Promise<void>
  close(): Promise<void>
}

export interface MailflowOptions {
  /** Start with delivery stopped. */
  readonly paused?: boolean
  readonly accounts?: AccountsInput
  readonly retrySchedule?: readonly number[]
  readonly concurrencyPerDomain?: number
  /** The transport "direct" is one of the given plugins'; `sent` and `answer` have no use then. */
  readonly ownTransport?: boolean
  /** The database is in memory, which spares waiting for the disk. */
  readonly inMemory?: boolean
}

const NO_LIMITS = { maxOutgoingPerDay: 0, maxFirstTimeRecipientsPerDay: 0 }
const ACCOUNTS: AccountsInput = {
  domains: { 'example.org': {}, 'example.net': { separators: [] } },
  accounts: {
    alice: { addresses: ['alice@example.org', '@example.net'], ...NO_LIMITS },
    bob: { addresses: ['bob@example.org'], ...NO_LIMITS },
  },
}
/** What core waits for aborted attempts. */
const STOP_GRACE_MS = 5_000
/** Turns of the event loop that until() waits. */
const TURNS = 20_000

export async function mailflow(plugins: readonly Plugin[], options: MailflowOptions = {}): Promise<Mailflow> {
  const dataDir = await (options.inMemory === true ? memoryDir() : tempDir())
  const log = collectingLog()
  const random = seededRandom()
  const sent: DeliveryBatch[] = []
  let clock = new VirtualClock()
  let answer: (job: Job, batch: DeliveryBatch) => Answer | Promise<Answer> = () => DELIVERED
  const direct = definePlugin({
    name: 'direct',
    provides: { transports },
    setup: () => ({
      services: {
        transports: {
          name: 'direct',
          deliver: async batch => {
            sent.push(batch)
            return await Promise.all(batch.jobs.map(async job => ({ id: job.id, ...(await answer(job, batch)) })))
          },
        },
      },
    }),
  })
  const make = () => {
    const config = resolveConfig(
      {
        ...{ hostname: 'mail.example.org', dataDir },
        queue: {
          paused: options.paused ?? false,
          ...(options.retrySchedule === undefined ? {} : { retrySchedule: options.retrySchedule }),
          ...(options.concurrencyPerDomain === undefined ? {} : { concurrencyPerDomain: options.concurrencyPerDomain }),
        },
        plugins: [
          storageSqlite(),
          accounts(options.accounts ?? ACCOUNTS),
          mailboxes(),
          options.ownTransport !== true && direct(),
          ...plugins,
        ],
      },
      `${dataDir}/mox.config.ts`,
    )
    return createApplication(config, { clock, log, random })
  }
  let app = make()
  const start = async (): Promise<void> => {
    await app.open()
    await app.serve()
  }
  const store = (): Storage => app.host.service(storage)
  const until: Mailflow['until'] = async (check, what) => {
    for (let turn = 0; turn < TURNS; turn++) {
      if (await check()) return
      await new Promise(resolve => setImmediate(resolve))
    }
    throw new Error(`it never came to this: ${what}`)
  }
  /** Nothing is being delivered, nothing is due, and every event has been told. */
  const idle = async (): Promise<boolean> => {
    const now = clock.now()
    if (app.host.service(queueControl).status().running > 0) return false
    const due = await store().queue.nextDue()
    if (options.paused !== true && due !== undefined && due <= now) return false
    return (await store().outbox.list({ dead: false, limit: 100 })).every(row => row.due > now)
  }
  const quiet = async (): Promise<void> => {
    app.host.service(queueControl).kick()
    await until(idle, 'the queue is quiet')
  }
  const stop = async (): Promise<void> => {
    await app.drain(AbortSignal.abort())
    const closing = app.close()
    // Attempts that hang are waited for by the clock; closing the storage takes its own, real time.
    await clock.advance(STOP_GRACE_MS)
    await closing
  }
  const run: Mailflow['mox'] = async (line, flags = {}) => {
    const words = line.split(' ').filter(word => word !== '')
    const command = app.commands.find(c => c.path.every((word, i) => words[i] === word))
    if (command === undefined) throw new Error(`no command: ${line}`)
    const given = words.slice(command.path.length)
    return await command.run({ arguments: given, flags: new Map(Object.entries(flags)), limit: 100 })
  }
  try {
    await start()
  } catch (error) {
    await removeDir(dataDir)
    throw error
  }
  return {
    ...{ log, sent, until },
    get clock() {
      return clock
    },
    get storage() {
      return store()
    },
    answer: work => {
      answer = work
    },
    submit: async ({
      account = 'alice',
      loginAddress,
      author,
      from,
      to,
      headers,
      content,
      holdUntil,
      ...submitted
    }) => {
      const { queueIds } = await app.host.service(submission).submit({
        ...{ account, source: 'webapi', ...submitted },
        ...(loginAddress === undefined ? {} : { loginAddress }),
        envelope: {
          reversePath: pathOf(from === undefined ? 'alice@example.org' : from),
          recipients: to.map(address => ({ path: need(address) })),
          ...(holdUntil === undefined ? {} : { holdUntil }),
        },
        content: Buffer.from(message(author, headers, content)),
      })
      return queueIds
    },
    smtp: async ({ account, loginAddress, author, from, to, headers, content }) => {
      const info: SessionInfo = {
        ...{ id: random.id(), kind: account === undefined ? 'delivery' : 'submission', listener: 'test' },
        ...{ hostname: 'mail.example.org', localIp: '192.0.2.25', remoteIp: '198.51.100.7', remotePort: 4_000 },
        ...{ connectedAt: clock.now(), helo: 'client.example', protocol: 'ESMTP' },
        ...(account === undefined ? {} : { account }),
        ...(loginAddress === undefined ? {} : { loginAddress }),
      }
      const { session } = await app.host.service(receiver).open(info, new AbortController().signal)
      let reply = await session.mail(pathOf(from === undefined ? 'alice@example.org' : from), {})
      for (const address of to) if (reply.code < 400) reply = await session.rcpt({ path: need(address) })
      if (reply.code >= 400) return reply
      const sink = session.data({ maxSize: 1_000_000 })
      await sink.write(Buffer.from(message(author, headers, content)))
      const done = await sink.finish()
      session.close()
      return done
    },
    jobs: async () => await store().queue.list({}, { limit: 10_000, ascending: true }),
    mox: run,
    text: async (line, flags) => {
      try {
        const result = await run(line, flags)
        return result.kind === 'text' ? result.text : JSON.stringify(result)
      } catch (error) {
        if (error instanceof UsageError) return error.message
        throw error
      }
    },
    rows: async (line, flags) => {
      const result = await run(line, flags)
      if (result.kind !== 'rows') throw new Error(`no rows: ${line}`)
      return result.rows
    },
    service: token => app.host.service(token),
    advance: async ms => {
      const end = clock.now() + ms
      for (;;) {
        await quiet()
        // From one recipient that is due to the next, so that each is tried at its time.
        const due = (await store().queue.nextDue()) ?? end
        const to = options.paused === true ? end : Math.min(due, end)
        await clock.advance(to - clock.now())
        if (to === end) break
      }
      await quiet()
    },
    restart: async (laterMs = 0) => {
      const now = clock.now() + laterMs
      await stop()
      clock = new VirtualClock(now)
      app = make()
      await start()
    },
    close: async () => {
      await stop()
      await removeDir(dataDir)
    },
  }
}

function message(author = 'alice@example.org', headers: readonly string[] = [], content = 'Hello.\r\n'): string {
  return `${[`From: <${author}>`, 'Subject: hello', ...headers].join('\r\n')}\r\n\r\n${content}`
}

function need(address: string): Path {
  const parsed = parseAddress(address)
  if (!parsed.ok) throw new Error(`${address} is no address`)
  return parsed.path
}

function pathOf(address: string | null): Path | null {
  return address === null ? null : need(address)
}
