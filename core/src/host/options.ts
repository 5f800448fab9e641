// Checks a plugin's options with its own parser or Standard Schema. An error names the plugin, every option that is wrong, the
// value it has, and what the schema wants; what may be secret is not shown.
import { type Plugin, type StandardResult, type StandardSchema, UsageError } from '@mox/plugin-sdk'
import { escapeControl, shorten } from '../base/text.ts'
import { type OptionIssue, shownIssues, whatItMustBe } from './option-issue.ts'

/** Characters of a value that are shown. */
export const SHOWN_LENGTH = 60
/** Problems that are listed. */
const PROBLEMS = 20

const SECRET = /password|passphrase|secret|token|credential|authorization|api-?key|private-?key/i

type Path = readonly PropertyKey[]

/** The options as setup gets them. Throws a UsageError with everything that is wrong. */
export function parseOptions(name: string, plugin: Plugin): unknown {
  const schema = plugin.spec.options as
    | StandardSchema<unknown, unknown>
    | { parse(input: unknown): unknown }
    | undefined
  if (schema === undefined) {
    if (plugin.input === undefined || isEmpty(plugin.input)) return undefined
    throw new UsageError(`${name}: takes no options, but has ${show(plugin.input)}; write ${plugin.name}()`)
  }
  try {
    if (!('~standard' in schema)) return promised(name, schema.parse(plugin.input))
    const result = promised(name, schema['~standard'].validate(plugin.input)) as StandardResult<unknown>
    if (result.issues === undefined) return result.value
    const issues = result.issues.flatMap(issue => shownIssues(issue as OptionIssue)).slice(0, PROBLEMS)
    const lines = issues.flatMap(issue => describe(plugin.input, issue))
    throw new UsageError(lines.map(line => `${name}: ${line}`).join('\n'))
  } catch (error) {
    if (error instanceof UsageError && error.message.startsWith(`${name}:`)) throw error
    const text = error instanceof Error ? error.message : String(error)
    throw new UsageError(`${name}: options: ${escapeControl(text, '\n')}`, { cause: error })
  }
}

function promised(name: string, value: unknown): unknown {
  if (typeof (value as { then?: unknown } | null)?.then === 'function')
    throw new UsageError(`${name}: its schema answers with a promise; options are checked without waiting`)
  return value
}

function describe(input: unknown, issue: OptionIssue): string[] {
  const path = (issue.path ?? []).map(part => (typeof part === 'object' ? part.key : part))
  const at = valueAt(input, path)
  if (issue.keys !== undefined && typeof at === 'object' && at !== null)
    return issue.keys.map(key => `${format([...path, key])} is not an option; remove it or correct its name`)
  const place = path.length === 0 ? 'options' : format(path)
  const wants = whatItMustBe(issue)
  if (at === undefined) return [`${place} is missing; ${wants}`]
  return [`${place} is ${isSecret(path) ? 'a value that is not shown' : show(at)}; ${wants}`]
}

function valueAt(input: unknown, path: Path): unknown {
  let value = input
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined
  }
  return value
}

const isSecret = (path: Path): boolean => path.some(part => SECRET.test(String(part)))

function isEmpty(input: unknown): boolean {
  return typeof input === 'object' && input !== null && Object.keys(input).length === 0
}

function show(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  const hide = (key: string, inner: unknown): unknown => (SECRET.test(key) ? '***' : inner)
  let text: string
  try {
    text = JSON.stringify(value, hide) ?? String(value)
  } catch {
    text = 'a value that is no JSON'
  }
  return shorten(escapeControl(text), SHOWN_LENGTH)
}

/** domains["example.org"].separators[0] */
function format(path: Path): string {
  return path
    .map((part, i) => {
      if (typeof part === 'number') return `[${part}]`
      const text = escapeControl(String(part))
      return /^[A-Za-z_$][\w$-]*$/.test(text) ? `${i === 0 ? '' : '.'}${text}` : `[${JSON.stringify(text)}]`
    })
    .join('')
}
