// mox serve: the server of a config, until a signal ends it.
import { writeSync } from 'node:fs'
import { UsageError } from '@mox/plugin-sdk'
import type { LogLevel } from '../../base/log.ts'
import { LOG_LEVELS } from '../../config/check.ts'
import { needConfig } from '../../config/load.ts'
import { rememberServer } from '../last-server.ts'
import { dieOnUncaught, serve } from '../serve.ts'
import type { LocalCommand } from '../types.ts'

export const runServe: LocalCommand['run'] = async (input, { config }) => {
  const level = input.flags.get('log-level')
  await serveConfig(await needConfig(config), typeof level === 'string' ? { logLevel: level } : {})
  return undefined
}

/** Also what commands of packages get, such as localserve. */
export async function serveConfig(
  configPath: string,
  options: { logLevel?: string; onReady?: () => void },
): Promise<void> {
  const { logLevel, onReady } = options
  if (logLevel !== undefined && !LOG_LEVELS.includes(logLevel))
    throw new UsageError(`--log-level ${JSON.stringify(logLevel)} is unknown; choose one of ${LOG_LEVELS.join(', ')}`)
  dieOnUncaught(text => void writeSync(2, text))
  await serve({
    configPath,
    logLevel: logLevel as LogLevel | undefined,
    onBound: config => rememberServer({ config: config.path, dataDir: config.dataDir }),
    ...(onReady === undefined ? {} : { onReady }),
  })
}
