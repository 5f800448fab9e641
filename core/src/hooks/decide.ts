// Decide hooks: every handler is asked in order, the strongest verdict wins, and only the top of the ladder ends early. A
// failed handler counts as its declared verdict; where that is `retry`, the call rejects unless somebody had an answer.
import { AsyncSeriesBailHook } from 'tapable'
import type { HookFailure } from './failure.ts'
import { callHandler, type GuardServices, type Tap, traceEntry } from './guard.ts'
import { isTop, NOTHING, type Ranked, ranked, stronger } from './merge.ts'
import type { HookEntry } from './table.ts'
import type { HookScope } from './types.ts'
import type { AnyVerdict } from './verdicts.ts'

export class DecideChain {
  readonly #services: GuardServices
  readonly #entry: HookEntry
  readonly #hook: AsyncSeriesBailHook<[Decision], true> = new AsyncSeriesBailHook(['decision'])

  /** `taps` in the order in which they are asked. */
  constructor(services: GuardServices, entry: HookEntry, taps: readonly Tap[]) {
    this.#services = services
    this.#entry = entry
    for (const tap of taps) this.#hook.tapAsync(tap.plugin, (decision, done) => decision.ask(tap, done))
  }

  decide(input: object, scope: HookScope): Promise<AnyVerdict> {
    return new Promise((resolve, reject) => {
      const decision = new Decision(this.#services, this.#entry, input, scope)
      this.#hook.callAsync(decision, error => {
        const failure = error ?? decision.failure
        if (failure === undefined) resolve(decision.verdict())
        else reject(failure)
      })
    })
  }
}

/** tapable's callback: an answer that is not undefined ends the hook. */
type Done = (error?: Error | null, ended?: true) => void

class Decision {
  readonly #services: GuardServices
  readonly #entry: HookEntry
  readonly #input: object
  readonly #scope: HookScope
  /** When all handlers together must be done; undefined without such a limit. */
  readonly #until: number | undefined
  #best: Ranked = NOTHING
  #retry: HookFailure | undefined
  #keywords: Set<string> | undefined

  constructor(services: GuardServices, entry: HookEntry, input: object, scope: HookScope) {
    this.#services = services
    this.#entry = entry
    this.#input = input
    this.#scope = scope
    this.#until = entry.totalMs === undefined ? undefined : services.clock.now() + entry.totalMs
  }

  ask(tap: Tap, done: Done): void {
    const scope = this.#scope
    if (tap.category !== undefined && !tap.mandatory && scope.exempted.has(tap.category)) {
      scope.trace.push(
        traceEntry(tap, scope, { kind: 'exempted', reason: `${tap.category} was exempted` }, undefined, 0),
      )
      done()
      return
    }
    const limitMs =
      this.#until === undefined ? tap.limitMs : Math.min(tap.limitMs, this.#until - this.#services.clock.now())
    callHandler(this.#services, tap, this.#input, scope, limitMs, (verdict, failure) => {
      if (verdict === undefined) this.#retry ??= failure
      else if (verdict.kind !== 'pass' && this.#add(verdict, tap.plugin)) return done(null, true)
      done()
    })
  }

  /** True when nothing can be stronger. */
  #add(verdict: AnyVerdict, plugin: string): boolean {
    const answer = ranked(this.#entry, verdict, plugin)
    this.#best = stronger(this.#best, answer)
    if (verdict.kind === 'exempt')
      for (const category of verdict['categories'] as string[]) this.#scope.exempted.add(category)
    if (verdict.kind === 'tag') {
      this.#keywords ??= new Set()
      for (const keyword of verdict['keywords'] as string[]) this.#keywords.add(keyword)
    }
    return isTop(this.#entry, answer.rank)
  }

  /** Set when somebody failed whose answer is needed, and nobody else had one. */
  get failure(): HookFailure | undefined {
    return this.#best.rank === 0 ? this.#retry : undefined
  }

  verdict(): AnyVerdict {
    const { verdict } = this.#best
    if (this.#keywords === undefined || verdict.kind === 'tag') return verdict
    return { ...verdict, keywords: [...this.#keywords].sort() }
  }
}
