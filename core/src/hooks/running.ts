// Which handler the running code belongs to, and what it may not do there: a decide or shape handler does not write, and
// nothing that runs inside a transaction waits for the network. A call of the wrong kind throws at once and names the handler.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { HookEntry } from './table.ts'

export interface RunningHandler {
  readonly entry: HookEntry
  readonly plugin: string
  /** `ended` once it has answered; `late` once its deadline has passed without an answer. */
  readonly state: 'running' | 'ended' | 'late'
}

const storage = new AsyncLocalStorage<RunningHandler>()

/** Runs `work` as part of the handler, with everything that it starts. */
export function runAs<T>(handler: RunningHandler, work: (input: object) => T, input: object): T {
  return storage.run(handler, work, input)
}

/** The handler that the running code belongs to; undefined outside, and for what goes on after the handler has answered. */
export function currentHandler(): RunningHandler | undefined {
  const handler = storage.getStore()
  return handler === undefined || handler.state === 'ended' ? undefined : handler
}

/** A handler did what handlers of its sort may not do. */
export class HandlerRuleError extends Error {
  override readonly name = 'HandlerRuleError'
}

/** Throws inside a decide or shape handler, and inside a write handler when `inUnit` is false. `call` is what was called. */
export function assertMayWrite(call: string, inUnit: boolean): void {
  const handler = currentHandler()
  if (handler === undefined) return
  const { sort, name } = handler.entry
  if (sort === 'decide' || sort === 'shape')
    throw broken(
      handler,
      call,
      `a ${sort} handler only reads; write in onReceive.done, onRetire.tx or another later hook`,
    )
  if (sort === 'write' && handler.state === 'late')
    throw broken(handler, call, 'its time is over and its changes were undone')
  if (sort === 'write' && !inUnit) throw broken(handler, call, `${name} uses the open transaction and starts no other`)
}

/** Throws inside handlers that run in a transaction. */
export function assertMayWait(call: string): void {
  const handler = currentHandler()
  if (handler?.entry.inTransaction)
    throw broken(
      handler,
      call,
      'it runs inside a transaction; do it after the commit, in onRetire.done or onReceive.done',
    )
}

function broken({ plugin, entry }: RunningHandler, call: string, rule: string): HandlerRuleError {
  return new HandlerRuleError(`${entry.name} of ${plugin} may not call ${call}: ${rule}`)
}
