// What the parts of the command line share.
import type { Command, CommandInput, CommandResult } from '@mox/plugin-sdk'

/** A command without its code, as it goes over the control socket. */
export type CommandInfo = Omit<Command, 'run'>

/** Where a command runs: in the server behind its socket, or in this process on the data directory. */
export interface CommandSource {
  list(): Promise<readonly CommandInfo[]>
  run(command: CommandInfo, input: CommandInput): Promise<CommandResult>
  close(): Promise<void>
}

/** The outside of the process; tests have their own. */
export interface Terminal {
  stdout(text: string): void
  /** Bytes to standard output; resolves when more may be written. */
  bytes(chunk: Buffer): Promise<void>
  stderr(text: string): void
  /** Columns when standard output is a terminal; undefined otherwise: nothing is cut then. */
  readonly columns: number | undefined
  /** One secret from standard input: asked for without echo on a terminal, else the next line. */
  secret(prompt: string): Promise<string>
}

/** A command that runs in this process, without a server. */
export interface LocalCommand extends CommandInfo {
  run(input: CommandInput, context: LocalContext): Promise<CommandResult | undefined>
}

export interface LocalContext {
  readonly terminal: Terminal
  /** The --config flag. */
  readonly config: string | undefined
}

/** The command line itself is wrong: exit code 2. */
export class CommandLineError extends Error {
  override readonly name = 'CommandLineError'
}
