// Is what is stored consistent? Reads in pages on the reader thread; changes nothing. References that plugins hold are
// theirs to check: here a count may only not be too small.
import type { ContentFiles } from './content-files.ts'
import type { SqlEngine } from './engine.ts'
import { offload } from './offload.ts'
import { CONTENT, CONTENT_DATA, HISTORY, MESSAGE, QUEUE } from './schema.ts'

/** Problems told; more are only counted. */
export const PROBLEMS = 1_000
const PAGE = 5_000

interface Checked {
  id: number
  size: number
  refs: number
  file: string | null
  stored: number | null
  used: number
}

export async function verify(engine: SqlEngine, files: ContentFiles): Promise<string[]> {
  const problems = new Problems()
  await checkContent(engine, files, problems)
  await checkOrphans(engine, problems)
  await checkFiles(engine, files, problems)
  return problems.all()
}

async function checkContent(engine: SqlEngine, files: ContentFiles, problems: Problems): Promise<void> {
  const { builder: db } = engine
  for (let after = 0; ; ) {
    const rows = await offload<Checked>(
      engine,
      db(`${CONTENT} as c`)
        .leftJoin(`${CONTENT_DATA} as d`, 'd.id', 'c.id')
        .select('c.id', 'c.size', 'c.refs', 'c.file')
        .select(db.raw('length(d.bytes) as stored'))
        .where('c.id', '>', after)
        .orderBy('c.id')
        .limit(PAGE),
    )
    const last = rows.at(-1)
    if (last === undefined) return
    for (const { id, size, refs, file, stored } of rows) {
      if (refs < 0) problems.add(`content ${id} has ${refs} references`)
      if (file === null && stored !== size)
        problems.add(`content ${id} should have ${size} bytes, has ${stored ?? 'none'}`)
      if (file === null) continue
      const found = await files.size(file)
      if (found !== size)
        problems.add(`content ${id}: file ${file} should have ${size} bytes, ${found ?? 'is missing'}`)
    }
    after = last.id
  }
}

async function checkOrphans(engine: SqlEngine, problems: Problems): Promise<void> {
  const { builder: db } = engine
  const used = await offload<{ id: number; refs: number | null; used: number }>(
    engine,
    db(db(MESSAGE).select('content_id', db.raw('count(*) as used')).groupBy('content_id').as('m'))
      .leftJoin(`${CONTENT} as c`, 'c.id', 'm.content_id')
      .select('m.content_id as id', 'c.refs', 'm.used')
      .whereRaw('c.refs is null or c.refs < m.used')
      .limit(PROBLEMS),
  )
  for (const { id, refs, used: messages } of used)
    problems.add(
      `content ${id} is used by ${messages} messages, ${refs === null ? 'and missing' : `but counts ${refs}`}`,
    )
  const stray = await offload<{ id: number }>(
    engine,
    db(`${CONTENT_DATA} as d`)
      .leftJoin(`${CONTENT} as c`, 'c.id', 'd.id')
      .select('d.id')
      .whereNull('c.id')
      .limit(PROBLEMS),
  )
  for (const { id } of stray) problems.add(`bytes of content ${id} belong to nothing`)
  for (const [table, name] of [
    [QUEUE, 'queued'],
    [HISTORY, 'retired'],
  ] as const) {
    const rows = await offload<{ id: number; message_id: number }>(
      engine,
      db(`${table} as q`)
        .leftJoin(`${MESSAGE} as m`, 'm.id', 'q.message_id')
        .select('q.id', 'q.message_id')
        .whereNull('m.id')
        .limit(PROBLEMS),
    )
    for (const { id, message_id } of rows) problems.add(`${name} recipient ${id}: message ${message_id} is missing`)
  }
  const both = await offload<{ id: number }>(
    engine,
    db(`${QUEUE} as q`).join(`${HISTORY} as h`, 'h.id', 'q.id').select('q.id').limit(PROBLEMS),
  )
  for (const { id } of both) problems.add(`recipient ${id} is both queued and retired`)
}

/** Files that are being written are unknown too: only those that are still unknown and unchanged afterwards count. */
async function checkFiles(engine: SqlEngine, files: ContentFiles, problems: Problems): Promise<void> {
  const { builder: db } = engine
  for await (const name of files.names()) {
    if (files.isOpen(name)) continue
    const rows = await offload(engine, db(CONTENT).select('id').where({ file: name }))
    if (rows.length === 0 && !files.isOpen(name) && (await files.size(name)) !== undefined)
      problems.add(`content file ${name} belongs to nothing`)
  }
}

class Problems {
  readonly #all: string[] = []
  #more = 0

  add(problem: string): void {
    if (this.#all.length < PROBLEMS) this.#all.push(problem)
    else this.#more++
  }

  all(): string[] {
    return this.#more === 0 ? this.#all : [...this.#all, `and ${this.#more} more problems`]
  }
}
