// The services that plugins get with the rules of handlers on them: a decide or shape handler that writes, or one inside a
// transaction that waits for the network, throws at once. What core itself uses is not wrapped.
import {
  type Dns,
  dns,
  type QueueControl,
  queueControl,
  type Storage,
  type Submission,
  storage,
  submission,
} from '@mox/plugin-sdk'
import { assertMayWait, assertMayWrite } from '../hooks/running.ts'

type Checks = ReadonlyMap<PropertyKey, () => void>

/** What works in units of its own. */
const changing = (call: string) => (): void => {
  assertMayWait(call)
  assertMayWrite(call, true)
}

const CHANGES = [
  'hold',
  'release',
  'schedule',
  'postpone',
  'setTransport',
  'setRequireTls',
  'end',
] as const satisfies readonly (keyof QueueControl)[]

const GUARDS: ReadonlyMap<string, (service: unknown) => object> = new Map<string, (service: unknown) => object>([
  [
    storage.id,
    service => {
      const backend = service as Storage
      const writing = (method: string) => (): void => assertMayWrite(`storage.${method}`, backend.inUnit())
      return withChecks(
        backend,
        new Map(['write', 'afterCommit', 'claim', 'notify'].map(name => [name, writing(name)])),
      )
    },
  ],
  [submission.id, service => withChecks(service as Submission, new Map([['submit', changing('submission.submit')]]))],
  [
    queueControl.id,
    service =>
      withChecks(service as QueueControl, new Map(CHANGES.map(name => [name, changing(`queueControl.${name}`)]))),
  ],
  [dns.id, service => withChecks(service as Dns, new Map([['resolve', () => assertMayWait('dns.resolve')]]))],
])

/** The service as plugins get it. */
export function guardService(id: string, service: unknown): unknown {
  return service === undefined ? undefined : (GUARDS.get(id)?.(service) ?? service)
}

/** The same object, with a check before some of its methods. */
function withChecks<T extends object>(target: T, checks: Checks): T {
  const methods = new Map<PropertyKey, unknown>()
  return new Proxy(target, {
    get: (_, key) => {
      const made = methods.get(key)
      if (made !== undefined) return made
      const value: unknown = Reflect.get(target, key, target)
      // `db` is a function too, but one with properties, and another one in each unit of work.
      if (typeof value !== 'function' || key === 'db') return value
      const check = checks.get(key)
      const method = (...values: unknown[]): unknown => {
        check?.()
        return Reflect.apply(value, target, values)
      }
      methods.set(key, method)
      return method
    },
  })
}
