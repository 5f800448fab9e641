// Real sockets on this machine: straight, through a proxy that speaks SOCKS5, and everything that may go wrong with either.
import assert from 'node:assert/strict'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { turns, VirtualClock } from '@mox/plugin-sdk/testkit'
import { afterEach, test } from 'vitest'
import { type Dial, DialError, endpoint, socksDial, tcpDial } from '../src/connect/dial.ts'

const open: { servers: Server[]; sockets: Socket[] } = { servers: [], sockets: [] }
afterEach(async () => {
  for (const socket of open.sockets.splice(0)) socket.destroy()
  for (const server of open.servers.splice(0)) await new Promise(resolve => server.close(resolve))
})

async function listen(serve: (socket: Socket) => void): Promise<number> {
  const server = createServer(socket => {
    open.sockets.push(socket)
    socket.on('error', () => {})
    serve(socket)
  })
  open.servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

async function closedPort(): Promise<number> {
  const port = await listen(() => {})
  await new Promise(resolve => open.servers.pop()?.close(resolve))
  return port
}

const options = { timeoutMs: 30_000, signal: new AbortController().signal }
async function failure(work: Promise<Socket>): Promise<string> {
  try {
    open.sockets.push(await work)
  } catch (error) {
    assert.ok(error instanceof DialError)
    return `${error.result} ${error.message}`
  }
  throw new Error('connected')
}

/** What the peer says first, as a new listener gets it. */
function firstData(socket: Socket): Promise<string> {
  return new Promise(resolve => socket.once('data', data => resolve(data.toString())))
}

/** Answers the greeting and the request with these bytes, then acts as the destination. */
function proxy(greeting: readonly number[], answer: readonly number[], more = ''): Promise<number> {
  return listen(socket => {
    socket.once('data', () => {
      socket.write(Buffer.from(greeting))
      socket.once('data', request => {
        requests.push(request.toString('hex'))
        socket.write(Buffer.concat([Buffer.from(answer), Buffer.from(more)]))
      })
    })
  })
}
const requests: string[] = []
const GRANTED = [5, 0, 0, 1, 127, 0, 0, 1, 0, 25]

test('straight: connects from the given address, and leaves no timer', async () => {
  const clock = new VirtualClock()
  const port = await listen(socket => socket.write(`220 hello ${socket.remoteAddress}\r\n`))
  const socket = await tcpDial(clock, { ipv4: '127.0.0.9' })('127.0.0.1', port, options)
  open.sockets.push(socket)
  assert.equal(await firstData(socket), '220 hello 127.0.0.9\r\n')
  assert.equal(clock.pending, 0)
  assert.equal(socket.listenerCount('error'), 0)
})

test('straight: refused, and an address that this machine does not have', async () => {
  const port = await closedPort()
  const dial = tcpDial(new VirtualClock())
  assert.equal(
    await failure(dial('127.0.0.1', port, options)),
    `error cannot connect to 127.0.0.1:${port}: ECONNREFUSED`,
  )
  const foreign = tcpDial(new VirtualClock(), { ipv4: '192.0.2.1' })
  assert.match(await failure(foreign('127.0.0.1', port, options)), /^error cannot connect to .*: EADDRNOTAVAIL$/)
})

test('an abort before and while', async () => {
  const port = await listen(() => {})
  const aborted = { timeoutMs: 30_000, signal: AbortSignal.abort(new Error('stopping')) }
  const dial = tcpDial(new VirtualClock())
  assert.equal(
    await failure(dial('127.0.0.1', port, aborted)),
    `canceled cannot connect to 127.0.0.1:${port}: stopping`,
  )
  const abort = new AbortController()
  const slow = socksDial(new VirtualClock(), { host: '127.0.0.1', port })
  const pending = failure(slow('192.0.2.1', 25, { timeoutMs: 30_000, signal: abort.signal }))
  await turns()
  abort.abort(new Error('stopping'))
  assert.match(await pending, /^canceled .*: stopping$/)
})

test('through a proxy: it gets the address, and a greeting that comes at once is not lost', async () => {
  const clock = new VirtualClock()
  const port = await proxy([5, 0], GRANTED, '220 early\r\n')
  const socket = await socksDial(clock, { host: '127.0.0.1', port })('2001:db8::1', 25, options)
  open.sockets.push(socket)
  await turns(5)
  assert.equal(await firstData(socket), '220 early\r\n')
  assert.equal(requests.pop(), '0501000420010db80000000000000000000000010019')
  assert.equal(clock.pending, 0)
})

test('through a proxy: what comes later flows', async () => {
  const port = await proxy([5, 0], GRANTED)
  const socket = await socksDial(new VirtualClock(), { host: '127.0.0.1', port })('192.0.2.1', 25, options)
  open.sockets.push(socket)
  const heard = firstData(socket)
  open.sockets[0]?.write('220 later\r\n')
  assert.equal(await heard, '220 later\r\n')
})

test('a proxy that refuses, asks for a login, talks nonsense, hangs up, is not there', async () => {
  const through = async (port: number): Promise<string> => {
    const text = await failure(socksDial(new VirtualClock(), { host: '127.0.0.1', port })('192.0.2.1', 25, options))
    const what = `error cannot connect to 192.0.2.1:25 through the proxy 127.0.0.1:${port}: `
    assert.equal(text.slice(0, what.length), what)
    return text.slice(what.length)
  }
  assert.match(await through(await proxy([5, 0], [5, 5, 0, 1, 0, 0, 0, 0, 0, 0])), /rejected/i)
  assert.match(await through(await proxy([5, 255], [])), /auth/i)
  assert.match(await through(await proxy([4, 0], [])), /version/i)
  assert.match(await through(await listen(socket => socket.end())), /closed/i)
  assert.equal(await through(await closedPort()), 'ECONNREFUSED')
})

test('the time limit is that of the clock', async () => {
  const clock = new VirtualClock()
  const port = await listen(() => {})
  const dial: Dial = socksDial(clock, { host: '127.0.0.1', port })
  const pending = failure(dial('192.0.2.1', 25, { ...options, timeoutMs: 5_000 }))
  await clock.advance(4_999)
  assert.equal(clock.pending, 1)
  await clock.advance(1)
  assert.match(await pending, /^timeout cannot connect to 192\.0\.2\.1:25 .*: no answer in 5 s$/)
  assert.equal(clock.pending, 0)
})

test('endpoints as text', () => {
  assert.equal(endpoint('192.0.2.1', 25), '192.0.2.1:25')
  assert.equal(endpoint('2001:db8::1', 25), '[2001:db8::1]:25')
})
