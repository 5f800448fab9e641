// @mox/plugin-webhooks: events posted to HTTP endpoints. A call is written in the unit of work of its event and posted after its
// commit, in order, until it succeeds or its schedule ends; a crash repeats a call, with the same event id, and loses none.
import {
  clock,
  commands,
  definePlugin,
  directory,
  events,
  hooks,
  log,
  mailboxes,
  metrics,
  optional,
  type PluginFactory,
  random,
  secrets,
  storage,
  system,
  webhooks as webhooksToken,
  workers,
} from '@mox/plugin-sdk'
import { Egress } from '@mox/plugin-sdk/io'
import { Calls } from './calls.ts'
import { callCommands } from './commands/calls.ts'
import { endpointCommands } from './commands/endpoints.ts'
import { eventAdded } from './compose.ts'
import { Engine } from './engine.ts'
import { Housekeeping } from './housekeeping.ts'
import { webhookMetrics } from './metrics.ts'
import { options } from './options.ts'
import { Registry } from './registry.ts'
import { migrations } from './schema.ts'
import { WebhooksService } from './service.ts'
import { Slots } from './slots.ts'

export const webhooks: PluginFactory<typeof options> = definePlugin({
  name: 'webhooks',
  options,
  needs: {
    ...{ storage, events, hooks, clock, random, log, metrics, secrets, system },
    mailboxes: optional(mailboxes),
    directory: optional(directory),
  },
  provides: { webhooks: webhooksToken, commands, workers },
  setup: ({ options, services }) => {
    const { storage, clock, system } = services
    const registry = new Registry(services, options)
    const keep = new Map(Object.entries(options.accounts).map(([name, { keepDays }]) => [name, keepDays]))
    const parts = {
      ...services,
      registry,
      calls: new Calls(storage, clock, account => keep.get(account) ?? options.keepDays),
      metrics: webhookMetrics(services.metrics),
      egress: new Egress(options.allowNetworks, { hint: '; add its network to allowNetworks to post to it' }),
      slots: new Slots(options.concurrency),
      userAgent: `mox/${system.version} (webhook)`,
      retrySchedule: options.retrySchedule,
    }
    const engine = new Engine({
      ...parts,
      endpoint: lane => {
        const disabled = registry.disabled(lane)
        if (disabled !== undefined) return { why: `the endpoint is disabled: ${disabled.reason}` }
        return registry.get(lane) ?? { why: 'the endpoint was removed' }
      },
      disable: (lane, reason) => registry.disable(lane, clock.now(), reason),
    })
    const service = new WebhooksService({ ...parts, engine })
    const housekeeping = new Housekeeping(services)
    services.events.onAdd(event => eventAdded(parts, event))
    return {
      services: {
        webhooks: service,
        workers: engine,
        commands: [...callCommands(service, clock), ...endpointCommands(service, clock)],
      },
      migrations,
      'onAccount.remove': ({ account }) => service.removeOf(account),
      start: async () => {
        await registry.start()
        housekeeping.start()
      },
      listen: () => engine.start(),
      drain: signal => engine.drain(signal),
      stop: async () => {
        await engine.stop()
        await housekeeping.stop()
        await registry.stop()
      },
    }
  },
})
