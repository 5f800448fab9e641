// A localserve of a test's own: a child process in a new directory, on free ports of 127.0.0.1. It ends with close(), and at the
// latest with the test's process; nothing is left behind. One that does not start is an error with all that it said.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, realpathSync, rmSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testConfigText } from '../config.ts'

/** Characters of output kept for errors. */
const OUTPUT = 100_000
/** Milliseconds until it must be ready, and until it must have ended. */
export const START_MS = 30_000
const STOP_MS = 20_000

export interface StartOptions {
  /** Changes the text of its mox.config.ts before the start: further plugins, other options. */
  readonly config?: (text: string) => string
  /** Environment variables on top of those of this process. */
  readonly env?: Readonly<Record<string, string>>
  /** Gets each line of its log, JSON. */
  readonly onLog?: (line: string) => void
}

export type ListenerName = 'smtp' | 'submission' | 'submissions' | 'http' | 'https' | 'metrics'

export interface Started {
  readonly dir: string
  readonly ports: Readonly<Record<ListenerName, number>>
  close(): Promise<void>
}

export async function startProcess(options: StartOptions): Promise<Started> {
  const program = findProgram()
  const dir = await mkdtemp(join(tmpdir(), 'mox-localserve-'))
  let child: ChildProcess | undefined
  const atExit = (): void => {
    child?.kill('SIGKILL')
    rmSync(dir, { recursive: true, force: true })
  }
  process.once('exit', atExit)
  const clean = async (): Promise<void> => {
    process.off('exit', atExit)
    await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  }
  try {
    const text = await testConfigText()
    await writeFile(join(dir, 'mox.config.ts'), options.config?.(text) ?? text)
    child = spawn(process.execPath, [program, 'localserve', '--dir', dir], {
      cwd: dir,
      // Where the server started last is kept: commands go on talking to the developer's own.
      env: { ...process.env, NODE_OPTIONS: '', XDG_STATE_HOME: dir, LOCALAPPDATA: dir, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const ports = await whenReady(child, options.onLog)
    return { dir, ports, close: once(() => stop(child).then(clean)) }
  } catch (error) {
    await stop(child)
    await clean()
    throw error
  }
}

/** The command of the installed @mox/core, which plugins do not depend on. */
function findProgram(): string {
  for (const from of [import.meta.url, join(process.cwd(), 'package.json')])
    for (const folder of createRequire(from).resolve.paths('@mox/core') ?? []) {
      const file = join(folder, '@mox', 'core', 'bin', 'mox.js')
      if (existsSync(file)) return realpathSync(file)
    }
  throw new Error('@mox/core is not installed; run npm install --save-dev @mox/core')
}

function whenReady(child: ChildProcess, onLog: StartOptions['onLog']): Promise<Started['ports']> {
  const ports: Partial<Record<ListenerName, number>> = {}
  let output = ''
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      clearTimeout(timer)
      reject(new Error(`localserve ${why}:\n${output}`))
    }
    const timer = setTimeout(() => fail(`was not ready after ${START_MS / 1_000} s`), START_MS)
    child.once('error', error => fail(`could not be started (${error.message})`))
    child.once('close', (code, signal) => fail(`ended before it was ready, with ${signal ?? code}`))
    const line = (text: string): void => {
      output = `${output}${text}\n`.slice(-OUTPUT)
      if (!text.startsWith('{')) return
      onLog?.(text)
      const entry = parseLine(text)
      const port = entry['url'] === undefined ? entry['port'] : new URL(String(entry['url'])).port
      if (entry['m'] === 'listening') ports[String(entry['listener']) as ListenerName] = Number(port)
      if (entry['m'] !== 'ready') return
      clearTimeout(timer)
      resolve(ports as Started['ports'])
    }
    for (const stream of [child.stdout, child.stderr]) eachLine(stream, line)
  })
}

function eachLine(stream: ChildProcess['stdout'], take: (line: string) => void): void {
  let rest = ''
  stream?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = (lines.pop() ?? '').slice(-OUTPUT)
    for (const line of lines) take(line)
  })
}

function parseLine(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>
  } catch {
    return {}
  }
}

async function stop(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await ended
  clearTimeout(timer)
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => {
    done ??= work()
    return done
  }
}
