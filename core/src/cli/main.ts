// The command line: finds the command, runs it here, in the running server, or on the data directory, and prints what
// it returned. Exit codes: 0 done; 1 it failed, and standard error says why; 2 the command line itself is wrong.
import { type CommandInput, type CommandResult, UsageError } from '@mox/plugin-sdk'
import { escapeControl } from '../base/text.ts'
import { matchCommand, parseWords, takeConfig, unknownCommand } from './args.ts'
import { localCommands } from './local.ts'
import { type Rendered, render, renderBytes } from './render.ts'
import { processTerminal } from './terminal.ts'
import { type CommandInfo, CommandLineError, type CommandSource, type LocalCommand, type Terminal } from './types.ts'

/** Runs one command line and returns the exit code. */
export async function main(argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const { config, words } = takeConfig(argv)
    return await dispatch(words, config, terminal)
  } catch (error) {
    terminal.stderr(`mox: ${explain(error)}\n`)
    return error instanceof CommandLineError ? 2 : 1
  }
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return escapeControl(String(error))
  const expected = error instanceof CommandLineError || error.name === 'UsageError' || error.name === 'RemoteError'
  if (expected) return escapeControl(error.message, '\n\t')
  // Where the plugin threw is of more use than where that was noticed.
  const { cause } = error
  const own = cause instanceof Error && error.message.endsWith(cause.message) ? cause.stack : undefined
  const text = own === undefined ? (error.stack ?? error.message) : `${error.message}\n${own}`
  return escapeControl(text, '\n\t')
}

async function dispatch(words: readonly string[], config: string | undefined, terminal: Terminal): Promise<number> {
  const [first = 'help'] = words
  if (first === 'help' || first === '--help' || first === '-h') return await help(words.slice(1), config, terminal)
  if (first === '--version') return await dispatch(['version'], config, terminal)
  const local = matchCommand(words, localCommands)
  if (local !== undefined) return await runLocal(local.command, local.rest, config, terminal)
  if (!localCommands.some(c => c.path[0] === first)) {
    const { packageCommand } = await import('./packages.ts')
    const found = await packageCommand(first)
    if (found !== undefined) {
      const { serveConfig } = await import('./commands/serve.ts')
      const argv = config === undefined ? words.slice(1) : [...words.slice(1), '--config', config]
      let code = 0
      const command = async (command: readonly string[], file = config): Promise<void> => {
        code = await runRemote(command, file, terminal)
      }
      await found.run(argv, { serve: serveConfig, command, stdout: terminal.stdout, stderr: terminal.stderr })
      return code
    }
  }
  return await runRemote(words, config, terminal)
}

async function runLocal(
  command: LocalCommand,
  rest: readonly string[],
  config: string | undefined,
  terminal: Terminal,
): Promise<number> {
  const { input, help: wanted } = parseWords(command, rest)
  if (wanted) return await printHelp(command, terminal)
  const result = await command.run(input, { terminal, config })
  return result === undefined ? 0 : await print(result, input, terminal)
}

async function runRemote(words: readonly string[], config: string | undefined, terminal: Terminal): Promise<number> {
  const source = await openOrExplain(words, config)
  try {
    const commands = await source.list()
    const found = matchCommand(words, commands)
    if (found === undefined) throw unknownCommand(words, [...localCommands, ...commands, ...(await packageInfos())])
    const parsed = parseWords(found.command, found.rest)
    if (parsed.help) return await printHelp(found.command, terminal)
    const input = await withSecrets(found.command, parsed.input, terminal)
    return await print(await source.run(found.command, input), input, terminal)
  } finally {
    await source.close()
  }
}

/** Without a config, a mistyped command is still the likelier mistake. */
async function openOrExplain(words: readonly string[], config: string | undefined): Promise<CommandSource> {
  const { openSource } = await import('./source.ts')
  try {
    return await openSource(config)
  } catch (error) {
    const { coreInfos } = await import('./core-infos.ts')
    const known = [...localCommands, ...coreInfos(), ...(await packageInfos())]
    const wrong = unknownCommand(words, known)
    if (matchCommand(words, known) === undefined && /did you mean|needs one of/.test(wrong.message)) throw wrong
    throw error
  }
}

async function packageInfos(): Promise<CommandInfo[]> {
  const { packageCommandNames } = await import('./packages.ts')
  return packageCommandNames().map(name => ({ path: [name], summary: '', offline: true }))
}

async function withSecrets(command: CommandInfo, input: CommandInput, terminal: Terminal): Promise<CommandInput> {
  const unneeded = command.secretUnless !== undefined && input.flags.get(command.secretUnless) === true
  if (command.secret === undefined || unneeded) return input
  const args = [...input.arguments]
  const flags = new Map(input.flags)
  for (const name of command.secret) {
    const at = command.arguments?.findIndex(a => a.name === name) ?? -1
    if (at >= 0 ? args[at] !== undefined : flags.has(name)) continue
    const value = await terminal.secret(name)
    if (at >= 0) args[at] = value
    else flags.set(name, value)
  }
  return { ...input, arguments: args, flags }
}

async function print(given: CommandResult, input: CommandInput, terminal: Terminal): Promise<number> {
  if (given.kind === 'bytes') {
    if (terminal.columns === undefined) for await (const chunk of given.chunks) await terminal.bytes(chunk)
    else for await (const text of renderBytes(given.chunks)) terminal.stdout(text)
    return 0
  }
  const cut = given.kind === 'rows' && given.rows.length > input.limit
  const result: Rendered = cut ? { ...given, rows: given.rows.slice(0, input.limit), more: true } : given
  terminal.stdout(render(result, { json: input.flags.get('json') === true, columns: terminal.columns }))
  return result.kind === 'text' && result.failed === true ? 1 : 0
}

async function printHelp(command: CommandInfo, terminal: Terminal): Promise<number> {
  const { commandHelp } = await import('./help.ts')
  terminal.stdout(escapeControl(commandHelp(command), '\n'))
  return 0
}

async function help(words: readonly string[], config: string | undefined, terminal: Terminal): Promise<number> {
  const [{ groupHelp, overview }, { packageCommand, packageCommandNames }, { coreInfos }] = await Promise.all([
    import('./help.ts'),
    import('./packages.ts'),
    import('./core-infos.ts'),
  ])
  const packages = await Promise.all(
    packageCommandNames().map(async name => ({ name, command: await packageCommand(name).catch(() => undefined) })),
  )
  const wanted = packages.find(p => p.name === words[0])?.command
  if (wanted !== undefined) {
    terminal.stdout(wanted.help)
    return 0
  }
  const [remote, note] = await listRemote(config)
  const commands: CommandInfo[] = [...localCommands, ...(remote ?? coreInfos())]
  if (words.length === 0) {
    const entries = [
      ...commands.map(c => ({ name: c.path.join(' '), summary: c.summary })),
      ...packages.flatMap(p => (p.command === undefined ? [] : [{ name: p.name, summary: p.command.summary }])),
    ]
    terminal.stdout(escapeControl(overview(entries, ['mox help COMMAND shows arguments and flags.', ...note]), '\n'))
    return 0
  }
  const found = matchCommand(words, commands)
  if (found !== undefined && found.rest.length === 0) return await printHelp(found.command, terminal)
  if (!commands.some(c => words.every((word, i) => c.path[i] === word))) throw unknownCommand(words, commands)
  terminal.stdout(escapeControl(groupHelp(words, commands), '\n'))
  return 0
}

/** What the config's plugins add, and a note when that cannot be found out. */
async function listRemote(config: string | undefined): Promise<[readonly CommandInfo[] | undefined, string[]]> {
  const { openSource } = await import('./source.ts')
  try {
    const source = await openSource(config)
    try {
      return [await source.list(), []]
    } finally {
      await source.close()
    }
  } catch (error) {
    if (config !== undefined && error instanceof UsageError) throw error
    return [undefined, ['Plugins add commands of their own; they are shown here when there is a config.']]
  }
}

/** The whole process: reads its arguments, and ends it. */
export async function run(): Promise<void> {
  const code = await main(process.argv.slice(2), processTerminal())
  // Whatever a plugin left open must not keep the process; what was printed must be out first.
  process.stdout.write('', () => process.exit(code))
}

if (import.meta.main) await run()
