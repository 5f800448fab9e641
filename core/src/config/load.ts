// Finds and imports mox.config.{ts,mts,js,mjs}. TypeScript is run by Node itself. Whatever is wrong with the file is
// told with its place in it, and nothing has started then.
import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { UsageError } from '@mox/plugin-sdk'
import { explainImportError } from './import-error.ts'
import { type ResolvedConfig, resolveConfig } from './resolve.ts'
import { configUrl, importConfig } from './resolver.ts'

export const CONFIG_NAMES: readonly string[] = ['ts', 'mts', 'js', 'mjs'].map(ending => `mox.config.${ending}`)

/**
 * The path of `given`, or of the nearest config file in `from` and the directories above it. Undefined when there is
 * none.
 */
export async function findConfig(given: string | undefined, from: string = process.cwd()): Promise<string | undefined> {
  if (given !== undefined) {
    const path = resolve(from, given)
    const file = await stat(path).catch(() => undefined)
    if (file === undefined) throw new UsageError(`--config ${given}: there is no file ${path}`)
    if (file.isFile()) return path
    throw new UsageError(`--config ${given}: ${path} is not a file; name the file, such as ${path}/mox.config.ts`)
  }
  const { cosmiconfig } = await import('cosmiconfig')
  // The loaders only say that the file is there: importing it is done with our own resolver and messages. Each
  // directory is asked for alone, since cosmiconfig's own walk upwards ends in directories that we do not want.
  const found = (): object => ({})
  const explorer = cosmiconfig('mox', {
    searchPlaces: [...CONFIG_NAMES],
    searchStrategy: 'none',
    cache: false,
    mergeSearchPlaces: false,
    ignoreEmptySearchPlaces: false,
    loaders: { '.ts': found, '.mts': found, '.js': found, '.mjs': found },
  })
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const result = await explorer.search(folder)
    if (result !== null) return result.filepath
    if (folder === dirname(folder)) return undefined
  }
}

/** Like findConfig, but throws a UsageError that says what to do when there is none. */
export async function needConfig(given: string | undefined, from: string = process.cwd()): Promise<string> {
  const path = await findConfig(given, from)
  if (path !== undefined) return path
  throw new UsageError(
    `no mox.config.ts in ${from} or above; name one with --config FILE, or try \`mox localserve\` for a server on this machine`,
  )
}

/** Imports and checks a config file. Each call reads it again. */
export async function loadConfig(path: string): Promise<ResolvedConfig> {
  let module: { default?: unknown }
  try {
    module = await importConfig(configUrl(path))
  } catch (error) {
    throw new UsageError(await explainImportError(error, path), { cause: error })
  }
  return resolveConfig(module.default, path)
}
