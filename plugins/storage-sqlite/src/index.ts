// storage-sqlite: everything in one embedded SQLite database, for one process. Refuses to start where it could not keep its
// promise: a data directory in use, a newer database, a file system without WAL.
import { clock, definePlugin, log, metrics, type PluginFactory, storage, system } from '@mox/plugin-sdk'
import { sqliteStorage } from './database.ts'
import { options } from './options.ts'

export const storageSqlite: PluginFactory<typeof options> = definePlugin({
  name: 'storage-sqlite',
  options,
  needs: { clock, log, metrics, system },
  provides: { storage },
  setup: ({ options, services }) => {
    const database = sqliteStorage(
      { dir: services.system.dataDir, file: options.path, driver: options.driver },
      services,
    )
    return {
      services: { storage: database },
      start: () => database.open(),
      stop: () => database.close(),
    }
  },
})
