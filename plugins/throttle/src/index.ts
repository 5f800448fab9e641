// @mox/plugin-throttle: sends as fast as each destination takes it. Slower when a server asks for it, faster again when it goes
// well, and little on the first days of a new address. Recipients that must wait are postponed, which counts as no attempt.
import { clock, commands, definePlugin, directory, metrics, type PluginFactory, random, storage } from '@mox/plugin-sdk'
import { throttleCommands } from './commands.ts'
import { options } from './options.ts'
import { migrations } from './schema.ts'
import { Store } from './store.ts'
import { Throttle } from './throttle.ts'

export const throttle: PluginFactory<typeof options> = definePlugin({
  name: 'throttle',
  options,
  needs: { storage, directory, clock, random, metrics },
  provides: { commands },
  setup: ({ options, services: { storage, directory, clock, random, metrics } }) => {
    const throttle = new Throttle({ store: new Store(storage), clock, random, options })
    const slowed = metrics.gauge('mox_throttle_slowed', 'Destinations that asked us to be slower.')
    metrics.collect(() => slowed.set(throttle.list().filter(pace => pace.learned !== undefined).length))
    return {
      services: { commands: throttleCommands(throttle, clock) },
      migrations,
      start: () => throttle.start(),
      beforeDeliver: {
        // A recipient that another policy keeps takes nobody's turn.
        band: 'late',
        handler: async ({ job }) => {
          // Mail for our own users spares nobody by waiting.
          if (job.transport === undefined && (await directory.resolve(job.recipient)).kind !== 'remote')
            return undefined
          return throttle.ask(job)
        },
      },
      onAttempt: async input => await throttle.attempted(input),
    }
  },
})
