// One query over TCP (RFC 7766), on a connection of its own: for answers that do not fit in a datagram. Messages have their
// length in two octets before them, so none is longer than 65,535; what comes after the first is not read.
import { connect } from 'node:net'
import { isAnswerTo, type Query } from './message.ts'
import { WireError } from './names.ts'
import type { Server } from './server.ts'
import { type Wait, within } from './within.ts'

/** Resolves with the answer's octets. The time limit is for connecting and reading together. Rejects with socket errors. */
export async function askTcp(server: Server, query: Query, wait: Wait): Promise<Buffer> {
  return await within<Buffer>(wait, (resolve, reject) => {
    const socket = connect({ host: server.address, port: server.port, noDelay: true })
    const chunks: Buffer[] = []
    let received = 0
    let needed = 2
    socket.on('connect', () => {
      const length = Buffer.alloc(2)
      length.writeUInt16BE(query.octets.length)
      socket.write(Buffer.concat([length, query.octets]))
    })
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      received += chunk.length
      if (received < needed) return
      const all = Buffer.concat(chunks)
      needed = 2 + all.readUInt16BE(0)
      if (received < needed) {
        chunks.splice(0, chunks.length, all)
        return
      }
      const packet = all.subarray(2, needed)
      if (isAnswerTo(query, packet)) resolve(packet)
      else reject(new WireError('it answers something else'))
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new WireError('the connection ended before the answer')))
    return () => socket.destroy()
  })
}
