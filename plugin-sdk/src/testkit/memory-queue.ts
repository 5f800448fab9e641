// The queue of memoryStorage: claims in order of due time, groups and leases like a real backend.

import type { Path } from '../mail/address.ts'
import { displayDomain } from '../mail/domain.ts'
import type { Job, Retired } from '../model/job.ts'
import type { Clock } from '../services/base.ts'
import type { HistoryFilter, JobChange, JobGroup, QueueFilter, QueueRepository } from '../services/repositories.ts'
import type { MemoryAccess } from './memory-storage.ts'
import { type Leased, page } from './memory-tables.ts'

type Row = Job & Leased

/** Recipients with equal keys may share a transaction. */
const groupKey = (job: Job) =>
  JSON.stringify([
    job.messageId,
    job.recipientDomain,
    job.attempts,
    job.transport ?? null,
    job.requireTls ?? null,
    job.reversePath,
  ])

/** The texts that a substring is looked for in. */
const texts = (path: Path | null) =>
  path === null ? [''] : [path.domain, displayDomain(path.domain)].map(domain => `${path.localpart}@${domain}`)

const within = (value: number | undefined, after: number | undefined, before: number | undefined) =>
  (after === undefined || (value !== undefined && value > after)) &&
  (before === undefined || (value !== undefined && value < before))

/** Whether a queued or retired recipient is what the filter asks for. */
export function matches(filter: QueueFilter & HistoryFilter, row: Job | Retired): boolean {
  const { ids, messageId, account, messageIdHeader, envid, from, to, status, delivered, hold, transport } = filter
  const left = 'status' in row ? row : undefined
  const waiting = 'hold' in row ? row : undefined
  return (
    (ids === undefined || ids.includes(row.id)) &&
    (messageId === undefined || row.messageId === messageId) &&
    (account === undefined || row.account === account) &&
    (messageIdHeader === undefined || row.messageIdHeader === messageIdHeader) &&
    (envid === undefined || row.envid === envid) &&
    (from === undefined || texts(row.reversePath).some(text => text.includes(from))) &&
    (to === undefined || texts(row.recipient).some(text => text.includes(to))) &&
    (status === undefined || left?.status === status) &&
    (delivered === undefined || (left !== undefined && (left.status === 'delivered') === delivered)) &&
    (hold === undefined || waiting?.hold === hold) &&
    within(waiting?.due, filter.dueAfter, filter.dueBefore) &&
    within(left?.lastActivity, filter.activeAfter, filter.activeBefore) &&
    within(row.receivedAt, filter.receivedAfter, filter.receivedBefore) &&
    (transport === undefined || (row.transport ?? '') === transport)
  )
}

/** The row with an operator's change. */
function changed({ transport, requireTls, ...row }: Row, change: JobChange): Row {
  const named = change.transport === undefined ? transport : (change.transport ?? undefined)
  const tls = change.requireTls === undefined ? requireTls : (change.requireTls ?? undefined)
  const { due = row.due, hold = row.hold, maxAttempts = row.maxAttempts } = change
  return {
    ...row,
    ...{ hold, maxAttempts, leaseUntil: 0, due: typeof due === 'number' ? due : row.due + due.add },
    ...(named === undefined || named === '' ? {} : { transport: named }),
    ...(tls === undefined ? {} : { requireTls: tls }),
  }
}

function unleased({ leaseUntil, ...job }: Row): Job {
  return job
}

export function memoryQueue(access: MemoryAccess, clock: Clock): QueueRepository {
  const rows = () => access.read('queue').values()
  /** Replaces fields of a row that is there; a job that was cancelled meanwhile stays gone. */
  const update = (id: number, fields: Partial<Row>) => {
    const table = access.change('queue')
    const row = table.get(id)
    if (row !== undefined) table.set(id, { ...row, ...fields })
  }
  const select = (filter: QueueFilter) => [...rows()].filter(row => matches(filter, row))

  return {
    add: async (messageId, jobs) => {
      access.reach('queue.add')
      const message = access.read('messages').get(messageId)
      if (message === undefined) throw new Error(`no message ${messageId}`)
      const { receivedAt, account, messageIdHeader, subject, size, has8bit, smtputf8 } = message
      const { ret, envid, futureReleaseRequest } = message
      return jobs.map(job => {
        const id = access.nextId()
        access.change('queue').set(id, {
          ...{ messageId, receivedAt, account, messageIdHeader, subject, size, has8bit, smtputf8 },
          ...(ret === undefined ? {} : { ret }),
          ...(envid === undefined ? {} : { envid }),
          ...(futureReleaseRequest === undefined ? {} : { futureReleaseRequest }),
          ...job,
          ...{ id, attempts: 0, results: [], dialedIps: {}, leaseUntil: 0 },
        })
        return id
      })
    },
    claim: async ({ now, leaseMs, limit, places }) => {
      access.reach('queue.claim')
      const due = [...rows()].filter(row => !row.hold && row.due <= now && row.leaseUntil <= now)
      due.sort((a, b) => a.due - b.due || a.id - b.id)
      const groups = new Map<string, [Row, ...Row[]]>()
      const taken = new Map<string, number>()
      for (const row of due) {
        const key = groupKey(row)
        const group = groups.get(key)
        const used = taken.get(row.recipientDomain) ?? 0
        if (group !== undefined) group.push(row)
        else if (groups.size < limit && used < places(row.recipientDomain)) {
          groups.set(key, [row])
          taken.set(row.recipientDomain, used + 1)
        }
      }
      for (const row of [...groups.values()].flat()) update(row.id, { leaseUntil: now + leaseMs })
      return [...groups.values()].map(([first, ...rest]): JobGroup => [unleased(first), ...rest.map(unleased)])
    },
    begin: async jobs => {
      access.reach('queue.begin')
      for (const { id, attempt, due } of jobs) {
        const row = access.read('queue').get(id)
        if (row === undefined) continue
        const results = [...row.results, attempt]
        update(id, { results, due, attempts: row.attempts + 1, lastAttempt: attempt.startedAt })
      }
    },
    renew: async (ids, until) => {
      access.reach('queue.renew')
      for (const id of ids) update(id, { leaseUntil: until })
    },
    finish: async updates => {
      access.reach('queue.finish')
      for (const { id, ...fields } of updates) update(id, { ...fields, leaseUntil: 0 })
    },
    set: async (filter, change) => {
      access.reach('queue.set')
      const found = select(filter)
      for (const row of found) access.change('queue').set(row.id, changed(row, change))
      return found.length
    },
    note: async (id, entry, fields) => {
      access.reach('queue.note')
      const row = access.read('queue').get(id)
      if (row !== undefined) update(id, { results: [...row.results, entry], ...fields, leaseUntil: 0 })
    },
    releaseAll: async () => {
      access.reach('queue.releaseAll')
      for (const { id } of [...rows()]) update(id, { leaseUntil: 0 })
    },
    retire: async jobs => {
      access.reach('queue.retire')
      for (const retired of jobs) {
        access.change('queue').delete(retired.id)
        if (retired.keepUntil > clock.now()) access.change('history').set(retired.id, retired)
      }
    },
    get: async id => {
      const row = access.read('queue').get(id)
      return row === undefined ? undefined : unleased(row)
    },
    findByFromId: async fromId => {
      const row = [...rows()].find(one => one.fromId === fromId)
      return row === undefined ? undefined : unleased(row)
    },
    list: async (filter, options) => page(select(filter), row => row.due, options).map(unleased),
    find: async (filter, { after, limit }) => {
      const ids = select(filter).map(row => row.id)
      return ids
        .filter(id => id > after)
        .sort((a, b) => a - b)
        .slice(0, limit)
    },
    count: async filter => select(filter).length,
    usage: async (account, limit) => {
      const found = select({ account }).slice(0, limit)
      return { count: found.length, bytes: found.reduce((sum, { size }) => sum + size, 0) }
    },
    nextDue: async () => {
      access.reach('queue.nextDue')
      const due = [...rows()].filter(row => !row.hold && row.leaseUntil <= clock.now()).map(row => row.due)
      return due.length === 0 ? undefined : Math.min(...due)
    },
    source: async messageId => {
      access.reach('queue.source')
      const message = access.read('messages').get(messageId)
      return message && { prefix: message.prefix, contentId: message.contentId }
    },
  }
}
