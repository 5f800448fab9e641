// Options of the storage-sqlite plugin.
import { z } from 'zod'

export const options = z.strictObject({
  path: z.string().min(1).default('mox.db').describe('Database file, relative to the data directory'),
  driver: z
    .enum(['better-sqlite3', 'sqlite3'])
    .default('better-sqlite3')
    .describe("SQLite driver; 'sqlite3' must be installed by you and is slower"),
})
