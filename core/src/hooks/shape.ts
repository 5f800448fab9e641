// Shape hooks: each handler sees the draft as the ones before it left it and returns changes, or a verdict about the draft.
// The strongest verdict wins; its top ends the hook. A failure that is retried makes the call reject.
import { AsyncSeriesWaterfallHook } from 'tapable'
import { callHandler, type GuardServices, type Tap } from './guard.ts'
import { isTop, NOTHING, type Ranked, ranked, stronger } from './merge.ts'
import type { HookEntry } from './table.ts'
import type { HookScope } from './types.ts'
import type { AnyVerdict } from './verdicts.ts'

type Draft = Readonly<Record<string, unknown>>

export interface Shaped {
  readonly draft: Draft
  readonly verdict: AnyVerdict
}

export class ShapeChain {
  readonly #services: GuardServices
  readonly #entry: HookEntry
  readonly #hook: AsyncSeriesWaterfallHook<[Draft, Shaping]> = new AsyncSeriesWaterfallHook(['draft', 'shaping'])

  /** `taps` in the order in which they are asked. */
  constructor(services: GuardServices, entry: HookEntry, taps: readonly Tap[]) {
    this.#services = services
    this.#entry = entry
    for (const tap of taps) this.#hook.tapAsync(tap.plugin, (draft, shaping, done) => shaping.ask(tap, draft, done))
  }

  shape(input: { readonly draft: object }, scope: HookScope): Promise<Shaped> {
    return new Promise((resolve, reject) => {
      const shaping = new Shaping(this.#services, this.#entry, input, scope)
      this.#hook.callAsync(Object.freeze({ ...input.draft }), shaping, (error, draft) => {
        if (error || draft === undefined) reject(error ?? new Error(`${this.#entry.name} lost its draft`))
        else resolve({ draft, verdict: shaping.best.verdict })
      })
    })
  }
}

type Done = (error?: Error | null, draft?: Draft) => void

class Shaping {
  best: Ranked = NOTHING
  readonly #services: GuardServices
  readonly #entry: HookEntry
  readonly #input: object
  readonly #scope: HookScope

  constructor(services: GuardServices, entry: HookEntry, input: object, scope: HookScope) {
    this.#services = services
    this.#entry = entry
    this.#input = input
    this.#scope = scope
  }

  ask(tap: Tap, draft: Draft, done: Done): void {
    if (isTop(this.#entry, this.best.rank)) {
      done(null, draft)
      return
    }
    callHandler(this.#services, tap, { ...this.#input, draft }, this.#scope, tap.limitMs, (verdict, failure) => {
      if (verdict === undefined) return done(failure)
      if (verdict.kind === 'patch') return done(null, Object.freeze({ ...draft, ...(verdict['changes'] as Draft) }))
      if (verdict.kind !== 'pass') {
        this.best = stronger(this.best, ranked(this.#entry, verdict, tap.plugin))
      }
      done(null, draft)
    })
  }
}
