// The built-in transport for our own domains: back into the receive stage, without a socket.
import type { Receiver, Transport } from '@mox/plugin-sdk'

export const LOCAL = 'local'

export function localTransport(receiver: Receiver): Transport {
  return {
    name: LOCAL,
    here: true,
    deliver: (batch, { signal }) => receiver.replay(batch, { listener: LOCAL, signal }),
  }
}
