// The transports of the options, and `direct`, which is always there. No I/O: secrets are read by listen().
import type { Clock, DestinationPolicies, Dns, Random, Secrets, Transport } from '@mox/plugin-sdk'
import type { Credentials } from './client/types.ts'
import { type Dial, socksDial, tcpDial } from './connect/dial.ts'
import type { Exchange } from './connect/exchange.ts'
import { BrokenTls } from './direct/broken-tls.ts'
import { egressGuard, parseNetwork } from './direct/networks.ts'
import { type DirectDeps, directTransport } from './direct/transport.ts'
import { failTransport } from './fail.ts'
import type { OutMetrics } from './metrics.ts'
import { type Options, parseEndpoint, type RelayOptions, type TransportOptions } from './options.ts'
import { relayTransport } from './relay.ts'

export interface TransportDeps {
  readonly options: Options
  /** Of this server. */
  readonly hostname: string
  readonly clock: Clock
  readonly dns: Dns
  readonly random: Random
  readonly secrets: Secrets
  readonly policies: readonly DestinationPolicies[]
  readonly exchange: Exchange
  readonly metrics: OutMetrics
}

export interface Transports {
  readonly all: readonly Transport[]
  /** Reads passwords. Throws a UsageError for a missing one. */
  listen(): Promise<void>
}

export function makeTransports(deps: TransportDeps): Transports {
  const passwords: (() => Promise<void>)[] = []
  const brokenTls = new BrokenTls(deps.clock)
  const named: Record<string, TransportOptions> = {
    direct: { kind: 'direct', ipv4: true, ipv6: true },
    ...deps.options.transports,
  }
  const all = Object.entries(named).map(([name, options]) => {
    if (options.kind === 'fail') return failTransport(name, options)
    if (options.kind === 'direct') return directTransport(directDeps(deps, brokenTls, name, options))
    if (options.kind === 'socks') return directTransport(socksDeps(deps, brokenTls, name, options))
    return relay(deps, name, options, passwords)
  })
  return {
    all,
    listen: async () => {
      for (const read of passwords) await read()
    },
  }
}

const ehloOf = ({ options, hostname }: TransportDeps): string => options.hostname ?? hostname

function directDeps(
  deps: TransportDeps,
  brokenTls: BrokenTls,
  name: string,
  families: { readonly ipv4: boolean; readonly ipv6: boolean },
): DirectDeps {
  const { ipv4, ipv6 } = deps.options.localAddresses
  const own = [ipv4, ipv6].filter(ip => ip !== undefined)
  return { ...commonDeps(deps, brokenTls, own, ehloOf(deps)), name, families, dial: localDial(deps) }
}

function socksDeps(
  deps: TransportDeps,
  brokenTls: BrokenTls,
  name: string,
  { address, remoteIps, remoteHostname }: Extract<TransportOptions, { kind: 'socks' }>,
): DirectDeps {
  const proxy = parseEndpoint(address)
  if (proxy === undefined) throw new Error('the options were not checked')
  const dial = socksDial(deps.clock, proxy)
  return { ...commonDeps(deps, brokenTls, remoteIps, remoteHostname), name, families: { ipv4: true, ipv6: true }, dial }
}

function commonDeps(
  deps: TransportDeps,
  brokenTls: BrokenTls,
  own: readonly string[],
  ehlo: string,
): Omit<DirectDeps, 'name' | 'families' | 'dial'> {
  const { options, hostname, clock, dns, random, policies, exchange, metrics } = deps
  const allowed = options.allowNetworks.flatMap(text => parseNetwork(text) ?? [])
  const ownNames = new Set([hostname, ehlo].map(name => name.toLowerCase()))
  const guard = egressGuard(allowed, own)
  return {
    ...{ clock, dns, random, policies, exchange, metrics, brokenTls, ehlo, ownNames, guard },
    port: options.port,
  }
}

function localDial({ clock, options }: TransportDeps): Dial {
  return tcpDial(clock, options.localAddresses)
}

function relay(
  deps: TransportDeps,
  name: string,
  options: RelayOptions,
  passwords: (() => Promise<void>)[],
): Transport {
  const { clock, dns, exchange, metrics, secrets } = deps
  const { host, port, auth } = options
  let credentials: Credentials | undefined
  if (auth !== undefined)
    passwords.push(async () => {
      const { username, mechanisms, password, passwordSecret = '' } = auth
      credentials = { username, mechanisms, password: password ?? (await secrets.get(passwordSecret)) }
    })
  return relayTransport({
    ...{ name, host, port, clock, dns, exchange, metrics, ehlo: ehloOf(deps), dial: localDial(deps) },
    tls: tlsOf(options),
    credentials: () => credentials,
  })
}

function tlsOf(options: RelayOptions): { mode: 'implicit' | 'required' | 'none'; verify: boolean } {
  if (options.kind === 'submissions') return { mode: 'implicit', verify: true }
  if (options.noStartTls) return { mode: 'none', verify: false }
  return { mode: 'required', verify: !options.insecureSkipVerify }
}
