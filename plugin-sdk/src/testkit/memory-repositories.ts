// Messages, history, outbox and what accounts sent, of memoryStorage. What a real backend stores as JSON goes through JSON here too.
import type {
  HistoryRepository,
  MessageRepository,
  OutboxRepository,
  OutboxRow,
  SentRepository,
  StoredMessage,
} from '../services/repositories.ts'
import { matches } from './memory-queue.ts'
import type { MemoryAccess } from './memory-storage.ts'
import { type Leased, page } from './memory-tables.ts'

function throughJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}

export function memoryMessages(access: MemoryAccess): MessageRepository {
  return {
    add: async message => {
      access.reach('messages.add')
      if (!access.read('content').has(message.contentId)) throw new Error(`no content ${message.contentId}`)
      const id = access.nextId()
      const facts = throughJson(message.facts)
      access.change('messages').set(id, { ...message, id, facts, trace: throughJson(message.trace) })
      return id
    },
    get: async id => {
      access.reach('messages.get')
      return access.read('messages').get(id)
    },
    update: async (id, fields) => {
      access.reach('messages.update')
      const row = access.read('messages').get(id)
      if (row !== undefined) access.change('messages').set(id, { ...row, ...throughJson(fields) })
    },
    list: async ({ limit, before = Number.POSITIVE_INFINITY }) =>
      page(
        [...access.read('messages').values()].filter(row => row.id < before),
        row => row.id,
        { limit },
      ),
    purge: async (until, limit) => {
      access.reach('messages.purge')
      const needed = new Set<number>()
      for (const row of access.read('queue').values()) needed.add(row.messageId)
      for (const row of access.read('history').values()) needed.add(row.messageId)
      const unused = [...access.read('messages').values()]
        .filter((row: StoredMessage) => row.receivedAt < until && !needed.has(row.id))
        .slice(0, limit)
      for (const { id, contentId } of unused) {
        access.change('messages').delete(id)
        const content = access.read('content').get(contentId)
        if (content === undefined) throw new Error(`no content ${contentId}`)
        access.change('content').set(contentId, { ...content, references: content.references - 1 })
      }
      return unused.length
    },
  }
}

export function memoryHistory(access: MemoryAccess): HistoryRepository {
  return {
    get: async id => access.read('history').get(id),
    findByFromId: async fromId => [...access.read('history').values()].find(row => row.fromId === fromId),
    list: async (filter, options) =>
      page(
        [...access.read('history').values()].filter(row => matches(filter, row)),
        row => row.lastActivity,
        options,
      ),
    update: async (id, fields) => {
      access.reach('history.update')
      const row = access.read('history').get(id)
      if (row !== undefined) access.change('history').set(id, { ...row, ...fields })
    },
    purge: async (now, limit) => {
      access.reach('history.purge')
      const old = [...access.read('history').values()].filter(row => row.keepUntil < now).slice(0, limit)
      for (const { id } of old) access.change('history').delete(id)
      return old.length
    },
    removeOf: async (account, limit) => {
      access.reach('history.removeOf')
      const own = [...access.read('history').values()].filter(row => row.account === account).slice(0, limit)
      for (const { id } of own) access.change('history').delete(id)
      return own.length
    },
  }
}

export function memoryOutbox(access: MemoryAccess): OutboxRepository {
  const rows = () => [...access.read('outbox').values()]
  const update = (id: number, fields: Partial<OutboxRow & Leased>) => {
    const row = access.read('outbox').get(id)
    if (row !== undefined) access.change('outbox').set(id, { ...row, ...fields })
  }
  const outside = ({ leaseUntil, ...row }: OutboxRow & Leased): OutboxRow => row

  return {
    add: async added => {
      access.reach('outbox.add')
      for (const row of added) {
        const id = access.nextId()
        const payload = throughJson(row.payload)
        access.change('outbox').set(id, { ...row, payload, id, attempts: 0, dead: false, leaseUntil: 0 })
      }
    },
    claim: async ({ now, leaseMs, limit, except = [] }) => {
      access.reach('outbox.claim')
      const due = rows().filter(
        row => !row.dead && row.due <= now && row.leaseUntil <= now && !except.includes(row.subscriber),
      )
      const taken = due.sort((a, b) => a.due - b.due || a.id - b.id).slice(0, limit)
      for (const { id } of taken) update(id, { leaseUntil: now + leaseMs })
      return taken.map(outside)
    },
    done: async ids => {
      access.reach('outbox.done')
      for (const id of ids) access.change('outbox').delete(id)
    },
    failed: async (id, lastError, retry) => {
      access.reach('outbox.failed')
      const attempts = (access.read('outbox').get(id)?.attempts ?? 0) + 1
      update(id, {
        ...{ lastError, attempts, leaseUntil: 0 },
        ...(retry === 'dead' ? { dead: true } : { due: retry.due }),
      })
    },
    list: async ({ dead, limit }) =>
      rows()
        .filter(row => dead === undefined || row.dead === dead)
        .slice(0, limit)
        .map(outside),
    revive: async (ids, due) => {
      const found = rows().filter(row => row.dead && (ids === 'all' || ids.includes(row.id)))
      for (const { id } of found) update(id, { dead: false, due, attempts: 0 })
      return found.length
    },
    nextDue: async () => {
      access.reach('outbox.nextDue')
      const due = rows().filter(row => !row.dead && row.leaseUntil === 0)
      return due.length === 0 ? undefined : Math.min(...due.map(row => row.due))
    },
    releaseAll: async () => {
      for (const { id } of rows()) update(id, { leaseUntil: 0 })
    },
  }
}

/** Milliseconds in which an address that is written to again is not noted again. */
const DAY_MS = 86_400_000

export function memorySent(access: MemoryAccess): SentRepository {
  const sent = () => [...access.read('sent')]
  const met = () => [...access.read('met')]
  return {
    add: async (account, at, recipients) => {
      access.reach('sent.add')
      access.change('sent').set(access.nextId(), { account, at, recipients })
    },
    count: async (account, since) =>
      sent()
        .filter(([, row]) => row.account === account && row.at > since)
        .reduce((sum, [, { recipients }]) => sum + recipients, 0),
    meet: async (account, at, addresses) => {
      access.reach('sent.meet')
      for (const address of addresses) {
        const [id, row] = met().find(([, one]) => one.account === account && one.address === address) ?? []
        if (id === undefined || row === undefined)
          access.change('met').set(access.nextId(), { account, address, firstAt: at, lastAt: at })
        else if (row.lastAt < at - DAY_MS) access.change('met').set(id, { ...row, lastAt: at })
      }
    },
    met: async (account, since) => met().filter(([, row]) => row.account === account && row.firstAt > since).length,
    purge: async ({ sentUntil, metUntil }, limit) => {
      const oldSent = sent().filter(([, row]) => row.at <= sentUntil)
      const oldMet = met().filter(([, row]) => row.lastAt <= metUntil)
      for (const [id] of oldSent.slice(0, limit)) access.change('sent').delete(id)
      for (const [id] of oldMet.slice(0, limit)) access.change('met').delete(id)
      return Math.min(oldSent.length, limit) + Math.min(oldMet.length, limit)
    },
  }
}
