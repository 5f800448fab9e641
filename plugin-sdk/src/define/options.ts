// A plugin's options: anything with parse(input) — our own parser, zod, any Standard Schema — checked before anything
// starts. Failure stops the start and names the plugin, the option, the value and the fix.

/** The part of the Standard Schema interface that we use (standardschema.dev). */
export interface StandardSchema<Input, Output> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
      }[]
    }

/** parse() returns the checked options or throws an error whose message names the option and the fix. */
export interface OptionsParser<Output> {
  parse(input: unknown): Output
}

export type OptionsSchema<Input, Output> = StandardSchema<Input, Output> | OptionsParser<Output>

/** What the user writes / what setup receives. */
export type InputOf<S> =
  S extends StandardSchema<infer I, unknown> ? I : S extends OptionsParser<infer O> ? Partial<O> : undefined
export type OutputOf<S> =
  S extends StandardSchema<unknown, infer O> ? O : S extends OptionsParser<infer O> ? O : undefined
