// The facts of one message. A transaction starts with what the session's own hooks established (`parent`); values of
// persisted facts are stored with the message and come back by id.
import type { FactToken } from '@mox/plugin-sdk'
import type { FactStore } from '../hooks/types.ts'

export class MessageFacts implements FactStore {
  readonly #values: Map<string, unknown>
  readonly #persisted: Set<string>

  constructor(parent?: MessageFacts) {
    this.#values = new Map(parent === undefined ? [] : parent.#values)
    this.#persisted = new Set(parent === undefined ? [] : parent.#persisted)
  }

  /** The facts stored with a message. */
  static restored(stored: Readonly<Record<string, unknown>>): MessageFacts {
    const facts = new MessageFacts()
    for (const [id, value] of Object.entries(stored)) {
      facts.#values.set(id, value)
      facts.#persisted.add(id)
    }
    return facts
  }

  get<T>(fact: FactToken<T>): T | undefined {
    return this.#values.get(fact.id) as T | undefined
  }

  set<T>(fact: FactToken<T>, value: T): void {
    this.#values.set(fact.id, value)
    if (fact.persist) this.#persisted.add(fact.id)
  }

  has(fact: FactToken<unknown>): boolean {
    return this.#values.has(fact.id)
  }

  persisted(): Record<string, unknown> {
    const out: Record<string, unknown> = Object.create(null)
    for (const id of this.#persisted) out[id] = this.#values.get(id)
    return { ...out }
  }
}
