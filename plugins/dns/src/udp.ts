// One query over UDP, from a socket of its own: the kernel picks an unpredictable source port for each, and, since the
// socket is connected, drops what does not come from the server's address and port (RFC 5452 §9.2). Datagrams that do not
// answer the query are ignored, up to a number that says that somebody is guessing.
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { isAnswerTo, type Query } from './message.ts'
import type { Server } from './server.ts'
import { type Wait, within } from './within.ts'

/** Datagrams that do not fit before the query goes over TCP, where answers cannot be guessed. */
export const STRANGERS_LIMIT = 64

/** Resolves with the answer's octets; undefined when it should be asked over TCP. Rejects with socket errors. */
export async function askUdp(server: Server, query: Query, wait: Wait): Promise<Buffer | undefined> {
  return await within<Buffer | undefined>(wait, (resolve, reject) => {
    const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4')
    let strangers = 0
    socket.on('error', reject)
    socket.on('message', packet => {
      if (isAnswerTo(query, packet)) resolve(packet)
      else if (++strangers >= STRANGERS_LIMIT) resolve(undefined)
    })
    socket.on('connect', () => socket.send(query.octets))
    socket.connect(server.port, server.address)
    return () => socket.close()
  })
}
