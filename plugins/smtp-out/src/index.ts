// smtp-out: mail to the rest of the world: to the MX hosts of the recipients, through relays, through a proxy. Idle
// connections are closed politely at shutdown.
import {
  clock,
  definePlugin,
  destinationPolicies,
  dns,
  metrics,
  type PluginFactory,
  random,
  secrets,
  system,
  transports,
} from '@mox/plugin-sdk'
import { connect } from './client/index.ts'
import { makeExchange } from './connect/exchange.ts'
import { Pool } from './connect/pool.ts'
import { outMetrics } from './metrics.ts'
import { options } from './options.ts'
import { makeTransports } from './transports.ts'

export const smtpOut: PluginFactory<typeof options> = definePlugin({
  name: 'smtp-out',
  options,
  needs: { clock, dns, metrics, random, secrets, system, policies: destinationPolicies },
  provides: { transports },
  setup: ({ options, services }) => {
    const { clock, dns, random, secrets, policies, system } = services
    const pool = new Pool(clock)
    const metrics = outMetrics(services.metrics)
    const exchange = makeExchange({ clock, connect, pool, metrics })
    const { hostname } = system
    const made = makeTransports({ options, hostname, clock, dns, random, secrets, policies, exchange, metrics })
    return {
      services: { transports: made.all },
      // Not in start(): commands on the data directory need no password, and may not have the server's environment.
      listen: () => made.listen(),
      drain: () => pool.close(),
      stop: () => pool.close(),
    }
  },
})
