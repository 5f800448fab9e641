// The plugin in a real host with a virtual clock, and scripted servers to ask.
import { type Dns, DnsError, dns as dnsService, metrics } from '@mox/plugin-sdk'
import { type TestHost, testHost } from '@mox/plugin-sdk/testkit'
import { dns } from '../../src/index.ts'
import { type Script, type ScriptedServer, scriptedServer } from './server.ts'

export interface Rig {
  readonly host: TestHost
  readonly resolve: Dns['resolve']
  readonly servers: readonly ScriptedServer[]
  /** The first server. */
  readonly server: ScriptedServer
  /** `mox_dns_lookup_duration_seconds_count` by type and result: "A ok 2". */
  counts(): Promise<string[]>
  close(): Promise<void>
}

type Options = NonNullable<Parameters<typeof dns>[0]>

/** A server for each script, asked in this order. */
export async function openRig(scripts: readonly Script[], options: Options = {}): Promise<Rig> {
  const servers: ScriptedServer[] = []
  for (const script of scripts) servers.push(await scriptedServer(script))
  const addresses = servers.map(({ address }) => address)
  const host = await testHost({ plugins: [dns({ ...(addresses.length > 0 && { servers: addresses }), ...options })] })
  const { resolve } = host.service(dnsService)
  return {
    host,
    resolve,
    servers,
    server: servers[0]!,
    counts: async () =>
      [
        ...(await host.service(metrics).render()).matchAll(
          /^mox_dns_lookup_duration_seconds_count\{result="(\w+)",type="(\w+)"\} (\d+)$/gm,
        ),
      ].map(([, result, type, count]) => `${type} ${result} ${count}`),
    close: async () => {
      await host.close()
      for (const server of servers) await server.close()
    },
  }
}

/** Runs `work` with a rig and closes it, whatever happens. */
export async function withRig(
  scripts: readonly Script[] | Script,
  work: (rig: Rig) => Promise<void>,
  options: Options = {},
): Promise<void> {
  const rig = await openRig(typeof scripts === 'function' ? [scripts] : scripts, options)
  try {
    await work(rig)
  } finally {
    await rig.close()
  }
}

/** The DnsError that it rejects with; anything else fails the test. */
export async function failure(promise: Promise<unknown>): Promise<DnsError> {
  const error = await promise.then(
    value => new Error(`no failure but ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  )
  if (error instanceof DnsError) return error
  throw error
}
