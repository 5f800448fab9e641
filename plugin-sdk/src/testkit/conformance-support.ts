// What the conformance tests of storage backends have in common: rows to store and short ways to store them.
import { createHash } from 'node:crypto'
import type { Job, Retired } from '../model/job.ts'
import type { NewJob, StoredMessage } from '../services/repositories.ts'
import type { Storage } from '../services/storage.ts'

/** A backend on a place of its own. */
export interface OpenedStorage {
  readonly storage: Storage
  /** Closes it and opens it again on the same data. */
  reopen(): Promise<Storage>
  /** Closes it and removes its data. */
  close(): Promise<void>
}

/** Registers one test on a backend of its own. */
export type Check = (name: string, work: (s: Storage, opened: OpenedStorage) => Promise<void>) => void

export const NOW = 1_800_000_000_000
export const DAY = 86_400_000

/** SHA-256. */
export const hashOf = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest()

export async function items(s: Storage): Promise<void> {
  await s.migrate('conformance', [
    {
      version: 1,
      name: 'items',
      up: async db =>
        db.schema.createTable('conformance_item', t => {
          t.integer('id').primary()
          t.text('name')
        }),
    },
  ])
}

export async function names(s: Storage): Promise<string[]> {
  return ((await s.db('conformance_item').select('name')) as { name: string }[]).map(r => r.name)
}

export async function keep(s: Storage, bytes: Buffer): Promise<number> {
  const writer = s.content.writer()
  for (let at = 0; at < bytes.length; at += 100_000) await writer.write(bytes.subarray(at, at + 100_000))
  const staged = await writer.finish(hashOf(bytes))
  const id = await s.write(() => s.content.keep(staged))
  await writer.abort()
  return id
}

export async function message(s: Storage, fields: Partial<StoredMessage> = {}): Promise<number> {
  const bytes = Buffer.from(`message ${Math.floor(counter++)}`)
  const writer = s.content.writer()
  await writer.write(bytes)
  const staged = await writer.finish(hashOf(bytes))
  return await s.write(async () =>
    s.messages.add({
      ...{ receivedAt: NOW, kind: 'submission', source: 'test', account: 'alice', prefix: Buffer.from('P: q\r\n') },
      ...{ reversePath: { localpart: 'a', domain: 'from.test' }, messageIdHeader: '<m@x>', subject: 's', size: 10 },
      ...{ has8bit: false, smtputf8: true, remoteIp: '127.0.0.1', helo: 'h', protocol: 'ESMTP', recipients: ['r@x'] },
      ...{ facts: { score: 7 }, trace: [] },
      ...fields,
      contentId: await s.content.keep(staged),
    }),
  )
}
let counter = 0

export function job(fields: Partial<NewJob> & { domain?: string; localpart?: string } = {}): NewJob {
  const { domain = 'to.test', localpart = 'r', ...rest } = fields
  return {
    ...{
      recipient: { localpart, domain },
      recipientDomain: domain,
      reversePath: { localpart: 'a', domain: 'from.test' },
    },
    ...{ due: NOW, hold: false, maxAttempts: 0, extra: {} },
    ...rest,
  }
}

export function retire({ due: _, hold: __, ...row }: Job, fields: Partial<Retired>): Retired {
  return { ...row, status: 'delivered', lastActivity: NOW, keepUntil: NOW + 1000 * DAY, trace: [], ...fields }
}
