// A provider of events@1 that keeps events in memory, for tests of who reads them: one event when a recipient leaves the queue.
import { clock, definePlugin, type Events, events, type MailEvent, type PluginFactory } from '@mox/plugin-sdk'
import { pathToString } from '@mox/plugin-sdk/mail'

export const memoryEvents: PluginFactory<undefined> = definePlugin({
  name: 'memory-events',
  needs: { clock },
  provides: { events },
  setup: ({ services: { clock } }) => {
    const all: MailEvent[] = []
    const watchers = new Set<() => void>()
    const service: Events = {
      add: async ({ dedupe, ...event }) => {
        if (dedupe !== undefined && all.some(({ eventId }) => eventId === dedupe)) return undefined
        const id = all.length + 1
        const added = { ...event, id, eventId: dedupe ?? `event-${id}`, at: clock.now(), sequence: 1 }
        all.push(added)
        for (const watcher of watchers) watcher()
        return added
      },
      get: async eventId => all.find(event => event.eventId === eventId),
      list: async (_, { limit, after = 0 }) => all.filter(({ id }) => id > after).slice(0, limit),
      onAdd: () => {},
      watch: (_, listener) => {
        watchers.add(listener)
        return () => watchers.delete(listener)
      },
      statistics: async () => [],
    }
    return {
      services: { events: service },
      'onRetire.done': async ({ retired, eventId }) => {
        const { account, id, messageId, messageIdHeader, subject, recipient, attempts, status, results } = retired
        if (account === '' || status === 'cancelled') return
        const { code = 0, enhanced = '', text = '' } = results.at(-1) ?? {}
        await service.add({
          ...{
            account,
            kind: status,
            queueId: id,
            messageId,
            messageIdHeader,
            subject,
            fromId: '',
            stream: '',
            extra: {},
          },
          ...{ recipient: pathToString(recipient), dsn: false, suppressing: false, code, enhanced, attempt: attempts },
          ...{
            error: status === 'delivered' ? '' : text,
            remoteMta: '',
            ...(eventId === undefined ? {} : { dedupe: eventId }),
          },
        })
      },
    }
  },
})
