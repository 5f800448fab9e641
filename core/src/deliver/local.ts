// The built-in transport for our own domains: back into the receive stage, without a socket.
import type { Transport } from '@mox/plugin-sdk'
import { replay, type Settle } from '../receive/replay.ts'
import type { StageDeps } from '../stages.ts'

export const LOCAL = 'local'

export interface LocalTransport extends Transport {
  /** The same for one batch: `settle` writes its results down in the unit of work that files the copies. */
  settling(settle: Settle): Transport
}

export function localTransport(deps: StageDeps): LocalTransport {
  const make = (settle?: Settle): Transport => ({
    name: LOCAL,
    here: true,
    deliver: (batch, { signal }) =>
      replay(deps, batch, { listener: LOCAL, signal, ...(settle === undefined ? {} : { settle }) }),
  })
  return { ...make(), settling: make }
}
