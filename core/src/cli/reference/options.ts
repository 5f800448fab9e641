// The page of options: core's own, and those of every plugin whose schema can describe itself (Standard JSON Schema,
// which zod implements). Other plugins are only named.
import type { Plugin } from '@mox/plugin-sdk'
import { code, page, table } from './pages.ts'

const CORE: readonly (readonly [option: string, type: string, standard: string, text: string])[] = [
  ['hostname', 'string', '', 'Our name in greetings and trace headers: a fully qualified domain name'],
  ['dataDir', 'string', 'data', 'Where everything is stored; relative to the config file'],
  ['user', 'string', '', 'User to become after ports are bound, when started as root'],
  [
    'log.level',
    'trace | debug | info | warn | error',
    'info',
    'Least important lines to write; trace shows protocol lines',
  ],
  ['log.format', 'logfmt | json', 'logfmt', 'Form of the lines on standard error'],
  ['queue.concurrency', 'integer, 1 to 10000', '100', 'Delivery attempts in progress in total'],
  ['queue.concurrencyPerDomain', 'integer, 1 to 10000', '5', 'Delivery attempts in progress per recipient domain'],
  [
    'queue.retrySchedule',
    'integer[], at most 100',
    '450, 900, 1800, 3600, 7200, 14400, 28800',
    'Seconds to wait after attempt 1, 2, … fails',
  ],
  ['queue.keepRetiredDays', 'integer, 0 to 3650', '7', 'Days that delivered and failed recipients stay in the history'],
  ['queue.paused', 'boolean', 'false', 'Start with delivery stopped; `mox queue resume` starts it'],
  [
    'hooks.order',
    'plugin names by hook',
    '{}',
    'Pins the order of handlers: these first, others follow in computed order',
  ],
  ['hooks.onError', 'verdicts by plugin and hook', '{}', 'What a failing handler counts as'],
  ['plugins', 'plugin[]', '', 'The plugins to use; false, null and undefined are skipped'],
]

export function optionsPage(plugins: readonly Plugin[]): string {
  const columns = ['option', 'type', 'default', 'meaning']
  const own = table(
    columns,
    CORE.map(([option, type, standard, text]) => [code(option), code(type), code(standard), text]),
  )
  const unique = [...new Map(plugins.map(plugin => [plugin.name, plugin])).values()]
  const sections = unique.map(plugin => {
    const title = `\n## ${plugin.name}\n\n`
    if (plugin.spec.options === undefined) return `${title}No options.\n`
    const schema = describedBy(plugin.spec.options as object)
    if (schema === undefined) return `${title}See its README.\n`
    const rows = optionRows('', schema, false).filter(([option]) => option !== '')
    return (
      title +
      table(
        columns,
        rows.map(([option = '', type = '', standard = '', text = '']) => [
          code(option),
          code(type),
          code(standard),
          text,
        ]),
      )
    )
  })
  const intro =
    'Options of `defineConfig` and of the plugins. `*` stands for any name, `[]` for each of a list; **bold** ones must be given.'
  return page('Options', intro, `## Core\n\n${own}${sections.join('')}`)
    .replaceAll('`!', '**`')
    .replaceAll('!`', '`**')
}

/** The part of JSON Schema that option schemas use. */
interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: JsonSchema | boolean
  readonly items?: JsonSchema | boolean
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly allOf?: readonly JsonSchema[]
}

function describedBy(options: object): JsonSchema | undefined {
  const standard = (options as Record<string, unknown>)['~standard'] as
    | { readonly jsonSchema?: { readonly input?: (o: { target: string }) => unknown } }
    | undefined
  try {
    return standard?.jsonSchema?.input?.({ target: 'draft-2020-12' }) as JsonSchema | undefined
  } catch {
    // A schema with parts that JSON Schema cannot say.
    return undefined
  }
}

/** Rows of option, type, default, meaning: the schema itself, then what is in it. */
function optionRows(name: string, schema: JsonSchema, required: boolean): string[][] {
  const shown = schema.default === undefined ? '' : JSON.stringify(schema.default)
  const own = [required ? `!${name}!` : name, typeOf(schema), shown, schema.description ?? '']
  return [own, ...innerRows(name, schema)]
}

function innerRows(name: string, schema: JsonSchema): string[][] {
  const prefix = name === '' ? '' : `${name}.`
  const fields = Object.entries(schema.properties ?? {}).flatMap(([key, inner]) =>
    optionRows(`${prefix}${key}`, inner, schema.required?.includes(key) === true && inner.default === undefined),
  )
  const values =
    typeof schema.additionalProperties === 'object' ? innerRows(`${prefix}*`, schema.additionalProperties) : []
  const items = typeof schema.items === 'object' ? innerRows(`${name}[]`, schema.items) : []
  const choices = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])].flatMap(s =>
    innerRows(name, s),
  )
  const seen = new Set<string>()
  return [...fields, ...values, ...items, ...choices].filter(([option = '']) => !seen.has(option) && seen.add(option))
}

function typeOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum !== undefined)
    return schema.enum.map(v => (typeof v === 'string' ? v : JSON.stringify(v))).join(' | ')
  const choices = schema.anyOf ?? schema.oneOf
  if (choices !== undefined) return [...new Set(choices.map(typeOf))].join(' | ')
  if (schema.type === 'array') return typeof schema.items === 'object' ? `${bracketed(typeOf(schema.items))}[]` : 'list'
  if (schema.type === 'object')
    return typeof schema.additionalProperties === 'object' ? `${typeOf(schema.additionalProperties)} by name` : 'object'
  if (schema.type === 'integer' || schema.type === 'number') return `${schema.type}${range(schema)}`
  return [schema.type ?? 'any'].flat().join(' | ')
}

const bracketed = (type: string): string => (type.includes(' ') ? `(${type})` : type)

function range({ minimum, maximum }: JsonSchema): string {
  const least = minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? undefined : minimum
  const most = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : maximum
  if (least !== undefined && most !== undefined) return `, ${least} to ${most}`
  if (least !== undefined) return `, at least ${least}`
  return most === undefined ? '' : `, at most ${most}`
}
