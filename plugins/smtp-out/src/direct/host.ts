// One host of a domain: its addresses, what is demanded of the session, the session, the message. Opportunistic TLS that
// does not work is done without; anything else that fails is an answer for every recipient.
import type { Clock, Dns, Log } from '@mox/plugin-sdk'
import type { ClientMessage, ClientTls } from '../client/types.ts'
import type { Dial } from '../connect/dial.ts'
import type { Exchange, Exchanged, NoSession, Target } from '../connect/exchange.ts'
import { deadline } from '../deadline.ts'
import { type Failure, local } from '../failure.ts'
import { DIRECT_SETUP_MS, DIRECT_TRANSACTION_MS, REACH_MS } from '../limits.ts'
import type { OutMetrics } from '../metrics.ts'
import type { Judged, Place } from '../outcome.ts'
import { type Families, findAddresses, type HostAddresses } from './addresses.ts'
import type { BrokenTls } from './broken-tls.ts'
import type { Destinations } from './destinations.ts'
import type { Guard } from './networks.ts'
import type { DeliveryPolicies, Demands } from './policies.ts'

export interface HostDeps {
  /** Name of the transport. */
  readonly name: string
  readonly port: number
  readonly ehlo: string
  readonly families: Families
  readonly dial: Dial
  readonly clock: Clock
  readonly dns: Dns
  readonly guard: Guard
  readonly brokenTls: BrokenTls
  readonly exchange: Exchange
  readonly metrics: OutMetrics
}

export interface HostTask {
  readonly host: string
  readonly domain: string
  readonly destinations: Destinations
  readonly policies: DeliveryPolicies
  readonly message: ClientMessage
  readonly dialed: readonly string[]
  /** Number of this attempt, from 1. */
  readonly attempt: number
  readonly signal: AbortSignal
  readonly log: Log
}

/** What a host answered; `all` for every recipient that has no answer of its own. */
export interface HostAnswers {
  readonly place: Place
  readonly dualStack: boolean
  readonly own: ReadonlyMap<number, Judged & { readonly dsn: boolean }>
  readonly all: Failure
}

interface Reached extends HostAddresses {
  readonly demands: Demands
  /** Connections must be made by then. */
  readonly dialUntil: number
}

const NO_ANSWER = local('data', 0, '4.3.0', 'the session gave no answer for this recipient')

export async function deliverToHost(deps: HostDeps, task: HostTask): Promise<HostAnswers> {
  const reached = await reach(deps, task)
  if ('kind' in reached) return { place: { remoteHost: task.host }, dualStack: false, own: new Map(), all: reached }
  const sent = await exchangeWith(deps, task, reached)
  const place: Place = {
    remoteHost: task.host,
    ...(sent.ip === undefined ? {} : { remoteIp: sent.ip }),
    ...(sent.tls === undefined ? {} : { tls: sent.tls }),
  }
  const { dualStack } = reached
  if (!sent.ok) return { place, dualStack, own: new Map(), all: sent.failure }
  if (sent.answers.some(({ kind, enhanced }) => kind === 'local' && enhanced === '5.7.30'))
    deps.metrics.requireTlsUnsupported('norequiretls')
  return { place, dualStack, own: new Map(sent.answers.map(one => [one.id, one])), all: NO_ANSWER }
}

/** All that comes before a connection. */
async function reach(deps: HostDeps, task: HostTask): Promise<Reached | Failure> {
  const { destinations, host, domain, policies, message } = task
  const limit = deadline(deps.clock, REACH_MS, task.signal, `finding ${host}`)
  const { signal } = limit
  try {
    const query = { host, families: deps.families, guard: deps.guard, dialed: task.dialed }
    const unknown = destinations.missing ? { unknown: noSuchDomain(domain, task.attempt) } : {}
    const found = await findAddresses(deps.dns, { ...query, ...unknown }, signal)
    if ('kind' in found) return found
    const demands = await policies.demands({
      ...{ host, canonical: found.canonical, port: deps.port, mx: destinations.mx, signal },
      ...{ domainAuthentic: destinations.authentic, hostAuthentic: found.authentic },
    })
    if ('kind' in demands) return demands
    if (message.requireTls && !demands.verified) {
      deps.metrics.requireTlsUnsupported('nopolicy')
      return local('policy', 554, '5.7.30', `the sender requires verified TLS, which nothing promises for ${host}`)
    }
    return { ...found, demands, dialUntil: limit.at }
  } finally {
    limit.release()
  }
}

/** A name that was registered a moment ago may not be known everywhere yet. */
function noSuchDomain(domain: string, attempt: number): Failure {
  const text = `the domain ${domain} does not exist`
  return attempt > 1 ? local('dns', 550, '5.1.2', text) : local('dns', 0, '4.1.2', text)
}

async function exchangeWith(deps: HostDeps, task: HostTask, reached: Reached): Promise<Exchanged | NoSession> {
  const { host, message, signal, log } = task
  const { addresses, demands, dialUntil } = reached
  const target: Target = {
    ...{ transport: deps.name, host, port: deps.port, ehlo: deps.ehlo, dial: deps.dial, policy: demands.id },
    ...{ setupMs: DIRECT_SETUP_MS, transactionMs: DIRECT_TRANSACTION_MS },
    tls: ip => (!demands.tls && deps.brokenTls.has(host, ip) ? plainText(host) : tlsFor(host, demands)),
  }
  const options = { log, signal, dialUntil }
  const sent = await deps.exchange(target, addresses, message, options)
  if (sent.ok || sent.ip === undefined || demands.tls || !isTlsTrouble(sent.failure) || signal.aborted) return sent
  deps.metrics.plaintextFallback()
  log.warn({ host, ip: sent.ip, why: sent.failure.text }, 'TLS failed, trying without')
  const again = { ...options, dialUntil: deps.clock.now() + REACH_MS }
  const plain = await deps.exchange({ ...target, tls: () => plainText(host) }, [sent.ip], message, again)
  if (plain.ok) deps.brokenTls.add(host, sent.ip)
  return plain
}

function tlsFor(host: string, { tls, pkix, serverName, accept }: Demands): ClientTls {
  return {
    mode: tls ? 'required' : 'opportunistic',
    serverName: serverName ?? host,
    verify: pkix,
    ...(accept === undefined ? {} : { accept }),
  }
}

function plainText(host: string): ClientTls {
  return { mode: 'none', serverName: host, verify: false }
}

function isTlsTrouble({ kind, stage }: Failure): boolean {
  return kind === 'tls' || stage === 'starttls'
}
