// What a scripted server does to a whole delivery: a message to bob and carol at example.com goes through the real queue, the
// real smtp-out and the real dsn plugin, on a clock that is moved from one attempt to the next until nobody is left.
import { dsn } from '@mox/plugin-dsn'
import {
  type Attempt,
  definePlugin,
  dns,
  type FinalStatus,
  mailboxes,
  queueControl,
  type Retired,
} from '@mox/plugin-sdk'
import { fakeDns, turns } from '@mox/plugin-sdk/testkit'
import { smtpOut } from '@mox/plugin-smtp-out'
import { parseReport } from '../../plugins/dsn/src/parse/report.ts'
import { type Behaviour, Peer } from '../../plugins/smtp-out/test/support/peer.ts'
import { type Mailflow, mailflow } from '../kit/mailflow.ts'

/** Milliseconds by which the clock moves while the server keeps silent. */
const STEP_MS = 1_000
/** Milliseconds after the last recipient: more than the dsn plugin waits for others of the same message. */
const AFTER_MS = 2 * 60_000
/** Turns of the event loop between two steps, in which another connection can be made. */
const TURNS = 10
/** Milliseconds of real time after which a delivery is stuck. */
const PATIENCE_MS = 30_000
/** Looks at the queue after which the clock moves on by a step, when something is due and nothing has begun. */
const LOOKS = [5, 200]

/** What the sender was told of a recipient. */
export interface Told {
  readonly action: string
  readonly status: string
  readonly code: number
  /** The part that people read. */
  readonly text: string
}

export interface Fate {
  readonly address: string
  readonly status: FinalStatus
  readonly attempts: readonly Attempt[]
  readonly told: readonly Told[]
}

export interface Outcome {
  /** By recipient, in the order of the message. */
  readonly fates: readonly Fate[]
  readonly peer: Peer
  /** Output of `mox message explain`. */
  readonly story: string
}

export async function deliver(server: Behaviour, to: readonly string[]): Promise<Outcome> {
  await using peer = await Peer.listen(server)
  const names = fakeDns([
    ['example.com', 'MX', { preference: 10, exchange: 'mx.example.com' }],
    ['mx.example.com', 'A', '127.0.0.1'],
  ])
  const dnsFake = definePlugin({ name: 'dns-fake', provides: { dns }, setup: () => ({ services: { dns: names } }) })
  const out = smtpOut({ port: peer.port, allowNetworks: ['127.0.0.0/8'] })
  const flow = await mailflow([dnsFake(), out, dsn()], { ownTransport: true, inMemory: true })
  try {
    const ids = await flow.submit({ to })
    await drive(flow, peer)
    const retired = await Promise.all(ids.map(id => flow.storage.history.get(id)))
    const told = await reports(flow)
    const fates = retired.map((one, i) => fateOf(one, to[i] ?? '', told))
    return { fates, peer, story: await flow.text(`message explain ${retired[0]?.messageId}`) }
  } finally {
    await flow.close()
  }
}

/** Until the queue is empty and the sender knows it. */
async function drive(flow: Mailflow, peer: Peer): Promise<void> {
  const { clock, storage } = flow
  let waited = 0
  /** Number of the connection on which the server keeps silent: time passes until there is another, or the attempt ends. */
  let silent = 0
  peer.onStall = () => {
    silent = peer.connections
  }
  await eventually(async () => {
    if (flow.service(queueControl).status().running > 0) {
      if (silent !== peer.connections) return false
      await clock.advance(STEP_MS)
      await turns(TURNS)
      return false
    }
    silent = 0
    const due = await storage.queue.nextDue()
    if (due === undefined) return true
    // Due and not claimed: the scheduler is about to, or waits for its next look, which the clock must bring.
    waited = due > clock.now() ? 0 : waited + 1
    if (due > clock.now()) await clock.advance(due - clock.now())
    else if (LOOKS.includes(waited)) await clock.advance(STEP_MS)
    return false
  })
  if ((await flow.jobs()).length > 0) throw new Error('recipients are on hold')
  await clock.advance(AFTER_MS)
  await eventually(async () => (await storage.db('dsn_pending').select('*')).length === 0)
}

/** Sockets and storage take real time, which the clock does not tell. */
async function eventually(done: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + PATIENCE_MS
  while (!(await done())) {
    if (performance.now() > until) throw new Error('the delivery does not come to an end')
    await new Promise(resolve => setImmediate(resolve))
  }
}

/** The DSNs in alice's mailbox, oldest first, by recipient. */
async function reports(flow: Mailflow): Promise<Map<string, Told[]>> {
  const service = flow.service(mailboxes)
  const store = await service.store('alice')
  const found = new Map<string, Told[]>()
  for (const mailbox of await store.mailboxes())
    for (const { id } of await store.messages(mailbox.id, { limit: 100 })) {
      const chunks: Buffer[] = []
      for await (const chunk of await service.open(id)) chunks.push(chunk)
      const message = Buffer.concat(chunks)
      for (const { finalRecipient, action, status, code } of parseReport(message).recipients) {
        const told = { action, status, code, text: firstPart(message.toString()) }
        found.set(finalRecipient, [...(found.get(finalRecipient) ?? []), told])
      }
    }
  return found
}

/** With all white space as one space: lines are broken where they are long. */
function firstPart(message: string): string {
  const [, part = ''] = message.split(/^--.*\r\n/m, 2)
  return part.replaceAll(/=\r\n/g, '').replaceAll(/\s+/g, ' ')
}

function fateOf(retired: Retired | undefined, address: string, told: ReadonlyMap<string, readonly Told[]>): Fate {
  if (retired === undefined) throw new Error(`${address} is not in the history`)
  return { address, status: retired.status, attempts: retired.results, told: told.get(address) ?? [] }
}
