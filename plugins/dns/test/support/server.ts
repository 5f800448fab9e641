// A DNS server that does what a test tells it: UDP and TCP on one free port of 127.0.0.1 or ::1, each question answered by a
// function, with the raw octets in hand for answers that no codec would write.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import codec, { type Opt, type Packet, type Resource } from 'dns-packet'

export interface Asked {
  readonly name: string
  readonly type: string
  readonly via: 'udp' | 'tcp'
  /** The client's. */
  readonly port: number
  readonly octets: Buffer
  readonly packet: Required<Packet>
  /** Over UDP: one more datagram, from another socket. */
  readonly fromStranger: (octets: Buffer) => Promise<void>
  /** Over TCP: the connection. */
  readonly socket: Socket | undefined
}

type Said = Buffer | readonly Buffer[] | undefined
/** Octets are sent as they are (several: one after the other); undefined: silence. */
export type Script = (asked: Asked) => Said | Promise<Said>

export interface ScriptedServer {
  /** "127.0.0.1:40000", as the option `servers` takes it. */
  readonly address: string
  readonly asked: readonly Asked[]
  /** "MX example.org udp", in order. */
  readonly log: readonly string[]
  script: Script
  /** Resolves when `count` questions have come in all. */
  heard(count: number): Promise<void>
  close(): Promise<void>
}

export async function scriptedServer(script: Script = () => undefined, ip = '127.0.0.1'): Promise<ScriptedServer> {
  const asked: Asked[] = []
  const waiting = new Set<() => void>()
  const sockets = new Set<Socket>()
  const family = ip.includes(':') ? 'udp6' : 'udp4'
  const stranger = createSocket(family)

  const hear = async (question: Omit<Asked, 'name' | 'type' | 'packet'>): Promise<readonly Buffer[]> => {
    const packet = codec.decode(question.octets)
    const { name = '', type = '' } = packet.questions[0] ?? {}
    const full = { ...question, packet, name, type }
    asked.push(full)
    for (const wake of waiting) wake()
    const said = await self.script(full)
    if (said === undefined) return []
    return Buffer.isBuffer(said) ? [said] : said
  }

  let udp = createSocket(family)
  const tcp = createServer(socket => {
    sockets.add(socket)
    let received = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', async chunk => {
      received = Buffer.concat([received, chunk])
      if (received.length < 2 || received.length < 2 + received.readUInt16BE()) return
      const octets = received.subarray(2)
      const fromStranger = (): Promise<void> => Promise.reject(new Error('not over TCP'))
      for (const answer of await hear({ octets, via: 'tcp', port: socket.remotePort ?? 0, socket, fromStranger }))
        socket.write(framed(answer))
    })
  })
  for (;;) {
    udp.bind(0, ip)
    await once(udp, 'listening')
    tcp.listen(udp.address().port, ip)
    try {
      await once(tcp, 'listening')
      break
    } catch {
      // Somebody has the TCP port of that number.
      udp.close()
      udp = createSocket(family)
    }
  }
  udp.on('message', async (octets, { port }) => {
    const fromStranger = (answer: Buffer): Promise<void> =>
      new Promise((resolve, reject) => stranger.send(answer, port, ip, error => (error ? reject(error) : resolve())))
    for (const answer of await hear({ octets, via: 'udp', port, fromStranger, socket: undefined }))
      udp.send(answer, port, ip)
  })

  const { port } = udp.address()
  const self: ScriptedServer = {
    address: family === 'udp6' ? `[${ip}]:${port}` : `${ip}:${port}`,
    script,
    asked,
    get log() {
      return asked.map(({ type, name, via }) => `${type} ${name} ${via}`)
    },
    heard: count =>
      new Promise(resolve => {
        const look = (): void => {
          if (asked.length < count) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
    close: async () => {
      udp.close()
      stranger.close()
      for (const socket of sockets) socket.destroy()
      tcp.close()
      await once(tcp, 'close')
    },
  }
  return self
}

/** With its length before it, as over TCP. */
export function framed(octets: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(octets.length)
  return Buffer.concat([length, octets])
}

export interface AnswerParts {
  readonly rcode?: number
  readonly ad?: boolean
  readonly tc?: boolean
  readonly id?: number
  readonly question?: { readonly name: string; readonly type: string; readonly class?: string }
  readonly answers?: readonly Resource[]
  readonly authorities?: readonly Resource[]
  readonly additionals?: readonly (Resource | Opt)[]
}

/** An answer to what was asked; what is not given is as it should be. */
export function answer({ packet }: Pick<Asked, 'packet'>, parts: AnswerParts = {}): Buffer {
  return codec.encode({
    type: 'response',
    id: parts.id ?? packet.id,
    flags: (parts.rcode ?? 0) | 0x0180 | (parts.ad ? 0x20 : 0) | (parts.tc ? 0x0200 : 0),
    questions: parts.question === undefined ? packet.questions : [parts.question],
    answers: parts.answers ?? [],
    authorities: parts.authorities ?? [],
    additionals: parts.additionals ?? [],
  })
}

export const a = (name: string, data = '192.0.2.1', ttl = 300): Resource => ({ type: 'A', name, data, ttl })
export const cname = (name: string, data: string, ttl = 300): Resource => ({ type: 'CNAME', name, data, ttl })
export const mx = (name: string, preference: number, exchange: string): Resource => ({
  ...{ type: 'MX', name, ttl: 300 },
  data: { preference, exchange },
})
export const soa = (name: string, minimum = 60, ttl = 3600): Resource => ({
  ...{ type: 'SOA', name, ttl },
  data: { mname: `ns.${name}`, rname: `host.${name}`, serial: 7, refresh: 1, retry: 1, expire: 1, minimum },
})
/** An OPT record with Extended DNS Errors. */
export const errors = (...list: readonly (readonly [code: number, text: string])[]): Opt => ({
  ...{ type: 'OPT', name: '.', udpPayloadSize: 1232 },
  options: list.map(([code, text]) => ({
    code: 15,
    data: Buffer.from([code >> 8, code & 0xff, ...Buffer.from(text)]),
  })),
})
