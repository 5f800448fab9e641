// Remembers which server this user started last, so that commands find it from any directory. Only a hint: when it
// cannot be written or read, nothing is lost but --config must be given.
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

export interface LastServer {
  /** Absolute path of the config file. */
  readonly config: string
  readonly dataDir: string
}

function path(env: NodeJS.ProcessEnv): string {
  if (process.platform === 'win32')
    return join(env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'mox', 'last-server.json')
  return join(env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'mox', 'last-server.json')
}

/** Synchronous: it must be done before the process becomes another user. */
export function rememberServer(server: LastServer, env: NodeJS.ProcessEnv = process.env): void {
  const file = path(env)
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(server)}\n`, { mode: 0o600 })
    renameSync(`${file}.${process.pid}`, file)
  } catch {
    // A home directory that is read-only or missing.
  }
}

/** The config of the server that was started last, while that file is there. */
export async function lastConfig(env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const last = await lastServer(env)
  return last !== undefined && existsSync(last.config) ? last.config : undefined
}

export async function lastServer(env: NodeJS.ProcessEnv = process.env): Promise<LastServer | undefined> {
  try {
    const { config, dataDir } = JSON.parse(await readFile(path(env), 'utf8')) as Record<string, unknown>
    return typeof config === 'string' && typeof dataDir === 'string' ? { config, dataDir } : undefined
  } catch {
    return undefined
  }
}
