// The stages with fakes around them: storage in memory, a clock that stands still, a directory of a few addresses,
// mailboxes as a list, a transport that does as it is told.
import {
  type AccountInfo,
  type AccountResolution,
  type DeliveryBatch,
  type DeliveryResult,
  type Directory,
  type LocalDelivery,
  type Log,
  type Mailboxes,
  type Metrics,
  type QueueConfig,
  type Random,
  type ReceiveSession,
  type Resolution,
  reply,
  type SessionInfo,
  type SmtpReply,
  type Transport,
} from '@mox/plugin-sdk'
import { formatAddress, type Path } from '@mox/plugin-sdk/mail'
import {
  type MemorySnapshot,
  type MemoryStorage,
  memoryStorage,
} from '../../../plugin-sdk/src/testkit/memory-storage.ts'
import { createStages, type StageDeps, type Stages } from '../../src/stages.ts'
import { type TestClock, testClock } from './clock.ts'
import { type FakeHandlers, fakeHooks } from './hooks.ts'

export const HOSTNAME = 'mail.here.test'

export const CONFIG: Required<QueueConfig> = {
  concurrency: 100,
  concurrencyPerDomain: 5,
  retrySchedule: [450, 900, 1800, 3600, 7200, 14_400, 28_800],
  keepRetiredDays: 7,
  paused: false,
}

export function path(text: string): Path {
  const at = text.lastIndexOf('@')
  return { localpart: text.slice(0, at), domain: text.slice(at + 1) }
}

const member = (name: string): AccountResolution => ({
  ...{ kind: 'account', account: name, address: `${name}@here.test`, mailbox: 'Inbox' },
})

/**
 * here.test has ann, bob and cid, full (over quota), gone and away (refused at RCPT), list (ann, bob; public), team (ann, bob;
 * members only), "+" separates. off.test is disabled. Accounts may send as their own address, within `limits`.
 */
export function fakeDirectory(limits: WorldOptions['limits'] = {}): Directory {
  const domain = (name: string) => ({ name, disabled: name === 'off.test', separators: ['+'], caseSensitive: false })
  const ours = new Set(['here.test', 'off.test', HOSTNAME])
  const resolve = ({ localpart, domain: name }: Path): Resolution => {
    if (!ours.has(name)) return { kind: 'remote' }
    if (name === 'off.test') return { kind: 'disabled', domain: domain(name) }
    const [local = ''] = localpart.toLowerCase().split('+')
    if (['ann', 'bob', 'cid', 'full', 'full2'].includes(local)) return member(local)
    if (local === 'postmaster') return { ...member('ann'), address: 'postmaster@here.test' }
    if (local === 'gone') return { ...member('gone'), refuse: reply(550, '5.2.1', 'closed') }
    if (local === 'away') return { ...member('away'), refuse: reply(421, '4.2.1', 'not now') }
    const members = [member('ann'), member('bob')]
    if (local === 'list') {
      return { kind: 'alias', address: 'list@here.test', members, postPublic: true, allowMsgFrom: false }
    }
    if (local === 'team') {
      return { kind: 'alias', address: 'team@here.test', members, postPublic: false, allowMsgFrom: false }
    }
    return { kind: 'unknown', domain: domain(name) }
  }
  const fake: Partial<Directory> = {
    resolve: async given => resolve(given),
    account: async name => ({
      ...{ name, fullName: name, quota: 0, addresses: [] },
      ...{ maxOutgoingPerDay: 0, maxFirstTimeRecipientsPerDay: 0, maxQueued: 0, maxQueuedBytes: 0 },
      ...limits,
    }),
    domain: async name => (ours.has(name) ? domain(name) : undefined),
    maySendAs: async (account, given) => {
      const found = resolve(given)
      return found.kind === 'account' && found.account === account
    },
  }
  return fake as Directory
}

/** Files into a list as the unit of work commits; "full" and "full2" are over quota. */
export function fakeMailboxes(storage: () => MemoryStorage, filed: LocalDelivery[]): Mailboxes {
  const pending: LocalDelivery[] = []
  const fake: Partial<Mailboxes> = {
    deliver: async delivery => {
      storage().inUnit() || fail('delivery outside a unit of work')
      if (delivery.account === 'full') return { ok: false, reply: reply(452, '4.2.2', 'mailbox full') }
      if (delivery.account === 'full2') return { ok: false, reply: reply(550, '5.2.2', 'mailbox full') }
      const same = (one: LocalDelivery) => one.account === delivery.account && one.key === delivery.key
      if (filed.some(same)) return { ok: true, id: 1, duplicate: true }
      pending.push(delivery)
      await storage().content.retain(delivery.contentId)
      storage().afterCommit(() => filed.push(delivery))
      return { ok: true, id: pending.length, duplicate: false }
    },
  }
  return fake as Mailboxes
}

function fail(text: string): never {
  throw new Error(text)
}

const quiet: Log = {
  ...{ trace: () => {}, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  child: () => quiet,
}

export interface World {
  readonly clock: TestClock
  readonly storage: MemoryStorage
  readonly stages: Stages
  readonly deps: StageDeps
  readonly filed: LocalDelivery[]
  readonly errors: { text: string; fields: object }[]
  /** Batches that the "direct" transport got. */
  readonly sent: DeliveryBatch[]
  /** State after each commit. */
  readonly commits: { readonly snapshot: MemorySnapshot; readonly filed: readonly LocalDelivery[] }[]
  open(info?: Partial<SessionInfo>): Promise<ReceiveSession>
  /** Takes a message through a session; the replies to MAIL, each RCPT and the end of DATA. */
  send(message: SendOptions): Promise<SmtpReply[]>
}

export interface SendOptions {
  readonly account?: string
  readonly from: string
  readonly to: readonly string[]
  readonly content?: string
  readonly maxSize?: number
}

export interface WorldOptions {
  readonly handlers?: FakeHandlers
  readonly config?: Partial<QueueConfig>
  readonly from?: { readonly snapshot: MemorySnapshot; readonly filed: readonly LocalDelivery[] }
  readonly clock?: TestClock
  readonly transports?: readonly Transport[]
  /** Of every account. Default: none. */
  readonly limits?: Partial<AccountInfo>
  readonly metrics?: Metrics
  /** What the "direct" transport says. Default: delivered. */
  readonly direct?: (batch: DeliveryBatch, signal: AbortSignal) => Promise<DeliveryResult[]>
}

export const DELIVERED = { outcome: 'delivered', code: 250, enhanced: '2.0.0', text: 'ok' } as const
export const TEMPORARY = { outcome: 'temporary', code: 451, enhanced: '4.3.0', text: 'later' } as const
export const PERMANENT = { outcome: 'permanent', code: 550, enhanced: '5.1.1', text: 'nobody' } as const

/** The same result for every recipient. */
export const all =
  (result: Omit<DeliveryResult, 'id'>) =>
  async ({ jobs }: DeliveryBatch): Promise<DeliveryResult[]> =>
    jobs.map(({ id }) => ({ id, ...result }))

export function makeWorld(options: WorldOptions = {}): World {
  const clock = options.clock ?? testClock()
  const storage = memoryStorage({ clock, ...(options.from === undefined ? {} : { from: options.from.snapshot }) })
  const filed = [...(options.from?.filed ?? [])]
  const errors: World['errors'] = []
  const sent: DeliveryBatch[] = []
  const commits: World['commits'] = []
  storage.onCommit(snapshot => commits.push({ snapshot, filed: [...filed] }))
  let ids = 0
  const random: Random = {
    bytes: n => Buffer.alloc(n, 7),
    number: () => 0.5,
    id: () => `id${++ids}`,
  }
  const log: Log = { ...quiet, error: (fields, text) => errors.push({ text, fields }), child: () => log }
  const none = { inc: () => {}, set: () => {}, observe: () => {} }
  const metrics: Metrics = options.metrics ?? {
    ...{ counter: () => none, gauge: () => none, histogram: () => none, collect: () => {} },
    render: async () => '',
  }
  const direct: Transport = {
    name: 'direct',
    deliver: (batch, { signal }) => {
      sent.push(batch)
      return (options.direct ?? all(DELIVERED))(batch, signal)
    },
  }
  const deps: StageDeps = {
    ...{ hooks: fakeHooks(options.handlers ?? {}), clock, random, log, metrics, storage },
    directory: fakeDirectory(options.limits),
    mailboxes: fakeMailboxes(() => storage, filed),
    transports: [direct, ...(options.transports ?? [])],
    system: { hostname: HOSTNAME, dataDir: '/nowhere', version: '0' },
    config: { ...CONFIG, ...options.config },
  }
  const stages = createStages(deps)
  const open = async (info: Partial<SessionInfo> = {}) => {
    const kind = info.account === undefined ? 'delivery' : 'submission'
    const { session, reply: sentAway } = await stages.receiver.open(
      {
        ...{ id: 's1', kind, listener: 'test', hostname: HOSTNAME, localIp: '192.0.2.1', remoteIp: '198.51.100.7' },
        ...{ remotePort: 2525, connectedAt: clock.now(), helo: 'client.test', protocol: 'ESMTP' },
        ...info,
      },
      new AbortController().signal,
    )
    if (sentAway !== undefined) throw new Error(`sent away: ${sentAway.text}`)
    return session
  }
  const send = async ({ account, from, to, content = MESSAGE, maxSize = 1_000_000 }: SendOptions) => {
    const session = await open(account === undefined ? {} : { account, loginAddress: `${account}@here.test` })
    const replies = [await session.mail(from === '' ? null : path(from), {})]
    for (const one of to) replies.push(await session.rcpt({ path: path(one) }))
    const sink = session.data({ maxSize })
    await sink.write(Buffer.from(content))
    const finished = sink.finish()
    // The answer to unknown recipients comes late.
    await clock.advance(0)
    if (to.every(one => one.startsWith('nobody'))) await clock.advance(5_000)
    return [...replies, await finished]
  }
  return { clock, storage, stages, deps, filed, errors, sent, commits, open, send }
}

export const MESSAGE = `From: Ann <ann@here.test>\r\nTo: x@away.test\r\nSubject: hello\r\nMessage-ID: <1@here.test>\r\nDate: Mon, 5 Jan 2026 00:00:00 +0000\r\n\r\nhello\r\n`

/** "550 5.1.1" */
export const short = ({ code, enhanced }: SmtpReply): string => `${code} ${enhanced}`

/** Contents of all messages that are stored or filed, prefix included. */
export async function stored({ storage }: World, delivery: LocalDelivery): Promise<string> {
  return `${delivery.prefix}${await storage.content.read(delivery.contentId)}`
}

export const addressOf = ({ recipient }: { recipient: Path }): string => formatAddress(recipient)
