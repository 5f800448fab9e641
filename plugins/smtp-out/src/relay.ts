// Delivery through a relay: one known host that takes mail for everywhere. Trouble with the relay itself, such as a wrong
// password, is the operator's to mend: it delays the mail and shouts, and never bounces it.
import type { Clock, DeliveryBatch, DeliveryResult, Dns, Log, Transport } from '@mox/plugin-sdk'
import type { ClientTls, Credentials } from './client/types.ts'
import { type Dial, endpoint } from './connect/dial.ts'
import type { Exchange } from './connect/exchange.ts'
import { deadline } from './deadline.ts'
import { findAddresses, type HostAddresses } from './direct/addresses.ts'
import { type Failure, local } from './failure.ts'
import { REACH_MS, RELAY_SETUP_MS, relayTransactionMs } from './limits.ts'
import { byRequireTls, type Jobs, messageFor } from './message.ts'
import type { OutMetrics } from './metrics.ts'
import { type Fate, fateOf, type Judged, type Place, resultOf } from './outcome.ts'

export interface RelayDeps {
  /** Of the transport. */
  readonly name: string
  /** A name or an IP address. */
  readonly host: string
  readonly port: number
  readonly ehlo: string
  readonly tls: Pick<ClientTls, 'mode' | 'verify'>
  /** Undefined for a relay that knows us by our address. */
  readonly credentials: () => Credentials | undefined
  readonly dial: Dial
  readonly clock: Clock
  readonly dns: Dns
  readonly exchange: Exchange
  readonly metrics: OutMetrics
}

interface Context {
  readonly signal: AbortSignal
  readonly log: Log
}

/** Authentication is missing or not accepted (RFC 4954 §6): about us and not about the message. */
const LOGIN_REPLIES = [530, 534, 535, 538]

export function relayTransport(deps: RelayDeps): Transport {
  return {
    name: deps.name,
    deliver: async (batch, context) => {
      const results: DeliveryResult[] = []
      for (const jobs of byRequireTls(batch.jobs)) results.push(...(await deliver(deps, batch, jobs, context)))
      return results
    },
  }
}

async function deliver(deps: RelayDeps, batch: DeliveryBatch, jobs: Jobs, context: Context): Promise<DeliveryResult[]> {
  const { name, host, port, ehlo, dial, tls } = deps
  const message = messageFor(batch, jobs)
  if (message.requireTls && !tls.verify) {
    deps.metrics.requireTlsUnsupported('nopolicy')
    const text = `the sender requires verified TLS, which the transport "${name}" does not ask for`
    return jobs.map(({ id }) => resultOf(id, local('policy', 554, '5.7.30', text), 'permanent', { remoteHost: host }))
  }
  const limit = deadline(deps.clock, REACH_MS, context.signal, `finding ${host}`)
  const found = await addressesOf(deps, limit.signal).finally(limit.release)
  if ('kind' in found) return relayFailed(deps, jobs, found, { remoteHost: host }, context)
  const credentials = deps.credentials()
  const target = {
    ...{ transport: name, host, port, ehlo, dial, policy: '' },
    tls: () => ({ ...tls, serverName: host }),
    ...(credentials === undefined ? {} : { credentials }),
    ...{ setupMs: RELAY_SETUP_MS, transactionMs: relayTransactionMs(message.size) },
  }
  const sent = await deps.exchange(target, found.addresses, message, { ...context, dialUntil: limit.at })
  const place: Place = {
    remoteHost: host,
    ...(sent.ip === undefined ? {} : { remoteIp: sent.ip }),
    ...(sent.tls === undefined ? {} : { tls: sent.tls }),
  }
  if (!sent.ok) return relayFailed(deps, jobs, sent.failure, place, context)
  const loginTrouble = sent.answers.find(isLoginTrouble)
  if (loginTrouble !== undefined) shout(deps, loginTrouble, context.log)
  return sent.answers.map(answer =>
    isLoginTrouble(answer)
      ? resultOf(answer.id, aboutUs(deps, answer), 'retry', place)
      : resultOf(answer.id, answer, relayFate(answer), place),
  )
}

/** All names of this machine are known without DNS (RFC 6761 §6.3). */
async function addressesOf(
  { dns, host }: RelayDeps,
  signal: AbortSignal,
): Promise<Pick<HostAddresses, 'addresses'> | Failure> {
  if (host === 'localhost') return { addresses: ['127.0.0.1', '::1'] }
  const families = { ipv4: true, ipv6: true }
  return findAddresses(dns, { host, families, guard: () => undefined, dialed: [] }, signal)
}

function relayFate(answer: Judged): Fate {
  const fate = fateOf(answer, false)
  // There is no other host.
  return fate === 'unsuitable' ? 'permanent' : fate
}

function isLoginTrouble({ kind, code }: Judged): boolean {
  return kind === 'reply' && LOGIN_REPLIES.includes(code)
}

/** No session. At shutdown the relay is not to blame. */
function relayFailed(
  deps: RelayDeps,
  jobs: Jobs,
  failure: Failure,
  place: Place,
  { signal, log }: Context,
): DeliveryResult[] {
  if (!signal.aborted) shout(deps, failure, log)
  return jobs.map(({ id }) => resultOf(id, aboutUs(deps, failure), 'retry', place))
}

/** The server's code is about us: it must not count as an answer about the recipient. */
function aboutUs({ name }: RelayDeps, answer: Judged): Judged {
  const text = `the relay of transport "${name}" cannot be used: ${answer.text}`
  return { ...answer, code: 0, enhanced: answer.enhanced.replace(/^5/, '4'), text }
}

function shout({ name, host, port, metrics }: RelayDeps, { stage, kind, code, text }: Judged, log: Log): void {
  metrics.relayError(name)
  log.error(
    { relay: endpoint(host, port), stage, kind, code, reason: text },
    'relay cannot be used; mail waits until this is mended',
  )
}
