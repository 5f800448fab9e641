// @mox/plugin-dns: provides dns@1 by asking recursive resolvers over UDP and TCP, and `mox dns lookup`. Never without an
// answer or a DnsError within 30 seconds; opens sockets only for questions, and closes them all when it stops.
import {
  clock,
  commands,
  definePlugin,
  dns as dnsService,
  log,
  metrics,
  type PluginFactory,
  random,
} from '@mox/plugin-sdk'
import { Asker } from './ask.ts'
import { lookupCommand } from './command.ts'
import { Lookups } from './lookup.ts'
import { options } from './options.ts'
import { ResolvConfFile } from './resolv-conf-file.ts'
import { Resolver } from './resolver.ts'
import { parseServer } from './server.ts'
import { DEFAULTS, type Settings } from './settings.ts'

export const dns: PluginFactory<typeof options> = definePlugin({
  name: 'dns',
  options,
  needs: { clock, random, log, metrics },
  provides: { dns: dnsService, commands },
  setup: ({ options, services }) => {
    const { clock, random, log, metrics } = services
    const file = new ResolvConfFile(options.resolvConf, clock, log)
    const [first, ...more] = (options.servers ?? []).map(text => parseServer(text)!)
    const settings = async (): Promise<Settings> => {
      const known = first === undefined ? await file.settings() : { ...DEFAULTS, servers: [first, ...more] as const }
      return { ...known, trustAd: options.trustAd ?? known.trustAd }
    }
    const asker = new Asker({ clock, random, settings })
    const resolver = new Resolver({ lookups: new Lookups(asker, clock), clock, metrics })
    return {
      services: {
        dns: resolver.service,
        commands: lookupCommand((name, type) => resolver.fresh(name, type)),
      },
      start: async () => {
        await settings()
      },
      stop: () => resolver.stop(),
    }
  },
})
