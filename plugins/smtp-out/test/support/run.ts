// Runs the client against a scripted server, as a row says, and tells what came of it. The clock is virtual: it moves only when
// the server falls silent on purpose.
import { connect as dial, type Socket } from 'node:net'
import { type Path, parseAddress } from '@mox/plugin-sdk/mail'
import { collectingLog, turns, VirtualClock } from '@mox/plugin-sdk/testkit'
import {
  type Answer,
  type Client,
  ClientError,
  type ClientMessage,
  type ClientOptions,
  type ClientRecipient,
  connect,
  type RecipientAnswer,
  type Timeouts,
} from '../../src/client/index.ts'
import type { Row } from '../client/rows/row.ts'
import { SERVER_NAME, trusting } from './certificates.ts'
import { Peer } from './peer.ts'

export const TIMEOUTS: Timeouts = {
  greeting: 60_000,
  tls: 20_000,
  command: 30_000,
  write: 40_000,
  end: 600_000,
  quit: 5_000,
}
const LONGEST = 600_000
/** Turns of the event loop: more than an ordinary delivery takes, octet by octet. */
const TURNS = 1_000
export const CONTENT = 'Subject: hello\r\n\r\nhello\r\n'

export function path(address: string): Path {
  const parsed = parseAddress(address)
  if (!parsed.ok) throw new Error(`${address} is no address`)
  return parsed.path
}

export function messageOf(row: Pick<Row, 'message' | 'content' | 'to'>): ClientMessage {
  const { content = CONTENT, to = ['bob@example.com', 'carol@example.com'] } = row
  const recipients = to.map((one, i): ClientRecipient => {
    if (typeof one === 'string') return { id: i + 1, path: path(one) }
    const { address, ...more } = one
    return { id: i + 1, path: path(address), ...more }
  })
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : undefined
  return {
    reversePath: path('alice@example.org'),
    recipients: recipients as [ClientRecipient, ...ClientRecipient[]],
    size: bytes?.length ?? 1000,
    has8bit: false,
    smtputf8: false,
    requireTls: false,
    open:
      typeof content === 'function'
        ? content
        : async function* () {
            if (bytes !== undefined) yield bytes
          },
    ...row.message,
  }
}

/** "kind stage code enhanced text", with what differs between machines taken out. */
export function told(kind: string, answer: Answer): string {
  const text = answer.text
    .replaceAll('\n', '/')
    .replace(/(?:read|write) (?:ECONNRESET|EPIPE|ECONNABORTED)/, 'ECONNRESET')
  return `${kind} ${answer.stage} ${answer.code} ${answer.enhanced || '-'} ${text}`
}

export async function dialPeer(peer: Peer): Promise<Socket> {
  const socket = dial({ host: '127.0.0.1', port: peer.port })
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  return socket
}

export function clientOptions(row: Pick<Row, 'tls' | 'login'>, socket: Socket, clock: VirtualClock): ClientOptions {
  const { login } = row
  return {
    socket,
    host: SERVER_NAME,
    ehlo: 'mail.example.org',
    tls: { mode: 'none', serverName: SERVER_NAME, verify: false, context: trusting(), ...row.tls },
    ...(login === undefined ? {} : { credentials: { username: 'user', password: 'pencil', mechanisms: [], ...login } }),
    timeouts: TIMEOUTS,
    clock,
    log: collectingLog(),
    signal: new AbortController().signal,
  }
}

export interface Run {
  readonly peer: Peer
  readonly clock: VirtualClock
  readonly client?: Client
  readonly error?: ClientError
  readonly answers: readonly RecipientAnswer[]
  readonly usable: boolean
}

/**
 * Runs a row; the connection is closed when it resolves. `restless`: the clock moves on whenever nothing has come of it for a
 * while, for servers that fall silent without saying so.
 */
export async function run(row: Row, { restless = false } = {}): Promise<Run> {
  const peer = await Peer.listen(row.server)
  const clock = new VirtualClock()
  const over = new AbortController()
  if (restless) void keepMoving(clock, over.signal)
  else peer.onStall = () => void expire(clock)
  let client: Client | undefined
  try {
    client = await connect(clientOptions(row, await dialPeer(peer), clock))
    const answers = await client.send(messageOf(row), new AbortController().signal)
    // What the server says after its last reply has time to arrive.
    await turns(20)
    const { usable } = client
    await client.quit()
    return { peer, clock, client, answers, usable }
  } catch (error) {
    if (!(error instanceof ClientError)) throw error
    return { peer, clock, error, answers: [], usable: false }
  } finally {
    over.abort()
    client?.destroy()
    await peer.close()
  }
}

async function keepMoving(clock: VirtualClock, over: AbortSignal): Promise<void> {
  for (;;) {
    await turns(TURNS)
    if (over.aborted) return
    await clock.advance(LONGEST)
  }
}

/** Lets the limit that the client waits under pass. */
async function expire(clock: VirtualClock): Promise<void> {
  while (clock.pending === 0) await turns(1)
  await clock.advance(LONGEST)
}
