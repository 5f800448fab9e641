// A real plugin host for tests of plugins: virtual clock, seeded randomness, a log that keeps its lines, storage in memory,
// DNS from rows. Needs @mox/core as a development dependency; says so when it is missing.
import type { MoxConfig } from '../define/config.ts'
import type { ServiceOf, ServiceToken } from '../define/service.ts'
import type { HookInput, HookName, HookVerdict } from '../hooks/handler.ts'
import { UsageError } from '../model/reply.ts'
import type { TraceEntry } from '../model/trace.ts'
import {
  clock,
  type Log,
  log,
  metrics,
  type Random,
  random,
  SECRET_NAME,
  type Secrets,
  secrets,
  system,
} from '../services/base.ts'
import { dns } from '../services/network.ts'
import { storage } from '../services/storage.ts'
import { VirtualClock } from './clock.ts'
import { type FakeDns, fakeDns } from './dns.ts'
import { type CollectingLog, collectingLog } from './log.ts'
import { type MemoryStorage, memoryStorage } from './memory-storage.ts'
import { seededRandom } from './random.ts'

type Core = typeof import('@mox/core')
type Decide = Parameters<ReturnType<Core['createHost']>['hooks']['decide']>[0]
type Shape = Parameters<ReturnType<Core['createHost']>['hooks']['shape']>[0]
type Write = Parameters<ReturnType<Core['createHost']>['hooks']['write']>[0]
type React = Parameters<ReturnType<Core['createHost']>['hooks']['react']>[0]
type Answer<H extends HookName> = Exclude<HookVerdict<H>, undefined>

export interface TestHostOptions extends Pick<MoxConfig, 'plugins' | 'hooks'> {
  /** More services, or others than the fakes: `[[directory, myDirectory]]`. */
  readonly services?: readonly (readonly [token: ServiceToken<unknown>, implementation: unknown])[]
  /** Where the clock starts, milliseconds since the epoch. */
  readonly now?: number
  /** Our name. Default "mail.example.net". */
  readonly hostname?: string
}

/** One host with one message on its way: what handlers set and say adds up until newMessage(). */
export interface TestHost {
  readonly clock: VirtualClock
  readonly log: CollectingLog
  readonly random: Random
  readonly storage: MemoryStorage
  readonly dns: FakeDns
  readonly secrets: Map<string, string>
  /** What the handlers said about this message. */
  readonly trace: readonly TraceEntry[]
  /** The strongest verdict of all handlers. */
  decide<H extends Decide>(hook: H, input: HookInput<H>): Promise<Answer<H>>
  /** The draft with all changes, and the strongest verdict beside them. */
  shape<H extends Shape>(hook: H, input: HookInput<H>): Promise<{ draft: HookInput<H>['draft']; verdict: Answer<H> }>
  /** Runs the handlers in one unit of work; look into `trace` for failures. */
  write<H extends Write>(hook: H, input: HookInput<H>): Promise<void>
  /** Runs every subscriber once; rejects with the first failure. `eventId` stays the same to try a repetition. */
  react<H extends React>(hook: H, input: HookInput<H>, eventId?: string): Promise<void>
  /** The peer goes away: handlers that run are aborted. */
  abort(): void
  /** Forgets facts, trace and exemptions. */
  newMessage(): void
  service<S extends ServiceToken<unknown>>(token: S): ServiceOf<S>
  /** Binds the plugins' listeners. */
  listen(): Promise<void>
  /** Moves the clock by `ms`, running the timers that are due. */
  advance(ms: number): Promise<void>
  /** Drains and stops the plugins. */
  close(): Promise<void>
}

/** Sets up and starts the plugins. Rejects with the same errors that an operator would see. */
export async function testHost(options: TestHostOptions): Promise<TestHost> {
  const core = await loadCore()
  const virtual = new VirtualClock(options.now)
  const lines = collectingLog()
  const seeded = seededRandom()
  const memory = memoryStorage({ clock: virtual })
  const zone = fakeDns()
  const known = new Map<string, string>()
  const hostname = options.hostname ?? 'mail.example.net'
  const given = new Map<string, unknown>([
    [clock.id, virtual],
    [random.id, seeded],
    [log.id, lines satisfies Log],
    [metrics.id, core.createMetrics()],
    [secrets.id, fakeSecrets(known, seeded)],
    [system.id, { hostname, dataDir: '/nowhere', version: '0.0.0' }],
    [storage.id, memory],
    [dns.id, zone],
  ])
  for (const plugin of options.plugins)
    if (plugin) for (const token of Object.values(plugin.spec.provides ?? {})) given.delete(token.id)
  for (const [token, implementation] of options.services ?? []) given.set(token.id, implementation)
  const host = core.createHost({ config: options, builtins: given, stopwatch: () => virtual.now() })

  let gone = new AbortController()
  let scope = core.newScope(gone.signal)
  await host.start()
  return {
    ...{ clock: virtual, log: lines, random: seeded, storage: memory, dns: zone, secrets: known },
    get trace() {
      return scope.trace
    },
    decide: (hook, input) => host.hooks.decide(hook, input, scope),
    shape: (hook, input) => host.hooks.shape(hook, input, scope),
    write: (hook, input) =>
      host
        .service(storage)
        .write(() => host.hooks.write(hook, input, scope, work => host.service(storage).write(work))),
    react: async (hook, input, eventId = 'event-1') => {
      for (const subscriber of host.hooks.subscribers(hook))
        await host.hooks.react(hook, subscriber, input, { ...scope, eventId })
    },
    abort: () => gone.abort(),
    newMessage: () => {
      gone = new AbortController()
      scope = core.newScope(gone.signal)
    },
    service: token => host.service(token),
    listen: () => host.listen(),
    advance: ms => virtual.advance(ms),
    close: async () => {
      await host.drain(AbortSignal.abort())
      await host.stop()
    },
  }
}

async function loadCore(): Promise<Core> {
  try {
    return await import('@mox/core')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new UsageError('testHost runs plugins in the real host; install it: npm install --save-dev @mox/core', {
      cause: error,
    })
  }
}

function fakeSecrets(known: Map<string, string>, source: Random): Secrets {
  return {
    get: async name => {
      if (!SECRET_NAME.test(name)) throw new UsageError(`"${name}" is no name for a secret`)
      const value = known.get(name)
      if (value === undefined) throw new UsageError(`the secret ${name} is not set`)
      return value
    },
    generate: async (name, bytes) => {
      const value = known.get(name) ?? source.bytes(bytes).toString('base64url')
      known.set(name, value)
      return value
    },
  }
}
