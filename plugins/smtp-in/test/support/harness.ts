// One listener with fakes behind it, on a free port of 127.0.0.1.
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { Certificates, Clock, Directory, Log, Metrics, Random } from '@mox/plugin-sdk'
import type { Shared } from '../../src/context.ts'
import { smtpMetrics } from '../../src/metrics.ts'
import { ConnectionLimits } from '../../src/networks.ts'
import { type Options, options } from '../../src/options.ts'
import { Server } from '../../src/server.ts'
import { Watchdog } from '../../src/watchdog.ts'
import { VirtualClock } from './clock.ts'
import { FakeDirectory, FakeReceiver } from './fakes.ts'

const fixture = (name: string): Buffer => readFileSync(new URL(`../fixtures/${name}`, import.meta.url))

export function makeContext(noTickets: boolean) {
  const SSL_OP_NO_TICKET = 0x4000
  return createSecureContext({
    minVersion: 'TLSv1.2',
    key: fixture('key.pem'),
    cert: fixture('cert.pem'),
    ...(noTickets ? { secureOptions: SSL_OP_NO_TICKET } : {}),
  })
}

export class FakeCertificates implements Certificates {
  readonly asked: (string | undefined)[] = []
  readonly #with = makeContext(false)
  readonly #without = makeContext(true)

  context(name: string | undefined, wanted?: { readonly tickets?: boolean }) {
    this.asked.push(name)
    return wanted?.tickets === false ? this.#without : this.#with
  }

  describe() {
    return []
  }
}

export interface LogLine {
  readonly level: string
  readonly text: string
  readonly fields: Record<string, unknown>
}

export function fakeLog(lines: LogLine[]): Log {
  const at = (level: string) => (fields: object, text: string) =>
    void lines.push({ level, text, fields: { ...fields } })
  const log: Log = {
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => log,
  }
  return log
}

/** Counts by "name{label,…}". */
export function fakeMetrics(counts: Map<string, number>): Metrics {
  const key = (name: string, labels: object = {}): string =>
    `${name}{${Object.entries(labels)
      .map(([k, v]) => `${k}=${v}`)
      .join(',')}}`
  const add = (name: string, labels?: object, by: number = 1): void =>
    void counts.set(key(name, labels), (counts.get(key(name, labels)) ?? 0) + by)
  return {
    counter: name => ({ inc: (labels, by) => add(name, labels, by) }),
    gauge: name => ({ set: (value, labels) => void counts.set(key(name, labels), value) }),
    histogram: name => ({ observe: (_value, labels) => add(name, labels) }),
    collect: () => {},
    render: async () => '',
  }
}

export function fakeRandom(): Random {
  let n = 0
  return { bytes: size => Buffer.alloc(size, ++n), number: () => 0.5, id: () => `id${++n}` }
}

export interface Setup {
  readonly listener?: Partial<Options['listeners'][string]>
  readonly options?: Partial<Record<keyof Options, unknown>>
  readonly clock?: Clock
  readonly certificates?: boolean
}

export class Harness {
  readonly clock = new VirtualClock()
  readonly receiver = new FakeReceiver()
  readonly directory = new FakeDirectory()
  readonly certificates = new FakeCertificates()
  readonly lines: LogLine[] = []
  readonly counts = new Map<string, number>()
  readonly server: Server
  port = 0

  private constructor(setup: Setup) {
    const parsed = options.parse({
      listeners: { test: { ip: '127.0.0.1', port: 0, kind: 'delivery', tls: 'none', ...setup.listener } },
      ...setup.options,
    })
    const clock = setup.clock ?? this.clock
    const shared: Shared = {
      services: {
        receiver: this.receiver,
        directory: this.directory as unknown as Directory,
        certificates: this.certificates,
        clock,
        random: fakeRandom(),
        log: fakeLog(this.lines),
      },
      metrics: smtpMetrics(fakeMetrics(this.counts)),
      watchdog: new Watchdog(clock),
      connections: new ConnectionLimits(parsed.limits),
      limits: parsed.limits,
      allowPlainAuth: parsed.allowPlainAuth,
      earlyTalkerMs: parsed.earlyTalkerMs,
    }
    const { kind, tls, maxMessageSize, hostname } = parsed.listeners['test']!
    this.server = new Server({
      ...shared,
      name: 'test',
      kind,
      tls,
      maxMessageSize,
      hostname: hostname ?? 'mail.example',
    })
  }

  static async start(setup: Setup = {}): Promise<Harness> {
    const harness = new Harness(setup)
    harness.port = (await harness.server.bind('127.0.0.1', 0)).port
    return harness
  }

  stop(): void {
    this.server.stop()
  }

  [Symbol.dispose](): void {
    this.stop()
  }
}
