// lmtp: a transport that hands mail to an LMTP server (RFC 2033), such as the one that owns the mailboxes. A server that cannot
// be reached is a temporary failure of the recipients; nothing is asked of it at start.
import { isIP } from 'node:net'
import { isAbsolute, join } from 'node:path'
import {
  clock,
  type DeliveryBatch,
  type DeliveryResult,
  definePlugin,
  type PluginFactory,
  system,
  type Transport,
  transports,
} from '@mox/plugin-sdk'
import { type Address, Connection } from './connection.ts'
import { Delivery } from './deliver.ts'
import { type Options, options } from './options.ts'

export const lmtp: PluginFactory<typeof options> = definePlugin({
  name: 'lmtp',
  options,
  needs: { clock, system },
  provides: { transports },
  setup: ({ options, services }) => {
    const address = addressOf(options, services.system.dataDir)
    const hostname = options.hostname ?? services.system.hostname
    const transport: Transport = {
      name: options.name,
      deliver: async (batch, { signal }) => {
        if (!isPrivate(address) && batch.jobs.some(job => job.requireTls === true)) return withoutTls(batch)
        const results = await new Delivery(batch, new Connection(address, services.clock, signal)).run(hostname)
        return 'host' in address ? results.map(result => ({ ...result, remoteHost: address.host })) : results
      },
    }
    return { services: { transports: transport } }
  },
})

function addressOf({ socket, host, port }: Options, dataDir: string): Address {
  if (host !== undefined) return { host, port }
  const path = socket ?? ''
  return { path: isAbsolute(path) ? path : join(dataDir, path) }
}

/** Nothing of it leaves this machine. */
function isPrivate(address: Address): boolean {
  if ('path' in address) return true
  return address.host === 'localhost' || (isIP(address.host) !== 0 && /^(?:127\.|::1$)/.test(address.host))
}

/** RFC 8689: there is no TLS here. Jobs of one batch agree on whether they need it. */
function withoutTls({ jobs }: DeliveryBatch): DeliveryResult[] {
  const text = 'the message needs REQUIRETLS, which LMTP over the network does not have'
  return jobs.map(({ id }) => ({ id, outcome: 'permanent', code: 554, enhanced: '5.7.30', text, stage: 'policy' }))
}
