// The config with every default filled in and paths made absolute: what the rest of core works with.
import { dirname, resolve } from 'node:path'
import { type MoxConfig, type Plugin, type QueueConfig, UsageError } from '@mox/plugin-sdk'
import { checkConfig, hostnameOf } from './check.ts'

export interface ResolvedConfig {
  /** Absolute path of the file, for messages. */
  readonly path: string
  readonly hostname: string
  /** Absolute. */
  readonly dataDir: string
  readonly user?: string
  readonly log: Required<NonNullable<MoxConfig['log']>>
  readonly queue: Required<QueueConfig>
  readonly hooks: Required<NonNullable<MoxConfig['hooks']>>
  readonly plugins: readonly Plugin[]
  /** Options that the file does not set: "queue.concurrency". */
  readonly defaults: ReadonlySet<string>
}

const LOG: ResolvedConfig['log'] = { level: 'info', format: 'logfmt' }
const QUEUE: ResolvedConfig['queue'] = {
  concurrency: 100,
  concurrencyPerDomain: 5,
  retrySchedule: [450, 900, 1800, 3600, 7200, 14_400, 28_800],
  keepRetiredDays: 7,
  paused: false,
}

/** Throws a UsageError that lists every problem. `path` is the config file's. */
export function resolveConfig(value: unknown, path: string): ResolvedConfig {
  const problems = checkConfig(value)
  if (problems.length > 0) throw new UsageError(`${path}\n${problems.map(p => `  ${p}`).join('\n')}`)
  const config = value as MoxConfig
  const defaults = new Set<string>()
  const withDefaults = <T extends object>(name: string, given: Partial<T> | undefined, standard: T): T => {
    const set = Object.entries(given ?? {}).filter(([, v]) => v !== undefined)
    for (const key of Object.keys(standard)) if (!set.some(([name]) => name === key)) defaults.add(`${name}.${key}`)
    return { ...standard, ...Object.fromEntries(set) }
  }
  if (config.dataDir === undefined) defaults.add('dataDir')
  return {
    path,
    hostname: hostnameOf(config.hostname) ?? config.hostname,
    dataDir: resolve(dirname(path), config.dataDir ?? 'data'),
    ...(config.user === undefined ? {} : { user: config.user }),
    log: withDefaults('log', config.log, LOG),
    queue: withDefaults('queue', config.queue, QUEUE),
    hooks: withDefaults('hooks', config.hooks, { order: {}, onError: {} }),
    plugins: config.plugins.filter(plugin => Boolean(plugin)) as Plugin[],
    defaults,
  }
}
