// When due recipients are tried: woken by new ones, by a timer for the next due time, by a finished attempt and by an
// operator. Bounded in total and per recipient domain. After a storage error it waits; leases bring back what was claimed.
import type { JobGroup, Metrics } from '@mox/plugin-sdk'
import { deliverGroup } from '../deliver/group.ts'
import type { LocalTransport } from '../deliver/local.ts'
import type { StageDeps } from '../stages.ts'

/** Milliseconds that a claimed recipient is nobody else's, unless renewed. */
export const LEASE_MS = 5 * 60_000
/** Groups in one claim: in a queue of a million it takes some milliseconds, in which nothing else is written. */
export const CLAIM_GROUPS = 50
/** Milliseconds between renewals while an attempt runs. */
export const RENEW_MS = 2 * 60_000
/** Milliseconds without claims after a storage error. */
export const STORAGE_WAIT_MS = 60_000
/** Shortest time between two looks that only the timer asks for, while places for what is due are taken. */
export const SHORTEST_WAIT_MS = 1_000
/** Domains remembered whose mail stays on this machine. */
export const HERE_DOMAINS = 10_000
/** Milliseconds that stop() waits for aborted attempts. */
export const STOP_GRACE_MS = 5_000

interface Running {
  readonly domain: string
  readonly ids: readonly number[]
  readonly done: Promise<void>
}

export class Scheduler {
  readonly #deps: StageDeps
  readonly #local: LocalTransport
  readonly #running = new Set<Running>()
  readonly #places = new Map<string, number>()
  readonly #ids = new Set<number>()
  /** Domains whose last delivery ended on this machine: the limit per domain spares other servers, not us. */
  readonly #here = new Set<string>()
  readonly #stop = new AbortController()
  readonly #gauges: Readonly<Record<'length' | 'held', ReturnType<Metrics['gauge']>>>
  #state: 'idle' | 'started' | 'draining' = 'idle'
  #paused = false
  #waitUntil = 0
  #looking: Promise<void> | undefined
  #again = false
  #cancelTimer: (() => void) | undefined
  #unsubscribe: (() => void) | undefined

  constructor(deps: StageDeps, local: LocalTransport) {
    this.#deps = deps
    this.#local = local
    // Here, so that the reference, which starts nothing, has them.
    this.#gauges = {
      length: deps.metrics.gauge('mox_queue_length', 'Recipients in the queue, held ones included.'),
      held: deps.metrics.gauge('mox_queue_hold', 'Recipients on hold.'),
    }
  }

  async start(): Promise<void> {
    const { storage, config, metrics } = this.#deps
    this.#paused = config.paused
    await storage.write(() => storage.queue.releaseAll())
    const { length, held } = this.#gauges
    metrics.collect(async () => {
      length.set(await storage.queue.count({}))
      held.set(await storage.queue.count({ hold: true }))
    })
    this.#unsubscribe = storage.subscribe('queue', () => this.kick())
    this.#state = 'started'
    this.kick()
  }

  kick(): void {
    if (this.#state !== 'started' || this.#paused) return
    if (this.#looking !== undefined) this.#again = true
    else {
      this.#looking = this.#lookUntilQuiet().finally(() => {
        this.#looking = undefined
      })
    }
  }

  pause(): void {
    this.#paused = true
    this.#cancelTimer?.()
  }

  resume(): void {
    this.#paused = false
    this.kick()
  }

  status(): { readonly paused: boolean; readonly running: number; readonly domains: number } {
    return { paused: this.#paused, running: this.#running.size, domains: this.#places.size }
  }

  /** Whether it looks for due recipients, or tries some that are not in `waiting`. */
  busy(waiting: ReadonlySet<number>): boolean {
    return this.#looking !== undefined || [...this.#running].some(({ ids }) => !ids.some(id => waiting.has(id)))
  }

  async #lookUntilQuiet(): Promise<void> {
    do {
      this.#again = false
      await this.#look()
    } while (this.#again && this.#state === 'started' && !this.#paused)
  }

  async #look(): Promise<void> {
    const { storage, clock, config, log } = this.#deps
    const now = clock.now()
    if (now < this.#waitUntil) return this.#wake(this.#waitUntil - now)
    try {
      const limit = Math.min(config.concurrency - this.#running.size, CLAIM_GROUPS)
      if (limit > 0) {
        const places = (domain: string) =>
          (this.#here.has(domain) ? config.concurrency : config.concurrencyPerDomain) - (this.#places.get(domain) ?? 0)
        const groups = await storage.write(() => storage.queue.claim({ now, leaseMs: LEASE_MS, limit, places }))
        for (const group of groups) this.#launch(group)
        if (groups.length === CLAIM_GROUPS) this.#again = true
      }
      const due = await storage.queue.nextDue()
      // A lease of another process may end unnoticed: look again after a lease's time at the latest.
      const wait = due === undefined ? LEASE_MS : Math.max(due - clock.now(), SHORTEST_WAIT_MS)
      this.#wake(Math.min(wait, LEASE_MS))
    } catch (error) {
      log.error({ err: error }, 'queue could not be read')
      this.#waitUntil = clock.now() + STORAGE_WAIT_MS
      this.#wake(STORAGE_WAIT_MS)
    }
  }

  #wake(ms: number): void {
    this.#cancelTimer?.()
    if (this.#state === 'started' && !this.#paused) this.#cancelTimer = this.#deps.clock.after(ms, () => this.kick())
  }

  #launch(claimed: JobGroup): void {
    // An operator who makes a running recipient due ends its lease, but not its attempt.
    const [first, ...rest] = claimed.filter(({ id }) => !this.#ids.has(id))
    if (first === undefined) return
    const group: JobGroup = [first, ...rest]
    const domain = first.recipientDomain
    const ids = group.map(({ id }) => id)
    this.#places.set(domain, (this.#places.get(domain) ?? 0) + 1)
    for (const id of ids) this.#ids.add(id)
    const running: Running = {
      ...{ domain, ids },
      done: this.#run(group, ids).finally(() => {
        this.#running.delete(running)
        const left = (this.#places.get(domain) ?? 1) - 1
        if (left > 0) this.#places.set(domain, left)
        else this.#places.delete(domain)
        for (const id of ids) this.#ids.delete(id)
        this.kick()
      }),
    }
    this.#running.add(running)
  }

  async #run(group: JobGroup, ids: readonly number[]): Promise<void> {
    const { clock, storage, log } = this.#deps
    let cancelRenewal = () => {}
    const renewLater = () => {
      cancelRenewal = clock.after(RENEW_MS, () => {
        const until = clock.now() + LEASE_MS
        storage
          .write(() => storage.queue.renew(ids, until))
          .catch(error => log.error({ err: error }, 'lease not renewed'))
        renewLater()
      })
    }
    renewLater()
    try {
      const here = await deliverGroup(this.#deps, this.#local, group, this.#stop.signal)
      if (!here) this.#here.delete(group[0].recipientDomain)
      else if (this.#here.size < HERE_DOMAINS) this.#here.add(group[0].recipientDomain)
    } catch (error) {
      // Storage failed, and may fail for these alone: they come back when their lease ends.
      log.error({ err: error, queueIds: ids }, 'delivery could not be carried out')
    } finally {
      cancelRenewal()
    }
  }

  /** Starts nothing new; resolves when nothing runs any more or `signal` aborts. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#state = 'draining'
    this.#unsubscribe?.()
    this.#cancelTimer?.()
    const { promise: aborted, resolve } = Promise.withResolvers<void>()
    if (signal.aborted) return
    const abort = () => resolve()
    signal.addEventListener('abort', abort)
    await Promise.race([this.#quiet(), aborted])
    signal.removeEventListener('abort', abort)
  }

  /** Aborts what runs and waits a little for it. */
  async stop(): Promise<void> {
    await this.drain(AbortSignal.abort())
    this.#stop.abort(new Error('the server is stopping'))
    const { promise: enough, resolve } = Promise.withResolvers<void>()
    const cancel = this.#deps.clock.after(STOP_GRACE_MS, resolve)
    await Promise.race([this.#quiet(), enough])
    cancel()
  }

  async #quiet(): Promise<void> {
    await this.#looking
    await Promise.all([...this.#running].map(({ done }) => done))
  }
}
