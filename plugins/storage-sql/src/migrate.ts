// Brings tables up to date: numbered steps, forward only. What one plugin lacks is one unit of work, together with the notes
// that it ran: it has all of its tables or those of before, and a new database is not synced for each step. A database made by
// a newer version is refused before anything is changed.
import { type Migration, UsageError } from '@mox/plugin-sdk'
import type { SqlEngine } from './engine.ts'
import { MIGRATION } from './schema.ts'

/** Makes the table of migrations when it is not there. */
export async function prepareMigrations(engine: SqlEngine, now: () => number): Promise<Migrate> {
  await engine.write(async db => {
    if (await db.schema.hasTable(MIGRATION)) return
    await db.schema.createTable(MIGRATION, t => {
      t.text('plugin').notNullable()
      t.integer('version').notNullable()
      t.text('name').notNullable()
      t.bigInteger('applied_at').notNullable()
      t.primary(['plugin', 'version'])
    })
  })
  return (plugin, migrations) => migrate(engine, now, plugin, migrations)
}

export type Migrate = (plugin: string, migrations: readonly Migration[]) => Promise<void>

async function migrate(
  engine: SqlEngine,
  now: () => number,
  plugin: string,
  migrations: readonly Migration[],
): Promise<void> {
  for (const [index, { version }] of migrations.entries())
    if (version !== index + 1)
      throw new Error(`migrations of ${plugin} must be numbered 1, 2, 3…: number ${index + 1} has version ${version}`)
  const newest = (await engine.db(MIGRATION).where({ plugin }).max('version as version').first()) as
    | { version: number | null }
    | undefined
  const found = newest?.version ?? 0
  if (found > migrations.length)
    throw new UsageError(
      `the database has version ${found} of the tables of ${plugin}, this mox knows up to version ${migrations.length}: ` +
        'run the newer mox that made it, or restore a backup from before the upgrade',
    )
  const missing = migrations.slice(found)
  if (missing.length === 0) return
  await engine.write(async db => {
    for (const { version, name, up } of missing) {
      await up(db)
      await db(MIGRATION).insert({ plugin, version, name, applied_at: now() })
    }
  })
}
