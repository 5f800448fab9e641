// What the repositories stand on: the engine, statements whose missing values are NULL, and ids.
import type { Placeholder, Statement } from '@mox/plugin-sdk'
import { compile, type Ids as SharedIds, type SqlEngine } from '@mox/plugin-storage-sql'
import type { Knex } from 'knex'

export type { SqlEngine }
export type Row = Record<string, unknown>

export interface Ids {
  message(): Promise<number>
  queue(): Promise<number>
  content(): Promise<number>
  outbox(): Promise<number>
}

export function idsOf(ids: SharedIds): Ids {
  return {
    message: () => ids.next('message'),
    queue: () => ids.next('queue'),
    content: () => ids.next('content'),
    outbox: () => ids.next('outbox'),
  }
}

/** Throws when called outside a unit of work: a change that is not part of one would not be durable with the rest. */
export function mustBeInUnit(engine: SqlEngine, what: string): void {
  if (!engine.inUnit()) throw new Error(`${what} outside a unit of work: call it inside storage.write`)
}

/** A statement that is compiled when it first runs, and takes undefined for NULL. */
export function makeStatement<P extends object, R>(
  engine: SqlEngine,
  build: (db: Knex, p: Placeholder) => Knex.QueryBuilder,
): Statement<P, R> {
  let made: Statement<P, R> | undefined
  const compiled = (): Statement<P, R> => {
    made ??= compile<P, R>(engine, build)
    return made
  }
  const nulls = (values: P): P => {
    const filled: Record<string, unknown> = {}
    for (const [key, value] of Object.entries(values)) filled[key] = value === undefined ? null : value
    return filled as P
  }
  return {
    all: values => compiled().all(nulls(values)),
    get: values => compiled().get(nulls(values)),
    run: values => compiled().run(nulls(values)),
  }
}
