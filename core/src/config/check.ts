// Checks what a config file exports. Every problem is found, not only the first, and each names the option, the value
// it has and what to write instead. Options of plugins are checked by the plugins' own schemas, in the host.
import { didYouMean } from '@mox/plugin-sdk'
import { parseDomain } from '@mox/plugin-sdk/mail'
import { escapeControl, shorten } from '../base/text.ts'

export const CONCURRENCY_LIMIT = 10_000
export const RETRIES_LIMIT = 100
/** Seconds between two attempts: 30 days. */
export const RETRY_WAIT_LIMIT = 2_592_000
export const KEEP_DAYS_LIMIT = 3650

const OPTIONS = ['hostname', 'dataDir', 'user', 'log', 'queue', 'hooks', 'plugins']
const LOG_OPTIONS = ['level', 'format']
const QUEUE_OPTIONS = ['concurrency', 'concurrencyPerDomain', 'retrySchedule', 'keepRetiredDays', 'paused']
const HOOK_OPTIONS = ['order', 'onError']
export const LOG_LEVELS: readonly string[] = ['trace', 'debug', 'info', 'warn', 'error']
const LOG_FORMATS = ['logfmt', 'json']

/** Problems as "option: value is …; fix"; none when `value` is a MoxConfig. */
export function checkConfig(value: unknown): readonly string[] {
  const problems: string[] = []
  const root = new Section('', value, OPTIONS, problems)
  if (!root.ok)
    return ['the file does not export a config; write: export default defineConfig({ hostname: …, plugins: […] })']
  checkHostname(root)
  root.check('dataDir', isText, 'must be the path of a directory')
  root.check(
    'user',
    v => typeof v === 'string' && /^(?:[a-z_][a-z0-9_.-]{0,31}\$?|\d{1,10})$/i.test(v),
    'must be the name of a user or a number in quotes',
  )
  const log = root.section('log', LOG_OPTIONS)
  log.check('level', v => LOG_LEVELS.includes(v as string), `must be one of ${LOG_LEVELS.join(', ')}`)
  log.check('format', v => LOG_FORMATS.includes(v as string), `must be one of ${LOG_FORMATS.join(', ')}`)
  checkQueue(root.section('queue', QUEUE_OPTIONS))
  checkHooks(root.section('hooks', HOOK_OPTIONS))
  checkPlugins(root, problems)
  return problems
}

function checkHostname(root: Section): void {
  const { hostname } = root.fields
  if (hostname === undefined)
    root.problem('hostname', 'is missing; set it to the full name of this machine, such as "mail.example.org"')
  else if (typeof hostname !== 'string' || !hostnameOf(hostname))
    root.wrong(
      'hostname',
      'must be the full name of this machine, such as "mail.example.org", without a dot at the end',
    )
}

/** The name in lower-case A-labels; undefined when it is none. */
export function hostnameOf(text: string): string | undefined {
  const parsed = parseDomain(text, { smtputf8: true })
  if (!parsed.ok || parsed.domain.startsWith('[')) return undefined
  return parsed.domain.includes('.') || parsed.domain === 'localhost' ? parsed.domain : undefined
}

function checkQueue(queue: Section): void {
  queue.integer('concurrency', 1, CONCURRENCY_LIMIT)
  queue.integer('concurrencyPerDomain', 1, CONCURRENCY_LIMIT)
  queue.integer('keepRetiredDays', 0, KEEP_DAYS_LIMIT)
  queue.check('paused', v => typeof v === 'boolean', 'must be true or false')
  queue.check(
    'retrySchedule',
    v => Array.isArray(v) && v.length <= RETRIES_LIMIT && v.every(wait => isInteger(wait, 1, RETRY_WAIT_LIMIT)),
    `must be a list of at most ${RETRIES_LIMIT} whole numbers of seconds from 1 to ${RETRY_WAIT_LIMIT}, such as [450, 900, 1800]`,
  )
}

function checkHooks(hooks: Section): void {
  const entries = (v: unknown): unknown[] | undefined => (isObject(v) ? Object.values(v) : undefined)
  hooks.check(
    'order',
    v => entries(v)?.every(names => Array.isArray(names) && names.every(isText)) ?? false,
    'must be lists of plugin names by hook, such as { "onReceive.rcpt": ["my-policy"] }',
  )
  hooks.check(
    'onError',
    v => entries(v)?.every(byHook => entries(byHook)?.every(isText)) ?? false,
    'must be verdicts by plugin and hook, such as { "my-policy": { "onReceive.rcpt": "pass" } }',
  )
}

function checkPlugins(root: Section, problems: string[]): void {
  const { plugins } = root.fields
  if (!Array.isArray(plugins)) {
    if (plugins === undefined) root.problem('plugins', 'is missing; list the plugins to use, such as [storageSqlite()]')
    else root.wrong('plugins', 'must be a list, such as [storageSqlite()]')
    return
  }
  for (const [i, plugin] of plugins.entries()) {
    if (!plugin) continue
    const name = `plugins[${i}]`
    if (typeof plugin === 'function') {
      const known = (plugin as { pluginName?: unknown }).pluginName
      const called = typeof known === 'string' ? `the plugin "${known}" itself` : 'a function'
      problems.push(
        `${name}: is ${called}; call it with its options: ${typeof known === 'string' ? camel(known) : 'name'}({ … })`,
      )
    } else if (!isPlugin(plugin))
      problems.push(
        `${name}: ${show(plugin)} is not a plugin; use what a plugin's function returns, such as smtpIn({ … })`,
      )
  }
}

const camel = (name: string): string => name.replace(/-([a-z0-9])/g, (_, c: string) => c.toUpperCase())

function isPlugin(value: unknown): boolean {
  if (!isObject(value) || typeof value['name'] !== 'string') return false
  const { spec } = value
  return isObject(spec) && typeof spec['setup'] === 'function'
}

/** One object of the config: its fields, and the problems found in them. */
class Section {
  readonly fields: Record<string, unknown>
  readonly ok: boolean
  readonly #path: string
  readonly #problems: string[]

  constructor(path: string, value: unknown, known: readonly string[], problems: string[]) {
    this.#path = path
    this.#problems = problems
    this.ok = isObject(value)
    this.fields = isObject(value) ? value : {}
    for (const key of Object.keys(this.fields))
      if (!known.includes(key))
        this.problem(key, `is not an option${didYouMean(key, known) || `; there are ${known.join(', ')}`}`)
  }

  problem(name: string, text: string): void {
    this.#problems.push(`${this.#path}${name}: ${text}`)
  }

  wrong(name: string, text: string): void {
    this.problem(name, `${show(this.fields[name])} ${text}`)
  }

  /** Absent fields are fine. */
  check(name: string, good: (value: unknown) => boolean, text: string): void {
    if (this.fields[name] !== undefined && !good(this.fields[name])) this.wrong(name, text)
  }

  integer(name: string, least: number, most: number): void {
    this.check(name, v => isInteger(v, least, most), `must be a whole number from ${least} to ${most}`)
  }

  section(name: string, known: readonly string[]): Section {
    this.check(name, isObject, `must be an object with ${known.join(', ')}`)
    return new Section(`${this.#path}${name}.`, this.fields[name], known, this.#problems)
  }
}

/** A value as a person would write it, cut when it is long. */
export function show(value: unknown): string {
  const text = typeof value === 'function' ? 'a function' : (JSON.stringify(value) ?? String(value))
  return shorten(escapeControl(text), 80)
}

const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v)
const isText = (v: unknown): v is string => typeof v === 'string' && v !== '' && !v.includes('\0')
const isInteger = (v: unknown, least: number, most: number): boolean =>
  Number.isInteger(v) && (v as number) >= least && (v as number) <= most
