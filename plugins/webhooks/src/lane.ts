// The calls of one endpoint. Ordered lanes post one at a time and stop at the first that fails, until it is due again or over;
// others post what is due, several at a time. A lane claims in portions that grow while all goes well, and the results of one
// portion are written with the claim of the next. A failing storage makes it wait and try again with the same results.
import type { Log } from '@mox/plugin-sdk'
import type { Egress } from '@mox/plugin-sdk/io'
import { Poster } from '@mox/plugin-sdk/io'
import { type Finished, type Taken, type TakenCall, TURN_SIZES } from './calls.ts'
import type { Endpoint } from './registry.ts'
import { backoff, GONE, type SendServices, send } from './send.ts'
import type { Slots } from './slots.ts'

/** Milliseconds after which a portion is given back, as far as it has not been posted. */
export const PORTION_MS = 5_000
/** A portion, the one call that may still run then, and room to write it down. */
export const LEASE_MS = 180_000
/** Milliseconds that connections stay open when there is nothing to do. */
export const IDLE_MS = 5_000
const STORAGE_WAIT_MS = 60_000
/** Milliseconds after which a lane that waits looks again, since leases of other processes may end unnoticed. */
const LOOK_MS = 3_600_000

export interface LaneServices extends SendServices {
  readonly log: Log
  readonly egress: Egress
  readonly slots: Slots
  /** Undefined for one that is gone or disabled: `why`. */
  readonly endpoint: (lane: string) => Endpoint | { readonly why: string }
  /** Inside a unit of work: the receiver said that it is gone. */
  readonly disable: (lane: string, reason: string) => Promise<void>
  /** Ends all that waits in a lane. */
  readonly abandon: (lane: string, why: string) => Promise<void>
}

export class Lane {
  readonly name: string
  readonly #services: LaneServices
  readonly #abort = new AbortController()
  #running: Promise<void> | undefined
  #again = false
  #stopped = false
  #poster: { readonly poster: Poster; readonly concurrency: number } | undefined
  #cancel: (() => void) | undefined
  /** Results that are not written yet. */
  #finished: Finished[] = []

  constructor(name: string, services: LaneServices) {
    this.name = name
    this.#services = services
  }

  get busy(): boolean {
    return this.#running !== undefined
  }

  /** Looks for calls now. */
  wake(): void {
    if (this.#stopped) return
    this.#again = true
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      if (this.#again) this.wake()
    })
  }

  /** Takes nothing new; resolves when what runs has ended and is written down. */
  async drain(): Promise<void> {
    this.#stopped = true
    this.#cancel?.()
    await this.#running
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await this.drain()
    this.#closePoster()
  }

  idle(): Promise<void> {
    return this.#running ?? Promise.resolve()
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false
      this.#cancel?.()
      try {
        const next = await this.#work()
        this.#sleep(next)
      } catch (error) {
        this.#services.log.error({ err: error, lane: this.name }, 'webhook calls could not be read or recorded')
        this.#sleep(this.#services.clock.now() + STORAGE_WAIT_MS)
      }
    }
  }

  /** Until `next`; connections close sooner. */
  #sleep(next: number | undefined): void {
    if (this.#stopped) return
    const { clock } = this.#services
    const now = clock.now()
    const wait = next === undefined ? Number.POSITIVE_INFINITY : Math.max(next - now, 0)
    this.#cancel = clock.after(Math.min(wait, IDLE_MS), () => {
      if (wait <= IDLE_MS) return this.wake()
      this.#closePoster()
      this.#cancel =
        next === undefined ? undefined : clock.after(Math.min(next - clock.now(), LOOK_MS), () => this.wake())
    })
  }

  #closePoster(): void {
    this.#poster?.poster.close()
    this.#poster = undefined
  }

  /** Posts what is due; resolves with the time when there is more. */
  async #work(): Promise<number | undefined> {
    let step = 0
    for (;;) {
      const endpoint = this.#services.endpoint(this.name)
      if ('why' in endpoint) {
        if (this.#finished.length > 0) await this.#turn(undefined, 0)
        await this.#services.abandon(this.name, endpoint.why)
        return undefined
      }
      const { calls, next } = await this.#turn(this.#stopped ? undefined : endpoint, step)
      if (calls.length === 0) return next
      const { finished, error } = await this.#post(endpoint, calls)
      this.#finished = finished
      if (error !== undefined) throw error
      const well = finished.every(({ outcome }) => outcome.kind === 'ended' && outcome.success)
      step = well ? Math.min(step + 1, TURN_SIZES.length - 1) : 0
    }
  }

  /** Writes results and takes the next calls. */
  async #turn(endpoint: Endpoint | undefined, step: number): Promise<Taken> {
    const { storage, calls, clock, random, retrySchedule, disable } = this.#services
    const finished = this.#finished
    const options = endpoint && {
      ...{ lane: this.name, size: TURN_SIZES[step] ?? 1, ordered: endpoint.concurrency === 1, leaseMs: LEASE_MS },
      dueAfter: (attempt: number) => clock.now() + (backoff(retrySchedule, attempt, random) ?? LEASE_MS),
    }
    const gone = finished.some(({ outcome }) => outcome.kind === 'ended' && outcome.result?.code === GONE)
    const taken = await storage.write(async () => {
      if (gone) await disable(this.name, 'HTTP status 410')
      return await calls.turn(finished, gone ? undefined : options)
    })
    this.#finished = []
    if (gone) this.#again = true
    return taken
  }

  /** `error`: of a storage that fails; calls that it kept from being posted count as not sent. */
  async #post(
    endpoint: Endpoint,
    calls: readonly TakenCall[],
  ): Promise<{ readonly finished: Finished[]; readonly error?: unknown }> {
    const { clock, slots } = this.#services
    const poster = this.#posterFor(endpoint)
    const ordered = endpoint.concurrency === 1
    const until = clock.now() + PORTION_MS
    const finished = new Map<number, Finished>()
    let broken = false
    let at = 0
    const worker = async (): Promise<void> => {
      while (at < calls.length && !broken && !this.#stopped && clock.now() <= until) {
        const call = calls[at++]!
        const outcome = await slots.use(() => send(this.#services, endpoint, poster, call, this.#abort.signal))
        finished.set(call.id, { call, outcome })
        if (ordered && outcome.kind === 'retry') broken = true
      }
    }
    const results = await Promise.allSettled(Array.from({ length: endpoint.concurrency }, worker))
    const failed = results.find(one => one.status === 'rejected')
    return {
      finished: calls.map(call => finished.get(call.id) ?? { call, outcome: { kind: 'unsent' } }),
      ...(failed === undefined ? {} : { error: failed.reason ?? new Error('storage failed') }),
    }
  }

  #posterFor({ concurrency }: Endpoint): Poster {
    if (this.#poster?.concurrency !== concurrency) {
      this.#closePoster()
      this.#poster = { poster: new Poster(this.#services, concurrency), concurrency }
    }
    return this.#poster.poster
  }
}
