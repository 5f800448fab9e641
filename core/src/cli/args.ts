// The words of the command line: which command, its arguments and flags. A mistake names the word and what is possible.
import { type CommandInput, didYouMean } from '@mox/plugin-sdk'
import { type CommandInfo, CommandLineError } from './types.ts'

/** Rows a command returns when --limit is not given, and at most. */
export const DEFAULT_LIMIT = 100
export const LIMIT_MAXIMUM = 10_000

/** Takes --config FILE out of the words, wherever it stands before "--". */
export function takeConfig(argv: readonly string[]): {
  readonly config: string | undefined
  readonly words: readonly string[]
} {
  let config: string | undefined
  const words: string[] = []
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!
    if (word === '--') {
      words.push(...argv.slice(i))
      break
    }
    if (word === '--config') {
      config = argv[++i]
      if (config === undefined || config === '') throw new CommandLineError('--config needs the path of a config file')
    } else if (word.startsWith('--config=')) config = word.slice('--config='.length)
    else words.push(word)
  }
  return { config, words }
}

/** The command with the longest path that the words start with, and the words after it. */
export function matchCommand<C extends CommandInfo>(
  words: readonly string[],
  commands: readonly C[],
): { readonly command: C; readonly rest: readonly string[] } | undefined {
  let best: C | undefined
  for (const command of commands)
    if (command.path.length > (best?.path.length ?? 0) && command.path.every((word, i) => words[i] === word))
      best = command
  return best === undefined ? undefined : { command: best, rest: words.slice(best.path.length) }
}

/** What is wrong with words that match no command. */
export function unknownCommand(words: readonly string[], commands: readonly CommandInfo[]): CommandLineError {
  let known = commands
  for (const [depth, word] of words.entries()) {
    const inner = known.filter(c => c.path[depth] === word)
    if (inner.length === 0) {
      const next = [...new Set(known.flatMap(c => c.path[depth] ?? []))].sort()
      if (word.startsWith('-') || depth === 0) break
      const group = `mox ${words.slice(0, depth).join(' ')}`
      return new CommandLineError(
        `${group} has no "${word}"${didYouMean(word, next) || `; there are ${next.join(', ')}`}`,
      )
    }
    known = inner
  }
  const first = words[0] ?? ''
  if (known.length < commands.length) {
    const depth = words.findIndex(word => word.startsWith('-'))
    const group = words.slice(0, depth < 0 ? words.length : depth)
    const next = [...new Set(known.flatMap(c => c.path[group.length] ?? []))].sort()
    return new CommandLineError(`mox ${group.join(' ')} needs one of: ${next.join(', ')}`)
  }
  const names = new Set(commands.map(c => c.path[0] ?? ''))
  return new CommandLineError(`unknown command "${first}"${didYouMean(first, names) || '; see mox help'}`)
}

export interface ParsedWords {
  readonly input: CommandInput
  readonly help: boolean
}

/** Checks the words after a command's path against its arguments and flags. Secrets may be missing. */
export function parseWords(command: CommandInfo, words: readonly string[]): ParsedWords {
  const name = `mox ${command.path.join(' ')}`
  const flags = new Map<string, string | number | boolean>()
  const args: string[] = []
  let help = false
  const types = new Map<string, 'string' | 'number' | 'boolean'>([
    ['json', 'boolean'],
    ['limit', 'number'],
    ['help', 'boolean'],
    ...(command.flags ?? []).map(f => [f.name, f.type] as const),
  ])
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    if (word === '--') {
      args.push(...words.slice(i + 1))
      break
    }
    if (word === '-h') help = true
    else if (!word.startsWith('--')) {
      // A single dash is standard input; -1 and the like are for the command to judge.
      if (/^-[a-z]/i.test(word))
        throw new CommandLineError(`${name}: unknown flag ${word}; flags have two dashes, see ${name} --help`)
      args.push(word)
    } else {
      const equals = word.indexOf('=')
      const flag = word.slice(2, equals < 0 ? undefined : equals)
      const type = types.get(flag)
      if (type === undefined) {
        const known = [...types.keys()].map(k => `--${k}`)
        throw new CommandLineError(
          `${name}: unknown flag --${flag}${didYouMean(`--${flag}`, known) || `; see ${name} --help`}`,
        )
      }
      if (flag === 'help') help = true
      else if (type === 'boolean')
        flags.set(flag, booleanValue(name, flag, equals < 0 ? undefined : word.slice(equals + 1)))
      else {
        const value = equals < 0 ? words[++i] : word.slice(equals + 1)
        if (value === undefined || (equals < 0 && value.startsWith('--')))
          throw new CommandLineError(
            `${name}: --${flag} needs a value, such as --${flag} ${type === 'number' ? '10' : 'TEXT'}`,
          )
        flags.set(flag, type === 'number' ? numberValue(name, flag, value) : value)
      }
    }
  }
  if (!help) checkCount(command, name, args, flags)
  return { input: { arguments: args, flags, limit: limitOf(name, flags.get('limit')) }, help }
}

function booleanValue(name: string, flag: string, value: string | undefined): boolean {
  if (value === undefined || value === 'true') return true
  if (value === 'false') return false
  throw new CommandLineError(`${name}: --${flag}=${value}: write --${flag}, --${flag}=true or --${flag}=false`)
}

function numberValue(name: string, flag: string, value: string): number {
  const number = Number(value)
  if (/^-?\d{1,15}(?:\.\d{1,15})?$/.test(value)) return number
  throw new CommandLineError(`${name}: --${flag} ${JSON.stringify(value)} is not a number, such as --${flag} 10`)
}

function limitOf(name: string, value: unknown): number {
  if (value === undefined) return DEFAULT_LIMIT
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= LIMIT_MAXIMUM) return value
  throw new CommandLineError(`${name}: --limit ${String(value)} must be a whole number from 1 to ${LIMIT_MAXIMUM}`)
}

function checkCount(
  command: CommandInfo,
  name: string,
  args: readonly string[],
  flags: ReadonlyMap<string, unknown>,
): void {
  const known = command.arguments ?? []
  const rest = known.some(a => a.rest === true)
  const extra = args[known.length]
  if (!rest && extra !== undefined)
    throw new CommandLineError(
      `${name}: ${JSON.stringify(extra)} is one argument too many; it takes ${known.length === 0 ? 'none' : known.map(a => a.name).join(' ')}`,
    )
  const missing = known.find(
    (a, i) => a.required !== false && args[i] === undefined && !command.secret?.includes(a.name),
  )
  if (missing !== undefined && !flags.has(missing.name))
    throw new CommandLineError(`${name}: ${missing.name} is missing: ${missing.help}; usage: ${usage(command)}`)
}

/** "mox queue retired print ID [--json]" */
export function usage(command: CommandInfo): string {
  const args = (command.arguments ?? []).map(a => {
    const optional = a.required === false || command.secret?.includes(a.name) === true
    const text = `${a.name}${a.rest === true ? '…' : ''}`
    return optional ? `[${text}]` : text
  })
  const flags = (command.flags ?? []).map(f =>
    f.type === 'boolean' ? `[--${f.name}]` : `[--${f.name} ${f.type === 'number' ? 'N' : 'TEXT'}]`,
  )
  return ['mox', ...command.path, ...args, ...flags].join(' ')
}
