// Write hooks: each handler works in the open transaction, in a savepoint of its own. A failed one is undone and recorded in
// the trace, and the rest goes on, unless its failure is to be retried: that, and a failing database, end the hook.
import { AsyncSeriesHook } from 'tapable'
import type { HookFailure } from './failure.ts'
import { callHandler, type GuardServices, matters, type Tap } from './guard.ts'
import type { HookScope } from './types.ts'

export type Savepoint = (work: () => Promise<void>) => Promise<void>

export class WriteChain {
  readonly #services: GuardServices
  readonly #hook: AsyncSeriesHook<[object, HookScope, Savepoint]> = new AsyncSeriesHook(['input', 'scope', 'savepoint'])

  /** `taps` in the order in which they run. */
  constructor(services: GuardServices, taps: readonly Tap[]) {
    this.#services = services
    for (const tap of taps)
      this.#hook.tapAsync(tap.plugin, (input, scope, savepoint, done) => {
        this.#run(tap, input, scope, savepoint).then(() => done(), done)
      })
  }

  write(input: object, scope: HookScope, savepoint: Savepoint): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#hook.callAsync(input, scope, savepoint, error => (error ? reject(error) : resolve()))
    })
  }

  async #run(tap: Tap, input: object, scope: HookScope, savepoint: Savepoint): Promise<void> {
    if (!matters(tap, input, scope.facts)) return
    let failed: HookFailure | undefined
    const work = (): Promise<void> =>
      new Promise((resolve, reject) => {
        callHandler(this.#services, tap, input, scope, tap.limitMs, (_, failure) => {
          failed = failure
          if (failure === undefined) resolve()
          else reject(failure)
        })
      })
    try {
      await savepoint(work)
    } catch (error) {
      if (error !== failed || tap.onError === 'retry') throw error
    }
  }
}
