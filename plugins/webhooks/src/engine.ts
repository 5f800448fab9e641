// All lanes together: who has something to do, at the start, when events were added, and when operators change something. A slow or
// dead endpoint is one lane; the others go on beside it.
import type { Log, Storage, Worker } from '@mox/plugin-sdk'
import { LANES } from './compose.ts'
import { Lane, type LaneServices } from './lane.ts'
import { CALL, type CallRow } from './schema.ts'

export interface EngineServices extends Omit<LaneServices, 'abandon'> {
  readonly storage: Storage
  readonly log: Log
}

/** Calls ended in one unit of work. */
const ABANDON_BATCH = 500

export class Engine implements Worker {
  readonly name = 'webhooks'
  readonly #services: LaneServices
  readonly #lanes = new Map<string, Lane>()
  #unsubscribe: (() => void) | undefined
  #started = false

  constructor(services: EngineServices) {
    this.#services = { ...services, abandon: (lane, why) => this.#abandon(lane, why) }
  }

  async start(): Promise<void> {
    const { storage, calls } = this.#services
    if (!storage.capabilities.crossProcess) await calls.releaseAll()
    this.#unsubscribe = storage.subscribe(LANES, lane => this.wake(String(lane)))
    this.#started = true
    await this.wakeAll()
  }

  wake(name: string): void {
    if (!this.#started) return
    let lane = this.#lanes.get(name)
    if (lane === undefined) {
      lane = new Lane(name, this.#services)
      this.#lanes.set(name, lane)
    }
    lane.wake()
  }

  async wakeAll(): Promise<void> {
    for (const name of await this.#services.calls.lanes()) this.wake(name)
  }

  /** A clock that is moved on waits: a call under way would run into its timeout, and be made again. */
  busy(): boolean {
    return [...this.#lanes.values()].some(lane => lane.busy)
  }

  /** Resolves when no lane has anything to do now. */
  async idle(): Promise<void> {
    while (this.busy()) await Promise.all([...this.#lanes.values()].map(lane => lane.idle()))
  }

  /** Takes nothing new; resolves when all calls under way are over and recorded, or `signal` aborts. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#started = false
    this.#unsubscribe?.()
    const drained = Promise.all([...this.#lanes.values()].map(lane => lane.drain()))
    if (signal.aborted) return
    const { promise: aborted, resolve } = Promise.withResolvers<void>()
    const abort = (): void => resolve()
    signal.addEventListener('abort', abort)
    await Promise.race([drained, aborted])
    signal.removeEventListener('abort', abort)
  }

  /** Aborts calls under way; they count as failed attempts. */
  async stop(): Promise<void> {
    this.#started = false
    this.#unsubscribe?.()
    await Promise.all([...this.#lanes.values()].map(lane => lane.stop()))
    this.#lanes.clear()
  }

  async #abandon(lane: string, why: string): Promise<void> {
    const { storage, calls, log } = this.#services
    let ended = 0
    for (;;) {
      const rows: Pick<CallRow, 'id'>[] = await storage
        .db<CallRow>(CALL)
        .select('id')
        .where({ lane })
        .whereNull('ended_at')
        .limit(ABANDON_BATCH)
      if (rows.length === 0) break
      ended += await storage.write(() =>
        calls.end(
          rows.map(({ id }) => id),
          why,
        ),
      )
    }
    if (ended > 0) log.warn({ lane, calls: ended, why }, 'webhook calls were given up')
  }
}
