// `mox localserve` itself, from a directory that it makes, with its fixed ports replaced by free ones: several tests may run
// at the same time, and beside a localserve of the developer.
import assert from 'node:assert/strict'
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mox } from './cli.ts'
import { type Server, startServer } from './server.ts'
import { removeDir, tempDir } from './temp.ts'

export interface LocalserveOptions {
  readonly args?: readonly string[]
  /** Put into the config's `queue`. */
  readonly queue?: string
  /** Adds the probe plugin. */
  readonly probe?: boolean
  /** Plugins of the template that are left out. */
  readonly without?: readonly string[]
}

export interface Localserve extends Server {
  [Symbol.asyncDispose](): Promise<void>
}

/** Makes the directory with `--init-only`, frees the ports, starts it. Its directory is removed when it is disposed of. */
export async function startLocalserve(options: LocalserveOptions = {}): Promise<Localserve> {
  const dir = await tempDir('mox-localserve')
  try {
    const made = await mox(['localserve', '--dir', dir, '--init-only'])
    assert.equal(made.code, 0, made.stderr + made.stdout)
    await freePorts(dir, options)
    const server = await startServer({ dir, args: ['localserve', '--dir', dir, ...(options.args ?? [])] })
    const dispose = server[Symbol.asyncDispose].bind(server)
    return Object.assign(server, {
      [Symbol.asyncDispose]: async () => {
        await dispose()
        await removeDir(dir)
      },
    })
  } catch (error) {
    await removeDir(dir)
    throw error
  }
}

/** Rewrites a localserve config: free ports on 127.0.0.1, a log that can be read by a program. */
export async function freePorts(dir: string, options: LocalserveOptions = {}): Promise<void> {
  const file = join(dir, 'mox.config.ts')
  const text = await readFile(file, 'utf8')
  const probe = fileURLToPath(new URL('./probe.ts', import.meta.url))
  const left = (options.without ?? []).reduce((rest, name) => {
    assert.match(rest, new RegExp(`^ {4}${name}\\(.*\n`, 'm'))
    return rest.replace(new RegExp(`^ {4}${name}\\(.*\n`, 'm'), '')
  }, text)
  const changed = left
    .replace(/^const ip = .*$/m, "const ip = '127.0.0.1'")
    .replace(/\bport: \d+/g, 'port: 0')
    .replace(/\blog: \{/, "log: { format: 'json',")
    .replace(/\bqueue: \{/, `queue: { ${options.queue === undefined ? '' : `${options.queue},`}`)
    .replace(/^ {4}localserve\(.*$/m, line => (options.probe ? `    probe(),\n${line}` : line))
  assert.notEqual(changed, text)
  await writeFile(file, changed)
  if (options.probe) await appendFile(file, `\nimport { probe } from ${JSON.stringify(probe)}\n`)
}
