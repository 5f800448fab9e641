// `mox localserve`: makes a directory with a configuration on first use, then runs the server from it. Everything that can
// be wrong with the arguments is said before anything is written.
import { access, mkdir, rm, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { UsageError } from '@mox/plugin-sdk'
import { configText, PORTS } from './config.ts'

/** What core hands to a command that a package brings. */
export interface CommandTools {
  /** Runs the server of a config file until a signal ends it. */
  serve(configPath: string, options: { logLevel?: string; onReady?: () => void }): Promise<void>
  /** Runs a command of the running server. `config`: its config file; default the last server's. */
  command(words: readonly string[], config?: string): Promise<void>
  stdout(text: string): void
  stderr(text: string): void
}

const HELP = `mox localserve [--dir PATH] [--ip IP] [--init-only] [--log-level LEVEL]
mox localserve advance DURATION [--dir PATH]

A mail server for development: takes any mail, delivers all of it to one account, and shows it on a page.

  --dir PATH         where it keeps its configuration and data; default ${'<user config dir>'}/mox-localserve
  --ip IP            listen on this address instead of 127.0.0.1 and ::1; only when the directory is made
  --init-only        make the directory and end
  --log-level LEVEL  trace, debug, info, warn or error

advance moves the clock of the running server on, such as 90s, 1h30m or 3d: retries, reports and all else that becomes due on the
way happen at once, in order.
`

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error']

const command: { summary: string; help: string; run(argv: readonly string[], tools: CommandTools): Promise<void> } = {
  summary: 'run a mail server for development on this machine',
  help: HELP,
  run: async (argv, tools) => {
    if (argv[0] === 'advance') return await advance(argv.slice(1), tools)
    const flags = parse(argv)
    if (flags.help) return tools.stdout(HELP)
    const dir = resolve(flags.dir ?? join(configHome(), 'mox-localserve'))
    const config = join(dir, 'mox.config.ts')
    const existed = await exists(config)
    if (existed && flags.ip !== undefined)
      throw new UsageError(
        `--ip works only when the directory is made, and ${dir} exists; edit ${config}, or choose another --dir`,
      )
    if (!existed) await make(dir, config, flags.ip)
    if (flags['init-only'])
      return tools.stdout(existed ? `${config} exists already; nothing was changed\n` : `made ${config}\n`)
    await tools.serve(config, {
      ...(flags['log-level'] === undefined ? {} : { logLevel: flags['log-level'] }),
      onReady: () => tools.stdout(banner(dir, flags.ip)),
    })
  },
}
export default command

interface ParsedFlags {
  dir?: string | undefined
  ip?: string | undefined
  'init-only'?: boolean | undefined
  'log-level'?: string | undefined
  help?: boolean | undefined
}

function parse(argv: readonly string[]): ParsedFlags {
  let values: ParsedFlags
  try {
    values = parseArgs({
      args: [...argv],
      options: {
        dir: { type: 'string' },
        ip: { type: 'string' },
        'init-only': { type: 'boolean' },
        'log-level': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    throw new UsageError(`localserve: ${(error as Error).message}; see mox localserve --help`)
  }
  if (values.ip !== undefined && isIP(values.ip) === 0)
    throw new UsageError(`--ip ${JSON.stringify(values.ip)} is not an IP address; give one such as 127.0.0.2`)
  const level = values['log-level']
  if (level !== undefined && !LEVELS.includes(level))
    throw new UsageError(`--log-level ${JSON.stringify(level)} is unknown; choose one of ${LEVELS.join(', ')}`)
  return values
}

/** The same as `mox clock advance`, for the localserve of a directory or the last server. */
async function advance(argv: readonly string[], { command, stdout }: CommandTools): Promise<void> {
  const usage = 'mox localserve advance needs a duration such as 90s, 1h30m or 3d'
  let given: { values: { dir?: string | undefined; help?: boolean | undefined }; positionals: string[] }
  try {
    const help = { type: 'boolean', short: 'h' } as const
    given = parseArgs({ args: [...argv], allowPositionals: true, options: { dir: { type: 'string' }, help } })
  } catch (error) {
    throw new UsageError(`${usage}: ${(error as Error).message}`)
  }
  const { values, positionals } = given
  if (values.help) return stdout(HELP)
  const [by, ...others] = positionals
  if (by === undefined || others.length > 0) throw new UsageError(usage)
  const config = values.dir === undefined ? undefined : join(resolve(values.dir), 'mox.config.ts')
  await command(['clock', 'advance', by], config)
}

async function make(dir: string, config: string, ip: string | undefined): Promise<void> {
  const made = await mkdir(dir, { recursive: true, mode: 0o700 }).catch(error => {
    throw new UsageError(
      `cannot make ${dir} (${(error as NodeJS.ErrnoException).code}); choose another place with --dir`,
    )
  })
  try {
    await writeFile(config, await configText(ip), { flag: 'wx' })
  } catch (error) {
    if (made !== undefined) await rm(made, { recursive: true, force: true })
    throw new UsageError(
      `cannot write ${config} (${(error as NodeJS.ErrnoException).code}); choose another place with --dir`,
    )
  }
}

function banner(dir: string, ip: string | undefined): string {
  const host = ip === undefined || ip === '127.0.0.1' ? 'localhost' : isIP(ip) === 6 ? `[${ip}]` : ip
  return `
mox localserve is ready.

  webmail      http://${host}:${PORTS.http}/   reading and writing mail
  messages     http://${host}:${PORTS.http}/messages   every message, live, with what happened to it
  web API      http://${host}:${PORTS.http}/webapi/   sending over HTTP, with the same account
  account      mox@localhost, password moxmoxmox
  admin        user admin, password moxadmin

  submission   ${host}:${PORTS.submission}   SMTP with STARTTLS optional, login required
  submissions  ${host}:${PORTS.submissions}   SMTP over TLS, login required
  smtp         ${host}:${PORTS.smtp}   SMTP as other servers use it, no login
  https        https://${host}:${PORTS.https}/
  metrics      http://${host}:${PORTS.metrics}/metrics

  Any recipient is accepted. Addresses that end in temperror, permerror, timeout or a code such as 452 fail:
  at MAIL FROM when the sender starts with mailfrom, at RCPT TO when the recipient starts with rcptto,
  in the queue when it starts with queue, else at the end of DATA. Those that end in bounce or complaint come back later.

  events       mox event list; over HTTP /webapi/v1/events; posted to your program after
               mox webhook endpoint add mox app http://localhost:3000/hook
  suppression  mox queue suppress list; hold rules: mox queue holdrules add
  fromid       log in as mox+fromid@localhost for a sender address of its own for each recipient
  clock        mox localserve advance 3d

  files        ${dir}
  stop         Ctrl-C
`
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}

function configHome(): string {
  if (process.platform === 'win32') return process.env['APPDATA'] ?? join(homedir(), 'AppData', 'Roaming')
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support')
  return process.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config')
}
