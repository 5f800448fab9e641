// lock(name, ttl): one holder in the whole installation, as a row with an end. A holder that disappears keeps others out
// until that end and no longer.
import { randomBytes } from 'node:crypto'
import type { Clock, Lock } from '@mox/plugin-sdk'
import type { SqlEngine } from './engine.ts'
import { LOCK } from './schema.ts'

export async function takeLock(engine: SqlEngine, clock: Clock, name: string, ttlMs: number): Promise<Lock | null> {
  const holder = randomBytes(16).toString('hex')
  const taken = await engine.write(async db => {
    const now = clock.now()
    await db(LOCK).where({ name }).where('until', '<=', now).delete()
    const row = { name, holder, until: now + ttlMs }
    const inserted = await db(LOCK).insert(row).onConflict('name').ignore().returning('name')
    return inserted.length > 0
  })
  if (!taken) return null
  return {
    renew: () =>
      engine.write(async db => {
        const now = clock.now()
        const changed = await db(LOCK)
          .where({ name, holder })
          .where('until', '>', now)
          .update({ until: now + ttlMs })
        return changed > 0
      }),
    release: () =>
      engine.write(async db => {
        await db(LOCK).where({ name, holder }).delete()
      }),
  }
}
