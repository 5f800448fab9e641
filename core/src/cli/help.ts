// mox help: every command in one line each, or one command in full.
import { usage } from './args.ts'
import type { CommandInfo } from './types.ts'

export interface HelpEntry {
  readonly name: string
  readonly summary: string
}

/** `notes` are lines at the end. */
export function overview(entries: readonly HelpEntry[], notes: readonly string[]): string {
  const sorted = [...entries].sort((a, b) => (a.name < b.name ? -1 : 1))
  const width = Math.max(...sorted.map(e => e.name.length))
  const lines = sorted.map(e => `  ${e.name.padEnd(width)}  ${e.summary}`)
  return `mox COMMAND …\n\n${lines.join('\n')}\n\n${notes.map(note => `${note}\n`).join('')}`
}

/** The commands of one group: "mox queue". */
export function groupHelp(group: readonly string[], commands: readonly CommandInfo[]): string {
  const inner = commands.filter(c => group.every((word, i) => c.path[i] === word))
  return overview(
    inner.map(c => ({ name: c.path.join(' '), summary: c.summary })),
    [`mox help ${group.join(' ')} COMMAND shows arguments and flags.`],
  )
}

export function commandHelp(command: CommandInfo): string {
  const rows: [string, string][] = [
    ...(command.arguments ?? []).map((a): [string, string] => [a.name, a.help]),
    ...(command.flags ?? []).map((f): [string, string] => [
      `--${f.name}${f.type === 'boolean' ? '' : f.type === 'number' ? ' N' : ' TEXT'}`,
      f.help,
    ]),
    ['--config FILE', 'the config; default: mox.config.ts here or above, else that of the server started last'],
    ['--json', 'print JSON'],
    ['--limit N', 'rows at most, where it prints rows; default 100'],
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  const needs = command.offline ? '' : '\nNeeds a running server.\n'
  return `${usage(command)}\n\n${command.summary}\n\n${rows.map(([name, help]) => `  ${name.padEnd(width)}  ${help}\n`).join('')}${needs}`
}
