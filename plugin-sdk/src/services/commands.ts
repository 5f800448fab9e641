// commands@1: verbs of the command line. They run in the server's process, reached through its socket; those marked
// `offline` also run without a server, on the data directory.
import { defineService, type ServiceToken } from '../define/service.ts'

/** `--name VALUE`, or `--name` for a boolean one. */
export interface CommandFlag {
  readonly name: string
  readonly type: 'string' | 'number' | 'boolean'
  readonly help: string
}

/** A word after the command's own; `name` is what help calls it. */
export interface CommandArgument {
  readonly name: string
  readonly help: string
  /** Default true. */
  readonly required?: boolean
  /** Takes all that follow. */
  readonly rest?: boolean
}

/** One verb of the command line. */
export interface Command {
  /** ["account", "add"] for `mox account add`. */
  readonly path: readonly string[]
  readonly summary: string
  readonly arguments?: readonly CommandArgument[]
  /** `--json` and `--limit` are there for every command that returns rows. */
  readonly flags?: readonly CommandFlag[]
  /** Safe on a data directory that no server uses. */
  readonly offline: boolean
  /** Names of arguments or flags that are read from standard input, without echo on a terminal, when not given. */
  readonly secret?: readonly string[]
  /** A boolean flag of the command; when it is given, secrets are not read. */
  readonly secretUnless?: string
  /** Throws a UsageError for the user's mistakes. */
  run(input: CommandInput): Promise<CommandResult>
}

/** The words of one command line, checked against the command. */
export interface CommandInput {
  readonly arguments: readonly string[]
  readonly flags: ReadonlyMap<string, string | number | boolean>
  /** Rows to return at most; default 100. */
  readonly limit: number
}

/**
 * Rows make a table, or with --json an array of objects; a value is printed as JSON; text as it is, but for what controls
 * a terminal; bytes as they are, unless standard output is a terminal.
 */
export type CommandResult =
  | {
      readonly kind: 'rows'
      readonly columns: readonly string[]
      readonly rows: readonly Readonly<Record<string, unknown>>[]
      readonly more?: boolean
      /** How to get the rows that follow: "--after 5.3". */
      readonly next?: string
    }
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'text'; readonly text: string; readonly failed?: boolean }
  | { readonly kind: 'bytes'; readonly chunks: AsyncIterable<Buffer> }

/** Commands that plugins add to `mox`. */
export const commands: ServiceToken<Command, 'many'> = defineService<Command, 'many'>('commands@1', 'many')
