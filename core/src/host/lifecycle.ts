// Starting and stopping plugins. When one fails to start or to listen, those that were started are stopped again and the error
// names it. Stopping goes in reverse, each plugin within a bound, so that one that hangs keeps no other from closing.
import { type Clock, type Log, type Needs, type Setup, type Storage, UsageError } from '@mox/plugin-sdk'
import type { Instance } from './instances.ts'

/** Milliseconds for one plugin's stop(). */
export const STOP_LIMIT_MS = 10_000
/** Milliseconds after which a step of the start is named in the log: it may take long, but nobody should have to guess. */
export const SLOW_STEP_MS = 10_000

export interface Part extends Instance {
  readonly setup: Setup<Needs>
}

export interface LifecycleServices {
  readonly clock: Clock
  readonly log: Log
  /** Where tables are; undefined when nobody provides it. */
  readonly storage: () => Storage | undefined
}

export class Lifecycle {
  readonly #parts: readonly Part[]
  readonly #firsts: ReadonlySet<Part>
  readonly #services: LifecycleServices
  #started: Part[] = []
  #begun = false

  /** `parts` in dependency order; `firsts`: those that storage needs to be there, and storage itself. */
  constructor(parts: readonly Part[], firsts: ReadonlySet<Part>, services: LifecycleServices) {
    this.#parts = parts
    this.#firsts = firsts
    this.#services = services
  }

  /** Storage, then everybody's migrations, then the rest. */
  async start(): Promise<void> {
    if (this.#begun) throw new Error('the host was started before')
    this.#begun = true
    await this.#each(
      this.#parts.filter(part => this.#firsts.has(part)),
      part => this.#start(part),
      'start',
    )
    await this.#each(this.#parts, part => this.#migrate(part), 'prepare its tables')
    await this.#each(
      this.#parts.filter(part => !this.#firsts.has(part)),
      part => this.#start(part),
      'start',
    )
  }

  async listen(): Promise<void> {
    await this.#each(this.#started, async part => part.setup.listen?.(), 'listen')
  }

  /** Resolves when all are done or `signal` aborts. Never rejects. */
  async drain(signal: AbortSignal): Promise<void> {
    const aborted = new Promise<void>(resolve => {
      if (signal.aborted) resolve()
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    const drained = this.#started.map(async ({ name, setup }) => {
      try {
        await setup.drain?.(signal)
      } catch (error) {
        this.#services.log.error({ plugin: name, err: error }, 'plugin failed to drain')
      }
    })
    await Promise.race([Promise.all(drained), aborted])
  }

  /** Never rejects; a second call does nothing. */
  async stop(): Promise<void> {
    const parts = this.#started.splice(0).reverse()
    for (const { name, setup } of parts) {
      try {
        await this.#inTime(async () => setup.stop?.())
      } catch (error) {
        this.#services.log.error({ plugin: name, err: error }, 'plugin failed to stop')
      }
    }
  }

  async #each(parts: readonly Part[], step: (part: Part) => Promise<void>, what: string): Promise<void> {
    for (const part of parts) {
      const cancel = this.#services.clock.after(SLOW_STEP_MS, () =>
        this.#services.log.warn({ plugin: part.name }, `plugin takes long to ${what}`),
      )
      try {
        await step(part)
      } catch (error) {
        await this.stop()
        throw named(part.name, what, error)
      } finally {
        cancel()
      }
    }
  }

  async #start(part: Part): Promise<void> {
    await part.setup.start?.()
    this.#started.push(part)
  }

  /** Instances of one plugin share its tables. */
  async #migrate({ plugin, setup }: Part): Promise<void> {
    if (setup.migrations === undefined) return
    const storage = this.#services.storage()
    if (storage === undefined)
      throw new UsageError(
        'it has tables, but nobody provides storage@1; add storageSqlite() from @mox/plugin-storage-sqlite to plugins',
      )
    await storage.migrate(plugin.name, setup.migrations)
  }

  #inTime(work: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.#services.clock.after(STOP_LIMIT_MS, () =>
        reject(new Error(`took longer than ${STOP_LIMIT_MS} ms`)),
      )
      work().then(resolve, reject).finally(cancel)
    })
  }
}

/** A mistake of the operator stays one. */
function named(name: string, what: string, error: unknown): Error {
  const text = error instanceof Error ? error.message : String(error)
  if (error instanceof UsageError)
    return text.startsWith(`${name}:`) ? error : new UsageError(`${name}: ${text}`, { cause: error })
  return new Error(`${name} failed to ${what}: ${text}`, { cause: error })
}
