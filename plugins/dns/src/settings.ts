// Which servers to ask, and how patiently.
import type { Server } from './server.ts'

export interface Settings {
  readonly servers: readonly [Server, ...Server[]]
  /** For each question to one server. */
  readonly timeoutMs: number
  /** How often a server that says nothing is asked. */
  readonly attempts: number
  /** Begin with another server each time. */
  readonly rotate: boolean
  /** Whether to believe the AD bit; undefined: that of servers on this machine, where nobody is on the way. */
  readonly trustAd: boolean | undefined
}

/** resolv.conf(5). */
export const DEFAULTS: Settings = {
  servers: [{ address: '127.0.0.1', port: 53 }],
  timeoutMs: 5000,
  attempts: 2,
  rotate: false,
  trustAd: undefined,
}
