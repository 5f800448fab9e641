// Facts: typed values that one handler establishes and later handlers read, ordered by `provides` and `uses`.

/** Names a fact and carries its type; compared by `id`. */
export interface FactToken<T> {
  readonly id: string
  /** Stored with the message and there again in later hooks; the value must then survive JSON. */
  readonly persist: boolean
  readonly type?: T
}

/** Defines a fact: `defineFact<AuthResults>('auth', { persist: true })`. */
export function defineFact<T>(id: string, options: { persist?: boolean } = {}): FactToken<T> {
  return { id, persist: options.persist ?? false }
}

/** The facts of one message. Handlers read; only a handler that lists the fact in `provides` may set it. */
export interface Facts {
  get<T>(fact: FactToken<T>): T | undefined
  set<T>(fact: FactToken<T>, value: T): void
}
