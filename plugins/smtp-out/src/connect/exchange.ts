// One message in one session: takes an open connection or makes one, sends, and keeps the connection for the next message. What
// the server's limits on one connection leave over goes over the next one.
// Failures come back as values. Knows no policy: what TLS must be like is part of the target.
import type { Clock, Log, TlsFacts } from '@mox/plugin-sdk'
import {
  ClientError,
  type ClientMessage,
  type ClientTls,
  type Connect,
  type Credentials,
  type RecipientAnswer,
} from '../client/types.ts'
import { deadline } from '../deadline.ts'
import { type Failure, fromClient, textOf, trouble } from '../failure.ts'
import { CONNECTIONS_PER_MESSAGE, DIAL_MS, TIMEOUTS, TRANSACTIONS_PER_CONNECTION } from '../limits.ts'
import type { OutMetrics } from '../metrics.ts'
import { type Dial, DialError } from './dial.ts'
import type { Pool, Pooled } from './pool.ts'

/** A host and how to talk to it. Everything that is not in the key of the pool is the same for one transport. */
export interface Target {
  /** Name of the transport. */
  readonly transport: string
  readonly host: string
  readonly port: number
  readonly ehlo: string
  readonly dial: Dial
  readonly tls: (ip: string) => ClientTls
  /** Equal for targets that accept the same certificates. */
  readonly policy: string
  readonly credentials?: Credentials
  /** Milliseconds from connection to session. */
  readonly setupMs: number
  /** Milliseconds for the message. */
  readonly transactionMs: number
}

export interface ExchangeOptions {
  readonly log: Log
  readonly signal: AbortSignal
  /** Connections must be made by then, milliseconds since the epoch. */
  readonly dialUntil: number
}

export interface Exchanged {
  readonly ok: true
  readonly ip: string
  readonly tls: TlsFacts | undefined
  readonly answers: readonly RecipientAnswer[]
}

/** No session: no recipient was named to the server. */
export interface NoSession {
  readonly ok: false
  readonly failure: Failure
  /** The address that a connection was made to. */
  readonly ip?: string
  readonly tls?: TlsFacts
}

export type Exchange = (
  target: Target,
  addresses: readonly string[],
  message: ClientMessage,
  options: ExchangeOptions,
) => Promise<Exchanged | NoSession>

interface Session extends Pooled {
  readonly ok: true
  readonly ip: string
  readonly reused: boolean
}

export interface ExchangeDeps {
  readonly clock: Clock
  readonly connect: Connect
  readonly pool: Pool
  readonly metrics: OutMetrics
}

export function makeExchange(deps: ExchangeDeps): Exchange {
  return async (target, addresses, message, options) => {
    const sent = await first(deps, target, addresses, message, options)
    return sent.ok ? await theRest(deps, target, sent, message, options) : sent
  }
}

async function first(
  deps: ExchangeDeps,
  target: Target,
  addresses: readonly string[],
  message: ClientMessage,
  options: ExchangeOptions,
): Promise<Exchanged | NoSession> {
  const session = await open(deps, target, addresses, options, true)
  if (!session.ok) return session
  const sent = await send(deps, target, session, message, options)
  if (!session.reused || options.signal.aborted || !isStale(sent.answers)) return sent
  // The server had closed it, or was about to: the message was not looked at.
  const fresh = await openAgain(deps, target, session.ip, options)
  return fresh.ok ? send(deps, target, fresh, message, options) : fresh
}

/** Without another connection the answers stay as they are: these recipients wait. */
async function theRest(
  deps: ExchangeDeps,
  target: Target,
  sent: Exchanged,
  message: ClientMessage,
  options: ExchangeOptions,
): Promise<Exchanged> {
  let { answers } = sent
  for (let connections = 1; connections < CONNECTIONS_PER_MESSAGE && !options.signal.aborted; connections++) {
    const left = new Set(answers.flatMap(one => (one.left ? [one.id] : [])))
    const [one, ...others] = message.recipients.filter(({ id }) => left.has(id))
    if (one === undefined) break
    const fresh = await openAgain(deps, target, sent.ip, options)
    if (!fresh.ok) break
    const more = await send(deps, target, fresh, { ...message, recipients: [one, ...others] }, options)
    answers = [...answers.filter(({ id }) => !left.has(id)), ...more.answers]
  }
  return { ...sent, answers }
}

function openAgain(
  deps: ExchangeDeps,
  target: Target,
  ip: string,
  options: ExchangeOptions,
): Promise<Session | NoSession> {
  return open(deps, target, [ip], { ...options, dialUntil: deps.clock.now() + DIAL_MS }, false)
}

/** The first address that answers; what a server says makes no other address be tried. */
async function open(
  deps: ExchangeDeps,
  target: Target,
  addresses: readonly string[],
  { log, signal, dialUntil }: ExchangeOptions,
  reuse: boolean,
): Promise<Session | NoSession> {
  let failure = trouble('connect', '4.4.1', `${target.host} has no address to connect to`)
  for (const [i, ip] of addresses.entries()) {
    const idle = reuse ? deps.pool.take(keyOf(target, ip)) : undefined
    if (idle !== undefined) {
      deps.metrics.reused()
      return { ok: true, ip, reused: true, client: idle.client, transactions: idle.transactions }
    }
    const timeoutMs = Math.max(0, Math.min(DIAL_MS, (dialUntil - deps.clock.now()) / (addresses.length - i)))
    try {
      const socket = await target.dial(ip, target.port, { timeoutMs, signal })
      deps.metrics.connection('ok')
      return await greet(deps, target, ip, socket, log, signal)
    } catch (error) {
      deps.metrics.connection(error instanceof DialError ? error.result : 'error')
      failure = trouble('connect', '4.4.1', textOf(error))
      log.debug({ host: target.host, ip, err: error }, 'cannot connect')
      if (signal.aborted) break
    }
  }
  return { ok: false, failure }
}

async function greet(
  { clock, connect }: ExchangeDeps,
  target: Target,
  ip: string,
  socket: Awaited<ReturnType<Dial>>,
  log: Log,
  parent: AbortSignal,
): Promise<Session | NoSession> {
  const limit = deadline(clock, target.setupMs, parent, 'the start of the session')
  const { host, ehlo, credentials } = target
  const login = credentials === undefined ? {} : { credentials }
  const { signal } = limit
  try {
    const tls = target.tls(ip)
    const client = await connect({ socket, host, ehlo, tls, ...login, timeouts: TIMEOUTS, clock, log, signal })
    return { ok: true, ip, reused: false, client, transactions: 0 }
  } catch (error) {
    socket.destroy()
    if (!(error instanceof ClientError)) {
      log.error({ host, ip, err: error }, 'session failed')
      return { ok: false, ip, failure: trouble('greeting', '4.3.0', 'the session could not be started') }
    }
    return { ok: false, ip, failure: fromClient(error), ...(error.tls === undefined ? {} : { tls: error.tls }) }
  } finally {
    limit.release()
  }
}

async function send(
  { clock, pool }: ExchangeDeps,
  target: Target,
  { client, ip, transactions }: Session,
  message: ClientMessage,
  { signal }: ExchangeOptions,
): Promise<Exchanged> {
  const limit = deadline(clock, target.transactionMs, signal, 'sending the message')
  const { rcptMax = Number.POSITIVE_INFINITY, mailMax = TRANSACTIONS_PER_CONNECTION } = client.extensions.limits
  const used = transactions + Math.max(1, Math.ceil(message.recipients.length / rcptMax))
  try {
    const answers = await client.send(message, limit.signal)
    const { tls } = client
    const more = client.usable && used < Math.min(mailMax, TRANSACTIONS_PER_CONNECTION)
    if (more) pool.give(keyOf(target, ip), { client, transactions: used })
    else pool.retire(client)
    return { ok: true, ip, tls, answers }
  } finally {
    limit.release()
  }
}

/** Nothing but the end of the connection was heard since the message began. */
function isStale(answers: readonly RecipientAnswer[]): boolean {
  return (
    answers.length > 0 &&
    answers.every(({ stage, kind, code }) => stage === 'mail' && (kind === 'io' || (kind === 'reply' && code === 421)))
  )
}

function keyOf({ transport, host, port, tls, policy }: Target, ip: string): string {
  const { mode, verify, serverName } = tls(ip)
  return [transport, host, ip, port, mode, verify, serverName, policy].join('\n')
}
