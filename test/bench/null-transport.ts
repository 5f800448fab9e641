// A plugin for the benchmark: the transport for the rest of the world, which delivers at once and nowhere. What is left is what
// the queue itself costs.
import { definePlugin, type PluginFactory, transports } from '@mox/plugin-sdk'

export const nullTransport: PluginFactory<undefined> = definePlugin({
  name: 'null-transport',
  provides: { transports },
  setup: () => ({
    services: {
      transports: {
        name: 'direct',
        deliver: async ({ jobs }) =>
          jobs.map(({ id }) => ({ id, outcome: 'delivered', code: 250, enhanced: '2.0.0', text: 'nowhere' })),
      },
    },
  }),
})
