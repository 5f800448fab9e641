// Pages of the reference: hooks, services, commands, metrics.
import type { HookName, Plugin, ServiceToken } from '@mox/plugin-sdk'
import type { MetricInfo } from '../../base/metrics.ts'
import { HOOKS } from '../../hooks/table.ts'
import type { PluginExplanation } from '../../host/host.ts'
import { usage } from '../args.ts'
import type { CommandInfo } from '../types.ts'

const NOTE = 'Made by `npm run docs` from the code; do not edit.\n'

export function page(title: string, intro: string, body: string): string {
  return `# ${title}\n\n${NOTE}\n${intro}\n\n${body.trimEnd()}\n`
}

/** A Markdown table; cells have no line ends and no free bars. */
export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map(c => c.replace(/\s+/g, ' ').replaceAll('|', '\\|')).join(' | ')} |\n`
  return line(columns) + line(columns.map(() => '---')) + rows.map(line).join('')
}

export const code = (text: string): string => (text === '' ? '' : `\`${text}\``)

const WHEN: Readonly<Record<HookName, string>> = {
  'onReceive.connect': 'a peer connected',
  'onReceive.mail': 'MAIL FROM was given',
  'onReceive.rcpt': 'a recipient was given',
  'onReceive.data': 'the whole message is here, not yet stored',
  'onReceive.head': 'the message may come in; its header section can still be changed',
  'onReceive.done': 'a message was stored',
  onQueue: 'a recipient is about to be queued',
  beforeDeliver: 'a delivery attempt is about to start',
  onAttempt: 'a delivery attempt ended',
  'onDSN.compose': 'a delivery status notification is about to be written',
  'onDSN.match': 'a message came in that may report about one of ours',
  'onRetire.tx': 'a recipient leaves the queue, inside the transaction',
  'onDSN.done': 'a report that came in was matched to a recipient',
  'onRetire.done': 'a recipient left the queue',
  'onWebhook.compose': 'a webhook event is about to be stored, inside the transaction',
  'onWebhook.send': 'a webhook is about to be sent',
  'onReport.due': 'a reporting period ended',
  'onReport.received': 'a message came in that may be a report',
  'onAccount.remove': 'an account is being removed, inside the transaction',
}

export function hooksPage(): string {
  const rows = [...HOOKS.values()].map(row => [
    code(row.name),
    WHEN[row.name],
    row.sort,
    [...row.ladder, ...(row.patch === undefined ? [] : ['patch'])].join(' · '),
    `${row.limitMs / 1000} s${row.totalMs === undefined ? '' : `, ${row.totalMs / 1000} s in all`}`,
    row.failure,
    row.otherFailures.join(', '),
  ])
  const columns = ['hook', 'when', 'sort', 'verdicts', 'time limit', 'a failure counts as', 'or, with onError']
  const intro =
    'Hooks in the order a message meets them. Verdicts stand from the weakest to the strongest; the strongest one given wins. How a failure counts is the same for a throw, a late answer and a bad one; `retry` repeats the call later, `undo` takes back what the handler wrote.'
  return page('Hooks', intro, table(columns, rows))
}

const BUILT_IN = 'core'

export function servicesPage(plugins: readonly Plugin[], explained: readonly PluginExplanation[]): string {
  const known = new Map<string, { token: ServiceToken<unknown>; providers: string[]; users: string[] }>()
  const entry = (token: ServiceToken<unknown>): { providers: string[]; users: string[] } => {
    const found = known.get(token.id) ?? { token, providers: [], users: [] }
    known.set(token.id, found)
    return found
  }
  for (const [i, plugin] of plugins.entries()) {
    const name = explained[i]?.name ?? plugin.name
    for (const token of Object.values(plugin.spec.needs ?? {})) entry(token).users.push(name)
    for (const token of Object.values(plugin.spec.provides ?? {})) entry(token).providers.push(name)
  }
  const rows = [...known.values()]
    .sort((a, b) => (a.token.id < b.token.id ? -1 : 1))
    .map(({ token, providers, users }) => [
      code(token.id),
      token.arity === 'many' ? 'any number' : 'one',
      providers.length === 0 && token.arity === 'one' ? BUILT_IN : providers.join(', '),
      users.join(', '),
    ])
  const intro = 'Services that the plugins offer and use. Their types are in `plugin-sdk/src/services`.'
  return page('Services', intro, table(['service', 'providers', 'provided by', 'used by'], rows))
}

export function commandsPage(commands: readonly CommandInfo[]): string {
  const sorted = [...commands].sort((a, b) => (a.path.join(' ') < b.path.join(' ') ? -1 : 1))
  const body = sorted.map(command => {
    const rows = [
      ...(command.arguments ?? []).map(a => [code(a.name), a.help]),
      ...(command.flags ?? []).map(f => [
        code(`--${f.name}${f.type === 'boolean' ? '' : f.type === 'number' ? ' N' : ' TEXT'}`),
        f.help,
      ]),
    ]
    const needs = command.offline ? '' : ' Needs a running server.'
    return `## mox ${command.path.join(' ')}\n\n${sentence(command.summary)}${needs}\n\n    ${usage(command)}\n\n${rows.length === 0 ? '' : `${table(['', ''], rows)}\n`}`
  })
  const intro =
    'Every command takes `--config FILE`, `--json` and `--help`; those that print rows take `--limit N`. Exit codes: 0 done, 1 it failed, 2 the command line is wrong.'
  return page('Commands', intro, body.join(''))
}

const sentence = (text: string): string =>
  `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`

export function metricsPage(metrics: readonly MetricInfo[]): string {
  const rows = metrics.map(m => [code(m.name), m.kind, m.help])
  return page(
    'Metrics',
    'What `/metrics` shows, in the text format of Prometheus.',
    table(['metric', 'kind', 'meaning'], rows),
  )
}
