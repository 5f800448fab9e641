// React hooks: one subscriber's handler runs once. Repeating it is the outbox's work; it gets the failure as a rejection,
// unless the failure was declared to count as done.
import { callHandler, type GuardServices, type Tap } from './guard.ts'
import type { HookScope } from './types.ts'

export class ReactChain {
  readonly subscribers: readonly string[]
  readonly #services: GuardServices
  readonly #taps: ReadonlyMap<string, Tap>

  constructor(services: GuardServices, taps: readonly Tap[]) {
    this.#services = services
    this.#taps = new Map(taps.map(tap => [tap.plugin, tap]))
    this.subscribers = Object.freeze([...this.#taps.keys()])
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
