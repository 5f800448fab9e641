// Which handler runs right now: an AsyncLocalStorage tells, so that a call of the wrong kind throws at once with the
// handler's name instead of breaking a rule in silence.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { HookName } from '@mox/plugin-sdk'
import type { Sort } from './table.ts'

export interface CurrentHandler {
  readonly hook: HookName
  readonly plugin: string
  readonly sort: Sort
}

const current = new AsyncLocalStorage<CurrentHandler>()

export function currentHandler(): CurrentHandler | undefined {
  return current.getStore()
}

export function runAs<T>(handler: CurrentHandler, work: () => T): T {
  return current.run(handler, work)
}

/** Throws inside a handler that decides or shapes: those only read. */
export function assertMayWrite(what: string): void {
  const handler = current.getStore()
  if (handler === undefined || handler.sort === 'write' || handler.sort === 'react') return
  throw new Error(
    `${handler.plugin} calls ${what} inside ${handler.hook}, which only decides; write in onRetire.tx or in a react hook`,
  )
}
