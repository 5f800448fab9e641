// notify and subscribe within one process. A listener runs in the context in which it subscribed, after the commit of what
// it is told about; its failure is logged and reaches nobody else.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Log } from '@mox/plugin-sdk'
import type { SqlEngine } from './engine.ts'

export class Channels {
  readonly #engine: SqlEngine
  readonly #log: Log
  readonly #listeners = new Map<string, Set<(payload: unknown) => void>>()

  constructor(engine: SqlEngine, log: Log) {
    this.#engine = engine
    this.#log = log
  }

  notify(channel: string, payload: unknown): void {
    this.#engine.afterUnit(committed => {
      if (!committed) return
      for (const listener of this.#listeners.get(channel) ?? []) listener(payload)
    })
  }

  subscribe(channel: string, listener: (payload: unknown) => void): () => void {
    const inContext = AsyncLocalStorage.snapshot()
    const call = (payload: unknown): void =>
      queueMicrotask(() =>
        inContext(() => {
          if (!this.#listeners.get(channel)?.has(call)) return
          try {
            listener(payload)
          } catch (error) {
            this.#log.error({ err: error, channel }, 'listener failed')
          }
        }),
      )
    const listeners = this.#listeners.get(channel) ?? new Set()
    this.#listeners.set(channel, listeners.add(call))
    return () => {
      listeners.delete(call)
      if (listeners.size === 0) this.#listeners.delete(channel)
    }
  }
}
