// mox config check, show: what is wrong with the config, and what is in effect. Nothing is started.
import { createLog } from '../../base/log.ts'
import { explainConfig, formatSettings } from '../../config/explain.ts'
import { findConfig, loadConfig, needConfig } from '../../config/load.ts'
import { parseOptions } from '../../host/options.ts'
import { type Application, createApplication } from '../application.ts'
import { lastConfig } from '../last-server.ts'
import type { LocalCommand } from '../types.ts'

/** The config with its plugins set up, so that every mistake that needs no I/O is found. */
export async function readApplication(config: string | undefined): Promise<Application> {
  // As for commands that talk to a server: the one that was started last, when there is no config here.
  const path = (await findConfig(config)) ?? (await lastConfig()) ?? (await needConfig(config))
  return createApplication(await loadConfig(path), {
    log: createLog({ level: 'warn', format: 'logfmt' }),
  })
}

export const checkConfig: LocalCommand['run'] = async (_, { config }) => {
  const { config: found } = await readApplication(config)
  return { kind: 'text', text: `${found.path} is fine: ${found.plugins.length} plugins` }
}

export const showConfig: LocalCommand['run'] = async ({ flags }, { config }) => {
  const { config: found } = await readApplication(config)
  const settings = explainConfig(found, plugin => parseOptions(plugin.name, plugin) ?? {})
  if (flags.get('json') !== true) return { kind: 'text', text: formatSettings(found.path, settings) }
  return { kind: 'value', value: { path: found.path, settings } }
}
