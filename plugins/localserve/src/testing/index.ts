// @mox/plugin-localserve/testing: a mail server for the tests of an application. Works in every test runner: it starts a process,
// talks HTTP to it, and waits for what the server tells.
import { LocalserveClient } from './client.ts'
import type { HttpOptions } from './http.ts'
import { type ListenerName, type StartOptions, startProcess } from './process.ts'

export type * from '../api-types.ts'
export type { ScenarioInput } from '../scenario/schema.ts'
export type { WaitOptions } from './changes.ts'
export { type Inbox, LocalserveClient } from './client.ts'
export type { EventFilter, MessageFilter } from './filter.ts'
export type { HttpOptions } from './http.ts'
export { type Draft, linksOf } from './message.ts'
export type { ListenerName, StartOptions } from './process.ts'

/** How to log in for submission. */
export interface Login {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
}

export interface Localserve extends LocalserveClient, AsyncDisposable {
  readonly host: string
  readonly ports: Readonly<Record<ListenerName, number>>
  /** Port 587 of the server, STARTTLS optional. */
  readonly submission: Login
  /** Its directory, with mox.config.ts and scenarios/. */
  readonly dir: string
  /** Stops it and removes its directory. */
  close(): Promise<void>
}

const HOST = '127.0.0.1'

/** A server of its own on free ports, empty. `await using` closes it at the end of the block. */
export async function startLocalserve(options: StartOptions = {}): Promise<Localserve> {
  const { dir, ports, close } = await startProcess(options)
  const client = new LocalserveClient({ url: `http://${HOST}:${ports.http}` })
  const submission = { host: HOST, port: ports.submission, user: 'mox@localhost', password: 'moxmoxmox' }
  return Object.assign(client, { host: HOST, ports, submission, dir, close, [Symbol.asyncDispose]: close })
}

/** A server that runs already: one started by hand, or once for all test files. */
export function connectLocalserve(options: HttpOptions): LocalserveClient {
  return new LocalserveClient(options)
}
