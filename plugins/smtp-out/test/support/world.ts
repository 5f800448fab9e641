// Transports with everything around them faked, and results as one line each.
import type {
  DeliveryBatch,
  DeliveryResult,
  DestinationPolicies,
  Dns,
  Job,
  MessageInfo,
  Transport,
} from '@mox/plugin-sdk'
import {
  type CollectingLog,
  collectingLog,
  type DnsRow,
  type FakeDns,
  fakeDns,
  sampleJob,
  samplePath,
  seededRandom,
  VirtualClock,
} from '@mox/plugin-sdk/testkit'
import { makeExchange } from '../../src/connect/exchange.ts'
import { Pool } from '../../src/connect/pool.ts'
import { BrokenTls } from '../../src/direct/broken-tls.ts'
import { egressGuard } from '../../src/direct/networks.ts'
import { type DirectDeps, directTransport } from '../../src/direct/transport.ts'
import { type OutMetrics, outMetrics } from '../../src/metrics.ts'
import { type RelayDeps, relayTransport } from '../../src/relay.ts'
import { type FakeServers, fakeServers } from './servers.ts'

export interface World {
  readonly clock: VirtualClock
  readonly dns: FakeDns
  readonly servers: FakeServers
  readonly pool: Pool
  readonly log: CollectingLog
  readonly metrics: OutMetrics
  /** "mox_queue_connection_total ok" → times. */
  readonly counts: Map<string, number>
  direct(overrides?: Partial<DirectDeps>): Transport
  relay(overrides?: Partial<RelayDeps>): Transport
}

export function countingMetrics(): { metrics: OutMetrics; counts: Map<string, number> } {
  const counts = new Map<string, number>()
  const counter = (name: string) => ({
    inc: (labels: Readonly<Record<string, string>> = {}) => {
      const key = [name, ...Object.values(labels)].join(' ')
      counts.set(key, (counts.get(key) ?? 0) + 1)
    },
  })
  const none = { set: () => {}, observe: () => {} }
  return {
    metrics: outMetrics({
      counter,
      gauge: () => none,
      histogram: () => none,
      collect: () => {},
      render: async () => '',
    }),
    counts,
  }
}

export function makeWorld(rows: readonly DnsRow[], policies: readonly DestinationPolicies[] = []): World {
  const clock = new VirtualClock()
  const dns = fakeDns(rows)
  const servers = fakeServers()
  const pool = new Pool(clock)
  const log = collectingLog()
  const { metrics, counts } = countingMetrics()
  const exchange = makeExchange({ clock, connect: servers.connect, pool, metrics })
  const shared = { clock, dns: dns as Dns, exchange, metrics, dial: servers.dial, ehlo: 'mail.example.org' }
  return {
    ...{ clock, dns, servers, pool, log, metrics, counts },
    direct: overrides =>
      directTransport({
        ...shared,
        ...{ name: 'direct', port: 25, families: { ipv4: true, ipv6: true }, random: seededRandom(), policies },
        ...{ guard: egressGuard([], []), ownNames: new Set(['mail.example.org']), brokenTls: new BrokenTls(clock) },
        ...overrides,
      }),
    relay: overrides =>
      relayTransport({
        ...shared,
        ...{ name: 'smarthost', host: 'relay.example', port: 465, credentials: () => undefined },
        ...{ tls: { mode: 'implicit', verify: true } },
        ...overrides,
      }),
  }
}

export interface BatchOptions extends Partial<MessageInfo> {
  /** Addresses, or whole jobs. Default bob@example.net. */
  readonly to?: readonly (string | Partial<Job>)[]
  /** Default 1. */
  readonly attempt?: number
  readonly requireTls?: boolean
}

export function makeBatch({
  to = ['bob@example.net'],
  attempt = 1,
  requireTls,
  ...info
}: BatchOptions = {}): DeliveryBatch {
  const [first, ...rest] = to.map((one, i) => {
    const given: Partial<Job> = typeof one === 'string' ? { recipient: samplePath(one) } : one
    return sampleJob({
      id: i + 1,
      attempts: attempt,
      ...info,
      ...(requireTls === undefined ? {} : { requireTls }),
      ...given,
    })
  })
  if (first === undefined) throw new Error('a batch needs a recipient')
  return {
    jobs: [first, ...rest],
    message: first,
    ...{ attempt, prefix: Buffer.alloc(0), contentId: 1 },
    open: async function* () {
      yield Buffer.from('Subject: hello\r\n\r\nHello.\r\n')
    },
  }
}

export async function run(
  world: World,
  transport: Transport,
  batch: DeliveryBatch,
  signal: AbortSignal = new AbortController().signal,
): Promise<readonly DeliveryResult[]> {
  const results = await transport.deliver(batch, { signal, log: world.log })
  return [...results].sort((a, b) => a.id - b.id)
}

/** "1 permanent 550 5.1.1 rcpt mx1.example.net 192.0.2.1"; a place that is not known is "-". */
export function brief({
  id,
  outcome,
  code,
  enhanced,
  stage,
  remoteHost = '-',
  remoteIp = '-',
}: DeliveryResult): string {
  return [id, outcome, code, enhanced || '-', stage, remoteHost, remoteIp].join(' ')
}
