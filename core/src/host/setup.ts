// Runs one plugin's setup: synchronous, without I/O, with the services it asked for. What it throws, and what it returns that
// nobody would call, stops the start.
import { didYouMean, type Log, log as logToken, type Needs, type Setup, UsageError } from '@mox/plugin-sdk'
import { HOOKS } from '../hooks/table.ts'
import { guardService } from './guarded.ts'
import type { Instance } from './instances.ts'
import type { Services } from './services.ts'

const STEPS = ['start', 'listen', 'drain', 'stop']
const OTHERS = ['services', 'migrations']

/** `options` have been checked. The plugin's services are added to `services`. */
export function setUp({ name, plugin }: Instance, options: unknown, services: Services, log: Log): Setup<Needs> {
  const { spec } = plugin
  const given = Object.entries(spec.needs ?? {}).map(([key, token]): [string, unknown] => {
    if (token.id === logToken.id) return [key, log.child({ plugin: name })]
    return [key, token.arity === 'one' ? guardService(token.id, services.get(token)) : services.get(token)]
  })
  const input = { name, options, services: Object.freeze(Object.fromEntries(given)) }
  let setup: Setup<Needs>
  try {
    setup = spec.setup(input as Parameters<typeof spec.setup>[0])
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    if (error instanceof UsageError && text.startsWith(`${name}:`)) throw error
    if (error instanceof UsageError) throw new UsageError(`${name}: ${text}`, { cause: error })
    throw new Error(`${name}: setup failed: ${text}`, { cause: error })
  }
  check(name, setup)
  services.provide(name, spec.provides, setup.services)
  return setup
}

function check(name: string, setup: unknown): asserts setup is Setup<Needs> {
  if (typeof (setup as { then?: unknown } | null)?.then === 'function') {
    // It runs on: what becomes of it must not end the process.
    Promise.resolve(setup).catch(() => {})
    throw new UsageError(`${name}: setup returns a promise; setup is synchronous, and start() opens things`)
  }
  if (typeof setup !== 'object' || setup === null)
    throw new UsageError(`${name}: setup returns no object; return the handlers, as in { beforeDeliver: … }`)
  for (const [key, value] of Object.entries(setup)) {
    const known = HOOKS.has(key) || STEPS.includes(key) || OTHERS.includes(key)
    if (!known)
      throw new UsageError(
        `${name}: setup returns "${key}", which is no hook${didYouMean(key, [...HOOKS.keys(), ...STEPS, ...OTHERS])}`,
      )
    if (STEPS.includes(key) && value !== undefined && typeof value !== 'function')
      throw new UsageError(`${name}: ${key} is no function`)
  }
}
