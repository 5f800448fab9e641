// Checks a plugin's options with its own parser or Standard Schema. An error names the plugin, the option, the value and what
// is wrong with it.
import { type OptionsSchema, type Plugin, type StandardSchema, UsageError } from '@mox/plugin-sdk'

/** Characters of a value shown in an error. */
const SHOWN = 60

/** Throws a UsageError that lists everything wrong. */
export function parseOptions(name: string, plugin: Plugin): unknown {
  const schema = plugin.spec.options as OptionsSchema<unknown, unknown> | undefined
  if (schema === undefined) {
    if (isEmpty(plugin.input)) return undefined
    throw new UsageError(`${name} takes no options; write ${name.split('/')[0]}()`)
  }
  return '~standard' in schema ? validate(name, schema, plugin.input) : parse(name, schema, plugin.input)
}

function validate(name: string, schema: StandardSchema<unknown, unknown>, input: unknown): unknown {
  const result = schema['~standard'].validate(input)
  if (result instanceof Promise)
    throw new UsageError(`${name}: its options schema is asynchronous, which is not supported`)
  if (result.issues === undefined) return result.value
  const lines = result.issues.map(issue => {
    const path = (issue.path ?? []).map(p => (typeof p === 'object' ? p.key : p))
    return `${name}: option ${formatPath(path)}: ${issue.message}${shownValue(input, path)}`
  })
  throw new UsageError(lines.join('\n'))
}

function parse(name: string, schema: { parse(input: unknown): unknown }, input: unknown): unknown {
  try {
    return schema.parse(input)
  } catch (error) {
    throw new UsageError(`${name}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const isEmpty = (input: unknown): boolean =>
  input === undefined || (typeof input === 'object' && input !== null && Object.keys(input).length === 0)

function formatPath(path: readonly PropertyKey[]): string {
  if (path.length === 0) return '(all)'
  return path
    .map((p, i) =>
      typeof p === 'number'
        ? `[${p}]`
        : /^[A-Za-z_$][\w$]*$/.test(String(p))
          ? `${i === 0 ? '' : '.'}${String(p)}`
          : `[${JSON.stringify(String(p))}]`,
    )
    .join('')
}

function shownValue(input: unknown, path: readonly PropertyKey[]): string {
  let value = input
  for (const key of path)
    value = typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined
  if (value === undefined) return ''
  if (path.some(p => /passw|secret|token|key$/i.test(String(p)))) return ' (given: ***)'
  const text = JSON.stringify(value) ?? String(value)
  return ` (given: ${text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text})`
}
