// The commands that a plugin with webhooks brings, over a list in memory, for tests of who runs them.
import { type Command, commands, definePlugin, type PluginFactory } from '@mox/plugin-sdk'

export const memoryWebhooks: PluginFactory<undefined> = definePlugin({
  name: 'memory-webhooks',
  provides: { commands },
  setup: () => {
    const waiting = [{ id: 1, url: 'https://app.test/hook', event: 'failed', next: 'in 5 min' }]
    const own: readonly Command[] = [
      {
        path: ['queue', 'webhook', 'list'],
        summary: 'webhooks that wait',
        offline: false,
        run: async () => ({ kind: 'rows', columns: ['id', 'url', 'event', 'next'], rows: [...waiting] }),
      },
      {
        path: ['queue', 'webhook', 'schedule'],
        summary: 'when webhooks are tried',
        arguments: [{ name: 'DURATION', help: 'from now' }],
        flags: [{ name: 'now', type: 'boolean', help: 'from now' }],
        offline: false,
        run: async ({ arguments: [duration], flags }) => {
          if (duration !== '0' || flags.get('now') !== true) throw new Error('not what the page asks for')
          waiting.length = 0
          return { kind: 'text', text: 'done' }
        },
      },
    ]
    return { services: { commands: own } }
  },
})
