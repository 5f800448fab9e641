// Where a command runs: in the running server of its config, else, when it may, in this process on the data directory.
import { type CommandResult, UsageError } from '@mox/plugin-sdk'
import { findConfig, loadConfig, needConfig } from '../config/load.ts'
import { connectControl } from './control-client.ts'
import { lastConfig, lastServer } from './last-server.ts'
import { findSocket } from './socket-path.ts'
import type { CommandSource } from './types.ts'

/** Throws a UsageError when there is no config, or it is wrong. */
export async function openSource(given: string | undefined): Promise<CommandSource> {
  const last = await lastServer()
  const found = await findConfig(given)
  // The config of a running server need not be read to find its socket, nor be there any more.
  const isLast = last !== undefined && (found === undefined || found === last.config)
  const running = isLast ? await connect(last.dataDir) : undefined
  if (running !== undefined) return running
  const resolved = await loadConfig(found ?? (await lastConfig()) ?? (await needConfig(given)))
  return (await connect(resolved.dataDir)) ?? (await openOffline(resolved))
}

async function connect(dataDir: string): Promise<CommandSource | undefined> {
  const socket = await findSocket(dataDir)
  return socket === undefined ? undefined : await connectControl(socket)
}

async function openOffline(config: Awaited<ReturnType<typeof loadConfig>>): Promise<CommandSource> {
  const [{ createApplication }, { createLog }] = await Promise.all([
    import('./application.ts'),
    import('../base/log.ts'),
  ])
  // Only what is wrong is of interest beside a command's own output.
  const application = createApplication(config, { log: createLog({ level: 'warn', format: 'logfmt' }) })
  let opened = false
  return {
    list: async () => application.commands,
    run: async (command, input): Promise<CommandResult> => {
      const found = application.commands.find(c => c.path.join(' ') === command.path.join(' '))
      if (found === undefined) throw new UsageError(`there is no command ${command.path.join(' ')}`)
      if (!found.offline) throw new UsageError(`no server is running for ${config.dataDir}; start it with mox serve`)
      if (!opened) {
        opened = true
        await application.open()
      }
      return await found.run(input)
    },
    // Not before: bytes of a result are still read.
    close: async () => {
      if (opened) await application.close()
    },
  }
}
