// Commands that come with a package and work without a config: `mox localserve` is the default export of
// @mox/plugin-localserve/command.
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { findPackage } from '../config/resolver.ts'

export interface PackageCommand {
  readonly summary: string
  readonly help: string
  run(argv: readonly string[], tools: PackageTools): Promise<void>
}

export interface PackageTools {
  /** Runs the server of a config file until a signal ends it. */
  serve(configPath: string, options: { logLevel?: string; onReady?: () => void }): Promise<void>
  /** Runs a command of the running server, and prints what it returns. `config`: its config file; default the last server's. */
  command(words: readonly string[], config?: string): Promise<void>
  stdout(text: string): void
  stderr(text: string): void
}

/** Undefined when no installed package brings the command. */
export async function packageCommand(name: string): Promise<PackageCommand | undefined> {
  if (!/^[a-z][a-z0-9-]{0,63}$/.test(name)) return undefined
  const file = findPackage(`@mox/plugin-${name}/command`)
  if (file === undefined || !existsSync(file)) return undefined
  return ((await import(/* @vite-ignore */ pathToFileURL(file).href)) as { default: PackageCommand }).default
}

/** Names of the commands that installed packages bring. */
export function packageCommandNames(): string[] {
  const names = new Set<string>()
  for (const folder of createRequire(import.meta.url).resolve.paths('@mox/core') ?? [])
    for (const entry of list(join(folder, '@mox'))) {
      const name = /^plugin-([a-z][a-z0-9-]*)$/.exec(entry)?.[1]
      if (name !== undefined && brings(join(folder, '@mox', entry))) names.add(name)
    }
  return [...names].sort()
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function brings(folder: string): boolean {
  try {
    const manifest = JSON.parse(readFileSync(join(realpathSync(folder), 'package.json'), 'utf8')) as {
      exports?: Record<string, unknown>
    }
    return manifest.exports?.['./command'] !== undefined
  } catch {
    return false
  }
}
