// The queue of memoryStorage: claims in order of due time, groups and leases like a real backend.

import type { Path } from '../mail/address.ts'
import { formatAddress } from '../mail/address.ts'
import type { Job, Retired } from '../model/job.ts'
import type { Clock } from '../services/base.ts'
import type { HistoryFilter, JobGroup, QueueFilter, QueueRepository } from '../services/repositories.ts'
import type { MemoryAccess } from './memory-storage.ts'
import { type Leased, page } from './memory-tables.ts'

type Row = Job & Leased

const address = (path: Path | null) => (path === null ? '' : formatAddress(path))

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

/** Whether a queued or retired recipient is what the filter asks for. */
export function matches(filter: QueueFilter & HistoryFilter, row: Job | Retired): boolean {
  const { ids, messageId, account, messageIdHeader, envid, from, to, status } = filter
  const { hold, dueBefore, receivedBefore, transport } = filter
  return (
    (ids === undefined || ids.includes(row.id)) &&
    (messageId === undefined || row.messageId === messageId) &&
    (account === undefined || row.account === account) &&
    (messageIdHeader === undefined || row.messageIdHeader === messageIdHeader) &&
    (envid === undefined || row.envid === envid) &&
    (from === undefined || address(row.reversePath).includes(from)) &&
    (to === undefined || address(row.recipient).includes(to)) &&
    (status === undefined || ('status' in row && row.status === status)) &&
    (hold === undefined || ('hold' in row && row.hold === hold)) &&
    (dueBefore === undefined || ('due' in row && row.due < dueBefore)) &&
    (receivedBefore === undefined || row.receivedAt < receivedBefore) &&
    (transport === undefined || (row.transport ?? '') === transport)
  )
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
    set: async (filter, fields) => {
      access.reach('queue.set')
      const found = select(filter)
      for (const { id } of found) update(id, { ...fields, leaseUntil: 0 })
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
    count: async filter => select(filter).length,
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
