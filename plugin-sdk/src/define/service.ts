// Service tokens: how plugins reach what others offer without importing them. Tokens compare by id, so two copies of
// the SDK in one process still mean the same service.

/** `one`: exactly one provider may exist. `many`: any number, handed over as an array in plugin order. */
export type Arity = 'one' | 'many'

/** Names a service and carries its type; compared by `id`. */
export interface ServiceToken<T, A extends Arity = Arity> {
  readonly id: string
  readonly arity: A
  readonly optional?: boolean
  /** Carries the type; never present at run time. */
  readonly type?: T
}

/** Defines a service. `id` carries the version of its contract: `storage@1`. */
export function defineService<T, const A extends Arity = 'one'>(id: string, arity?: A): ServiceToken<T, A> {
  return { id, arity: (arity ?? 'one') as A }
}

/** What a plugin gets for a token it needs. */
export type ServiceOf<S> =
  S extends OptionalToken<infer T>
    ? T | undefined
    : S extends ServiceToken<infer T, infer A>
      ? A extends 'many'
        ? readonly T[]
        : T
      : never

/** What `optional()` makes: the service may be missing. */
export interface OptionalToken<T> extends ServiceToken<T, 'one'> {
  readonly optional: true
}

/** In `needs`: take the service if somebody provides it. */
export function optional<T>(token: ServiceToken<T, 'one'>): OptionalToken<T> {
  return { id: token.id, arity: 'one', optional: true }
}

/** Tokens under the names that the plugin uses for them. */
export type Needs = Readonly<Record<string, ServiceToken<unknown>>>
/** What setup() gets for its `needs`. */
export type ServicesOf<N extends Needs> = { readonly [K in keyof N]: ServiceOf<N[K]> }

/** What a provider hands over for a token: for `many`, its own one or several. */
export type ProvidedOf<S> = S extends ServiceToken<infer T, infer A> ? (A extends 'many' ? T | readonly T[] : T) : never
/** What setup() returns for its `provides`. */
export type ProvidesOf<P extends Needs> = { readonly [K in keyof P]: ProvidedOf<P[K]> }
