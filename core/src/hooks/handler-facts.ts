// The facts as one handler sees them: it reads all and sets those that it declared, while it runs. A wrong set() throws and
// names the handler.
import type { Facts, FactToken } from '@mox/plugin-sdk'
import { jsonProblem } from './json.ts'
import { HandlerRuleError, type RunningHandler } from './running.ts'
import type { FactStore } from './types.ts'

/** Characters of a persisted fact as JSON. */
export const FACT_LENGTH = 65_536

export class HandlerFacts implements Facts {
  readonly #handler: RunningHandler
  readonly #provides: ReadonlySet<string>
  readonly #store: FactStore

  constructor(handler: RunningHandler, provides: ReadonlySet<string>, store: FactStore) {
    this.#handler = handler
    this.#provides = provides
    this.#store = store
  }

  get<T>(fact: FactToken<T>): T | undefined {
    return this.#store.get(fact)
  }

  set<T>(fact: FactToken<T>, value: T): void {
    const problem = this.#problem(fact, value)
    const { entry, plugin } = this.#handler
    if (problem !== undefined)
      throw new HandlerRuleError(`${entry.name} of ${plugin} may not set the fact "${fact.id}": ${problem}`)
    this.#store.set(fact, value)
  }

  #problem(fact: FactToken<unknown>, value: unknown): string | undefined {
    if (!this.#provides.has(fact.id)) return 'it does not list it in provides'
    if (this.#handler.state !== 'running') return 'it has already answered'
    if (!fact.persist) return undefined
    const loss = jsonProblem(value, FACT_LENGTH)
    return loss === undefined ? undefined : `it is stored as JSON, but the value ${loss}`
  }
}
