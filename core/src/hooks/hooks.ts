// The hooks as the stages call them. A hook without handlers answers at once, with one promise shared by all calls.
import type { HookInput, HookName } from '@mox/plugin-sdk'
import { DecideChain } from './decide.ts'
import type { GuardServices, Tap } from './guard.ts'
import { ReactChain } from './react.ts'
import { ShapeChain } from './shape.ts'
import { entryOf } from './table.ts'
import type { Decision, Hooks } from './types.ts'
import { PASS } from './verdicts.ts'
import { WriteChain } from './write.ts'

const NOBODY: Promise<unknown> = Promise.resolve(PASS)
const DONE: Promise<void> = Promise.resolve()

/** `taps`: the handlers of each hook, in the order in which they are called. */
export function createHooks(services: GuardServices, taps: ReadonlyMap<HookName, readonly Tap[]>): Hooks {
  const decide = new Map<string, DecideChain>()
  const shape = new Map<string, ShapeChain>()
  const write = new Map<string, WriteChain>()
  const react = new Map<string, ReactChain>()
  for (const [hook, list] of taps) {
    if (list.length === 0) continue
    const entry = entryOf(hook)
    if (entry.sort === 'decide') decide.set(hook, new DecideChain(services, entry, list))
    else if (entry.sort === 'shape') shape.set(hook, new ShapeChain(services, entry, list))
    else if (entry.sort === 'write') write.set(hook, new WriteChain(services, list))
    else react.set(hook, new ReactChain(services, list))
  }
  return {
    has: hook => decide.has(hook) || shape.has(hook) || write.has(hook) || react.has(hook),
    decide: (hook, input, scope) =>
      (decide.get(hook)?.decide(input, scope) ?? NOBODY) as Promise<Decision<typeof hook>>,
    shape: (hook, input, scope) => {
      type Result = { draft: HookInput<typeof hook>['draft']; verdict: Decision<typeof hook> }
      const chain = shape.get(hook)
      const result: Promise<unknown> =
        chain?.shape(input, scope) ?? Promise.resolve({ draft: input.draft, verdict: PASS })
      return result as Promise<Result>
    },
    write: (hook, input, scope, savepoint) => write.get(hook)?.write(input, scope, savepoint) ?? DONE,
    subscribers: (hook, event) => react.get(hook)?.interested(event) ?? [],
    react: (hook, subscriber, input, scope) => {
      const chain = react.get(hook)
      if (chain === undefined) return Promise.reject(new Error(`${hook} has no handler of ${subscriber}`))
      return chain.react(hook, subscriber, Object(input) as object, scope)
    },
  }
}
