// The consistency check of core's tables: every reference counted, every row with what it refers to. At most 20 of a kind.
import type { SqlEngine } from './base.ts'

const MOST = 20

export async function verifyStore(engine: SqlEngine): Promise<string[]> {
  const { db } = engine
  const problems: string[] = []
  for (const [table, name] of [
    ['mox_queue', 'queue'],
    ['mox_history', 'history'],
  ] as const) {
    const lost = (await db(`${table} as r`)
      .leftJoin('mox_message as m', 'm.id', 'r.message_id')
      .whereNull('m.id')
      .limit(MOST)
      .select('r.id')) as { id: number }[]
    for (const { id } of lost) problems.push(`${name} ${id}: its message is missing`)
  }
  const both = (await db('mox_queue as q').join('mox_history as h', 'h.id', 'q.id').limit(MOST).select('q.id')) as {
    id: number
  }[]
  for (const { id } of both) problems.push(`queue ${id}: is in the history as well`)
  const bare = (await db('mox_message as m')
    .leftJoin('mox_content as c', 'c.id', 'm.content_id')
    .whereNull('c.id')
    .limit(MOST)
    .select('m.id')) as { id: number }[]
  for (const { id } of bare) problems.push(`message ${id}: its content is missing`)
  const few = (await db('mox_content as c')
    .join(
      db('mox_message').groupBy('content_id').select('content_id').count({ n: '*' }).as('u'),
      'u.content_id',
      'c.id',
    )
    .whereRaw('c.refs < u.n')
    .limit(MOST)
    .select('c.id')) as { id: number }[]
  for (const { id } of few) problems.push(`content ${id}: fewer references are counted than messages refer to it`)
  return problems
}
