// The HTTP half of the load generator: sends messages to the web API over keep-alive connections, one request at a time on
// each, with requests and answers as bytes: a client library would cost more than the server.
import { connect, type Socket } from 'node:net'
import type { HttpJob, LoadResult } from './jobs.ts'

const DIGITS = 12
const COUNTER = '0'.repeat(DIGITS)
const END_OF_HEAD = '\r\n\r\n'

/** Sends `job.messages` messages over `job.connections` connections. */
export async function post(job: HttpJob): Promise<LoadResult> {
  const latencies = new Float64Array(job.messages)
  let next = 0
  let finished = 0
  const sockets = await Promise.all(Array.from({ length: job.connections }, () => open(job.port)))
  const started = performance.now()
  const send = async (socket: Socket): Promise<void> => {
    const request = makeRequest(job)
    const at = request.indexOf(COUNTER)
    const answers = statuses(socket)
    while (next < job.messages) {
      request.write(String(next++).padStart(DIGITS, '0'), at, 'latin1')
      const sent = performance.now()
      socket.write(request)
      const { value: status, done } = await answers.next()
      if (done || status !== 202) throw new Error(`expected 202, got ${done ? 'the end of the connection' : status}`)
      latencies[finished++] = performance.now() - sent
    }
    socket.destroy()
  }
  await Promise.all(sockets.map(send))
  const seconds = (performance.now() - started) / 1000
  const sorted = latencies.subarray(0, finished).sort()
  const at = (share: number): number => sorted[Math.min(finished - 1, Math.floor(finished * share))] ?? 0
  return { messages: finished, seconds, p50: at(0.5), p99: at(0.99) }
}

function makeRequest({ path, authorization, to, size }: HttpJob): Buffer {
  const line = `${'The quick brown fox jumps over the lazy dog. '.repeat(2).slice(0, 75)}\n`
  const text = line.repeat(Math.ceil(size / line.length)).slice(0, size)
  const body = JSON.stringify({ to: [to], subject: `bench ${COUNTER}`, text })
  const head = [
    `POST ${path} HTTP/1.1`,
    'Host: localhost',
    `Authorization: ${authorization}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  return Buffer.from(head.join('\r\n') + END_OF_HEAD + body)
}

/** The status of each answer, when all of it has arrived. */
async function* statuses(socket: Socket): AsyncGenerator<number> {
  let rest = ''
  for await (const chunk of socket) {
    rest += (chunk as Buffer).toString('latin1')
    for (;;) {
      const end = rest.indexOf(END_OF_HEAD)
      const length = /^content-length: (\d+)/im.exec(rest.slice(0, end))?.[1]
      const total = end + END_OF_HEAD.length + Number(length ?? 0)
      if (end < 0 || rest.length < total) break
      const status = Number(rest.slice(9, 12))
      rest = rest.slice(total)
      yield status
    }
  }
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    socket.once('connect', () => resolve(socket))
    socket.once('error', reject)
  })
}
