// React hooks: one subscriber's handler runs once. Repeating it is the outbox's work; it gets the failure as a rejection,
// unless the failure was declared to count as done.
import type { Facts } from '@mox/plugin-sdk'
import { callHandler, type GuardServices, matters, type Tap } from './guard.ts'
import type { HookScope } from './types.ts'

export class ReactChain {
  readonly #subscribers: readonly string[]
  readonly #services: GuardServices
  readonly #taps: ReadonlyMap<string, Tap>

  constructor(services: GuardServices, taps: readonly Tap[]) {
    this.#services = services
    this.#taps = new Map(taps.map(tap => [tap.plugin, tap]))
    this.#subscribers = Object.freeze([...this.#taps.keys()])
  }

  /** Those that the event matters to; all without one. */
  interested(event: { readonly input: object; readonly facts: Facts } | undefined): readonly string[] {
    if (event === undefined) return this.#subscribers
    const taps = [...this.#taps.values()]
    if (taps.every(tap => tap.when === undefined)) return this.#subscribers
    return taps.filter(tap => matters(tap, event.input, event.facts)).map(({ plugin }) => plugin)
  }

  react(
    hook: string,
    subscriber: string,
    input: object,
    scope: HookScope & { readonly eventId: string },
  ): Promise<void> {
    const tap = this.#taps.get(subscriber)
    if (tap === undefined) return Promise.reject(new Error(`${hook} has no handler of ${subscriber}`))
    const { eventId } = scope
    return new Promise((resolve, reject) => {
      callHandler(this.#services, tap, { ...input, eventId }, scope, tap.limitMs, (verdict, failure) => {
        if (verdict === undefined) reject(failure)
        else resolve()
      })
    })
  }
}
