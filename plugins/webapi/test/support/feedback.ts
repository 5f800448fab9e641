// events@1 and suppression@1 in memory, for tests: what the contract says, without a table.
import {
  clock,
  definePlugin,
  type Events,
  events,
  type MailEvent,
  type PluginFactory,
  random,
  type SuppressionEntry,
  type Suppressions,
  storage,
  suppressions,
} from '@mox/plugin-sdk'
import { formatAddress, parseAddress } from '@mox/plugin-sdk/mail'

export const fakeSuppressions: PluginFactory<undefined> = definePlugin({
  name: 'fake-suppressions',
  needs: { clock },
  provides: { suppressions },
  setup: ({ services }) => {
    const entries: SuppressionEntry[] = []
    let lastId = 0
    const base = (address: string): string => {
      const parsed = parseAddress(address)
      return (parsed.ok ? formatAddress(parsed.path) : address).toLowerCase().replace(/\+[^@]*/, '')
    }
    const service: Suppressions = {
      check: async (account, stream, recipient) =>
        entries.find(
          e =>
            (e.account === '' || e.account === account) &&
            (e.stream === '' || e.stream === stream) &&
            e.base === base(formatAddress(recipient)) &&
            (e.expiresAt === undefined || e.expiresAt > services.clock.now()),
        ),
      add: async entry => {
        const own = base(entry.address)
        if (entries.some(e => e.account === entry.account && e.stream === entry.stream && e.base === own))
          return undefined
        const added = { ...entry, id: ++lastId, base: own, createdAt: services.clock.now() }
        entries.push(added)
        return added
      },
      remove: async (account, stream, address) => {
        const index = entries.findIndex(e => e.account === account && e.stream === stream && e.base === base(address))
        if (index >= 0) entries.splice(index, 1)
        return index >= 0
      },
      list: async (filter, page) =>
        entries
          .filter(e => e.id > (page.after ?? 0))
          .filter(e => filter.account === undefined || e.account === filter.account)
          .filter(e => filter.stream === undefined || e.stream === filter.stream)
          .filter(e => filter.address === undefined || e.base === base(filter.address))
          .slice(0, page.limit),
      learn: async () => {},
      causedBy: async queueId => entries.some(e => e.queueId === queueId),
    }
    return { services: { suppressions: service } }
  },
})

/** Who waits for events now, over all worlds. */
export const watchers: Set<{ readonly account: string; readonly listener: () => void }> = new Set()

export const fakeEvents: PluginFactory<undefined> = definePlugin({
  name: 'fake-events',
  needs: { clock, random, storage },
  provides: { events },
  setup: ({ services }) => {
    const log: MailEvent[] = []
    const known = new Set<string>()
    const service: Events = {
      add: async ({ dedupe, ...event }) => {
        if (dedupe !== undefined && known.has(dedupe)) return undefined
        if (dedupe !== undefined) known.add(dedupe)
        const sequence = log.filter(e => e.queueId === event.queueId).length + 1
        const added = {
          ...event,
          id: log.length + 1,
          eventId: services.random.id(),
          at: services.clock.now(),
          sequence,
        }
        log.push(added)
        services.storage.afterCommit(() => {
          for (const { account, listener } of watchers) if (account === event.account) listener()
        })
        return added
      },
      get: async eventId => log.find(e => e.eventId === eventId),
      list: async (filter, page) => {
        const found = log
          .filter(e => e.id > (page.after ?? 0) && e.id < (page.before ?? Number.MAX_SAFE_INTEGER))
          .filter(e => filter.account === undefined || e.account === filter.account)
          .filter(e => filter.kinds === undefined || filter.kinds.includes(e.kind))
          .filter(e => filter.queueId === undefined || e.queueId === filter.queueId)
          .filter(e => filter.messageId === undefined || e.messageId === filter.messageId)
          .filter(e => filter.stream === undefined || e.stream === filter.stream)
          .filter(e => e.at >= (filter.since ?? 0) && e.at < (filter.until ?? Number.MAX_SAFE_INTEGER))
        return (page.descending === true ? found.reverse() : found).slice(0, page.limit)
      },
      onAdd: () => {},
      watch: (account, listener) => {
        const watcher = { account, listener }
        watchers.add(watcher)
        return () => watchers.delete(watcher)
      },
      statistics: async (account, { since, until, stream }) => {
        const counts = new Map<string, { day: string; stream: string; kind: MailEvent['kind']; count: number }>()
        for (const e of log.filter(e => e.account === account && e.at >= since && e.at < until)) {
          if (stream !== undefined && e.stream !== stream) continue
          const day = new Date(e.at).toISOString().slice(0, 10)
          const key = `${day} ${e.stream} ${e.kind}`
          counts.set(key, { day, stream: e.stream, kind: e.kind, count: (counts.get(key)?.count ?? 0) + 1 })
        }
        return [...counts.values()]
      },
    }
    return { services: { events: service } }
  },
})
