// The load generator: a process of its own that submits messages over raw sockets as fast as the server answers, one command
// at a time unless told to pipeline. Started by load-client.ts; takes one job over IPC, answers with the result and ends.
import { connect, type Socket } from 'node:net'
import type { HttpJob, IdleJob, LoadJob, LoadResult } from './jobs.ts'
import { post } from './load-http.ts'

const CRLF_DOT = Buffer.from('\r\n.\r\n')
const DIGITS = 12
const COUNTER = '0'.repeat(DIGITS)

process.once('message', job => {
  const work = job as LoadJob | HttpJob | IdleJob
  const done = work.kind === 'idle' ? holdIdle(work) : work.kind === 'post' ? post(work) : submit(work)
  done.then(
    result => process.send?.({ result }),
    error => process.send?.({ error: String(error) }),
  )
})

/** Sends `job.messages` messages over `job.connections` connections. */
async function submit(job: LoadJob): Promise<LoadResult> {
  const body = makeBody(job.size)
  const latencies = new Float64Array(job.messages)
  let next = 0
  let finished = 0
  const take = (): number | undefined => (next < job.messages ? next++ : undefined)
  const done = (ms: number): void => {
    latencies[finished++] = ms
  }
  // Connections that are used again log in before the clock starts, as a mail program would have.
  const senders = Array.from({ length: job.connections }, () => new Sender(job, body, take, done))
  if (job.reuse) await Promise.all(senders.map(sender => sender.prepare()))
  const started = performance.now()
  await Promise.all(senders.map(sender => sender.run()))
  const seconds = (performance.now() - started) / 1000
  const sorted = latencies.subarray(0, finished).sort()
  const at = (share: number): number => sorted[Math.min(finished - 1, Math.floor(finished * share))] ?? 0
  return { messages: finished, seconds, p50: at(0.5), p99: at(0.99) }
}

/** Opens sessions, says EHLO on each, and keeps them open until this process ends. */
async function holdIdle(job: IdleJob): Promise<LoadResult> {
  const started = performance.now()
  for (let open = 0; open < job.connections; open += 50)
    await Promise.all(
      Array.from({ length: Math.min(50, job.connections - open) }, async () => {
        const wire = new Wire(await openSocket(job.port))
        await wire.expect(220)
        await wire.send('EHLO idle.bench\r\n', 250)
      }),
    )
  return { messages: job.connections, seconds: (performance.now() - started) / 1000, p50: 0, p99: 0 }
}

class Sender {
  private readonly job: LoadJob
  private readonly body: Buffer
  private readonly take: () => number | undefined
  private readonly done: (ms: number) => void
  private readonly head: Buffer
  private readonly places: readonly number[]
  private readonly mail: string
  private wire: Wire | undefined

  constructor(job: LoadJob, body: Buffer, take: () => number | undefined, done: (ms: number) => void) {
    this.job = job
    this.body = body
    this.take = take
    this.done = done
    this.mail = `MAIL FROM:<${job.from}>\r\n`
    const head = `From: <${job.from}>\r\nTo: <${job.to}>\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\nMessage-ID: <${COUNTER}@bench.test>\r\nSubject: bench ${COUNTER}\r\n\r\n`
    this.head = Buffer.from(head)
    this.places = [head.indexOf(COUNTER), head.lastIndexOf(COUNTER)]
  }

  /** Connects and logs in. */
  async prepare(): Promise<Wire> {
    const { port, user, password } = this.job
    const wire = new Wire(await openSocket(port))
    await wire.expect(220)
    await wire.send('EHLO load.bench\r\n', 250)
    if (user !== undefined) {
      const response = Buffer.from(`\0${user}\0${password ?? ''}`).toString('base64')
      await wire.send(`AUTH PLAIN ${response}\r\n`, 235)
    }
    this.wire = wire
    return wire
  }

  async run(): Promise<void> {
    for (let number = this.take(); number !== undefined; number = this.take()) {
      const started = performance.now()
      const wire = this.wire ?? (await this.prepare())
      await this.message(wire, number)
      this.done(performance.now() - started)
      if (this.job.reuse) continue
      await wire.send('QUIT\r\n', 221)
      wire.close()
      this.wire = undefined
    }
    if (this.wire === undefined) return
    await this.wire.send('QUIT\r\n', 221)
    this.wire.close()
  }

  private async message(wire: Wire, number: number): Promise<void> {
    const { mail } = this
    const rcpt = `RCPT TO:<${this.job.to.replace('#', String(number % (this.job.domains ?? 1)))}>\r\n`
    if (this.job.pipelining) {
      wire.write(`${mail}${rcpt}DATA\r\n`)
      await wire.expect(250)
      await wire.expect(250)
      await wire.expect(354)
    } else {
      await wire.send(mail, 250)
      await wire.send(rcpt, 250)
      await wire.send('DATA\r\n', 354)
    }
    // The previous message was answered, so its bytes are no longer in use.
    const digits = String(number).padStart(DIGITS, '0')
    for (const at of this.places) this.head.write(digits, at, 'latin1')
    wire.writeAll([this.head, this.body])
    await wire.expect(250)
  }
}

const LF = 0x0a
const SPACE = 0x20

/** Replies in order; a reply with another code than the expected one, and the end of the connection, are errors. */
class Wire {
  private readonly socket: Socket
  private rest: Buffer | undefined
  private readonly lines: string[] = []
  private waiting: { code: number; resolve: () => void; reject: (error: Error) => void } | undefined
  private ended: Error | undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => this.read(chunk))
    socket.on('error', error => this.end(error))
    socket.on('close', () => this.end(new Error('connection closed by the server')))
  }

  write(text: string): void {
    this.socket.write(text, 'latin1')
  }

  writeAll(buffers: readonly Buffer[]): void {
    this.socket.cork()
    for (const buffer of buffers) this.socket.write(buffer)
    this.socket.uncork()
  }

  send(text: string, code: number): Promise<void> {
    this.write(text)
    return this.expect(code)
  }

  expect(code: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting = { code, resolve, reject }
      this.settle()
    })
  }

  close(): void {
    this.socket.removeAllListeners('close')
    this.socket.destroy()
  }

  private read(chunk: Buffer): void {
    const data = this.rest === undefined ? chunk : Buffer.concat([this.rest, chunk])
    let from = 0
    for (let at = data.indexOf(LF); at >= 0; at = data.indexOf(LF, from)) {
      if (data[from + 3] === SPACE) this.lines.push(data.toString('latin1', from, at))
      from = at + 1
    }
    this.rest = from === data.length ? undefined : data.subarray(from)
    this.settle()
  }

  private settle(): void {
    const { waiting } = this
    if (waiting === undefined) return
    const line = this.lines.shift()
    if (line !== undefined) {
      this.waiting = undefined
      if (Number(line.slice(0, 3)) === waiting.code) waiting.resolve()
      else waiting.reject(new Error(`expected ${waiting.code}, got: ${line}`))
    } else if (this.ended !== undefined) {
      this.waiting = undefined
      waiting.reject(this.ended)
    }
  }

  private end(error: Error): void {
    this.ended ??= error
    this.settle()
  }
}

function openSocket(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
    socket.once('error', reject)
  })
}

/** Lines of 76 characters and the end of data. */
function makeBody(size: number): Buffer {
  const line = Buffer.from(`${'The quick brown fox jumps over the lazy dog. '.repeat(2).slice(0, 76)}\r\n`)
  const body = Buffer.alloc(Math.max(size, CRLF_DOT.length), line)
  CRLF_DOT.copy(body, body.length - CRLF_DOT.length)
  return body
}
