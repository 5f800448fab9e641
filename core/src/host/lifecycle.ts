// Starting and stopping plugins. When one fails to start, those before it are stopped again and the error names it. Stopping
// goes in reverse, each plugin within a bound, so that one that hangs cannot keep the others from closing.
import { type Log, type Needs, type Setup, type Storage, UsageError } from '@mox/plugin-sdk'
import type { Instance } from './services.ts'

/** Milliseconds for one plugin's stop(). */
export const STOP_LIMIT = 10_000

type Part = Instance & { readonly setup: Setup<Needs> }

export class Lifecycle {
  readonly #parts: readonly Part[]
  readonly #storage: () => Storage | undefined
  readonly #log: Log
  #started: Part[] = []

  /** `parts` in dependency order. */
  constructor(parts: readonly Part[], storage: () => Storage | undefined, log: Log) {
    this.#parts = parts
    this.#storage = storage
    this.#log = log
  }

  async start(): Promise<void> {
    for (const part of this.#parts) {
      try {
        if (part.setup.migrations !== undefined) await this.#migrate(part)
        this.#started.push(part)
        await part.setup.start?.()
      } catch (error) {
        await this.stop()
        throw named(part.name, 'start', error)
      }
    }
  }

  async #migrate(part: Part): Promise<void> {
    const storage = this.#storage()
    if (storage === undefined)
      throw new UsageError(
        `${part.name} has tables but no plugin provides storage@1; add @mox/plugin-storage-sqlite to plugins`,
      )
    await storage.migrate(part.name.split('/')[0]!, part.setup.migrations ?? [])
  }

  /** On failure nothing is left listening: the caller stops the host. */
  async listen(): Promise<void> {
    for (const part of this.#started) {
      try {
        await part.setup.listen?.()
      } catch (error) {
        throw named(part.name, 'listen', error)
      }
    }
  }

  async drain(signal: AbortSignal): Promise<void> {
    await Promise.all(
      this.#started.map(async part => {
        try {
          await part.setup.drain?.(signal)
        } catch (error) {
          this.#log.error({ err: error, plugin: part.name }, 'a plugin failed to drain')
        }
      }),
    )
  }

  async stop(): Promise<void> {
    const parts = this.#started.reverse()
    this.#started = []
    for (const part of parts) {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`stop() took longer than ${STOP_LIMIT} ms`)), STOP_LIMIT)
      })
      try {
        await Promise.race([part.setup.stop?.(), late])
      } catch (error) {
        this.#log.error({ err: error, plugin: part.name }, 'a plugin failed to stop')
      } finally {
        clearTimeout(timer)
      }
    }
  }
}

function named(plugin: string, step: string, error: unknown): UsageError {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof UsageError)
    return new UsageError(message.startsWith(plugin) ? message : `${plugin}: ${message}`, { cause: error })
  return new UsageError(`the plugin ${plugin} failed to ${step}: ${message}`, { cause: error })
}
