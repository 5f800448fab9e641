// `mox config show`: the config as it is in effect. Defaults are marked, options of plugins are shown after their
// schema has read them, and what looks like a secret is not shown.
import type { Plugin } from '@mox/plugin-sdk'
import { escapeControl, shorten } from '../base/text.ts'
import type { ResolvedConfig } from './resolve.ts'

/** One setting: "http.listeners.metrics.port". */
export interface Setting {
  readonly option: string
  readonly value: unknown
  /** Not written in the file. */
  readonly isDefault: boolean
}

const SECRET = /password|passphrase|secret|token|credential|authorization|apikey|api-key|privatekey/i
/** Levels of nested options that are taken apart. */
const DEPTH_LIMIT = 10

export function explainConfig(config: ResolvedConfig, parse: (plugin: Plugin) => unknown): readonly Setting[] {
  const own = (option: string, value: unknown): Setting => ({ option, value, isDefault: config.defaults.has(option) })
  const settings = [own('hostname', config.hostname), own('dataDir', config.dataDir)]
  if (config.user !== undefined) settings.push(own('user', config.user))
  for (const section of ['log', 'queue', 'hooks'] as const)
    for (const [key, value] of Object.entries(config[section])) settings.push(own(`${section}.${key}`, value))
  for (const plugin of config.plugins) {
    const name = plugin.instance === undefined ? plugin.name : `${plugin.name}/${plugin.instance}`
    const given = new Set(flatten(name, plugin.input).map(([option]) => option))
    const options = flatten(name, parse(plugin))
    if (options.length === 0) settings.push({ option: name, value: {}, isDefault: false })
    for (const [option, value] of options) settings.push({ option, value, isDefault: !given.has(option) })
  }
  return settings
}

/** Aligned lines: option, value, "default". */
export function formatSettings(path: string, settings: readonly Setting[]): string {
  const width = Math.max(...settings.map(s => s.option.length))
  const lines = settings.map(s => {
    const value = shorten(escapeControl(typeof s.value === 'string' ? s.value : JSON.stringify(s.value)), 200)
    return `${escapeControl(s.option).padEnd(width)}  ${value}${s.isDefault ? '  (default)' : ''}`
  })
  return `# ${path}\n${lines.join('\n')}\n`
}

function flatten(option: string, value: unknown, depth = 0): [string, unknown][] {
  const name = option.slice(option.lastIndexOf('.') + 1)
  if (SECRET.test(name.replaceAll('_', '')) && value !== undefined && value !== null) return [[option, '***']]
  if (depth >= DEPTH_LIMIT || typeof value !== 'object' || value === null || !isPlain(value))
    return [[option, hideUserinfo(value)]]
  if (Array.isArray(value)) {
    if (value.every(item => typeof item !== 'object' || item === null)) return [[option, value.map(hideUserinfo)]]
    return value.flatMap((item, i) => flatten(`${option}[${i}]`, item, depth + 1))
  }
  return Object.entries(value).flatMap(([key, item]) =>
    item === undefined ? [] : flatten(`${option}.${key}`, item, depth + 1),
  )
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return Array.isArray(value) || prototype === Object.prototype || prototype === null
}

/** https://user:password@host/ → https://***@host/ */
function hideUserinfo(value: unknown): unknown {
  if (typeof value === 'function') return 'a function'
  return typeof value === 'string' ? value.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, '$1***@') : value
}
