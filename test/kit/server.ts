// Starts the real program as a child process and waits until it is ready. Ports are free ones that it names in its log.
// A server that ends before it is ready makes the start fail with all that it wrote.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ConfigOptions, configText, LOGIN } from './config.ts'
import { type SmtpOptions, type SmtpSession, smtpSession } from './smtp.ts'
import { eventually, removeDir, tempDir, within } from './temp.ts'

/** The command, as `npx mox` runs it. */
export const MOX: string = fileURLToPath(new URL('../../core/bin/mox.js', import.meta.url))
/** Node with the sources of this repository instead of what is built. */
export const NODE: readonly string[] = [process.execPath, '--conditions=mox-source']

/** Bytes of output kept for error messages. */
const TAIL = 200_000

export interface ServerOptions {
  /** Where the config and data are; default a new directory, removed when the server stops. */
  readonly dir?: string
  /** Text of the config file, or options for it; left out: the file that is there, or else a default one. */
  readonly config?: string | ConfigOptions
  readonly env?: Readonly<Record<string, string>>
  /** A command that runs the program given behind it. */
  readonly wrapper?: readonly string[]
  /** Arguments of mox; default `serve --config FILE`. */
  readonly args?: readonly string[]
  /** Milliseconds until it must be ready; default 20,000. */
  readonly within?: number
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** One line of the log: level, text, and the fields. */
export interface LogLine extends Readonly<Record<string, unknown>> {
  readonly l: string
  readonly m: string
}

export class Server {
  readonly dir: string
  readonly configFile: string
  readonly child: ChildProcess
  readonly exited: Promise<Exit>
  /** Milliseconds from the start to readiness. */
  startMs = 0
  private output = ''
  private partial = ''
  private readonly owned: boolean
  /** How often it became ready: once more after each SIGHUP. */
  starts = 0
  private gone = false
  private readonly listening = new Map<string, { port: number; url?: string }>()

  constructor(child: ChildProcess, dir: string, configFile: string, owned: boolean) {
    this.child = child
    this.dir = dir
    this.configFile = configFile
    this.owned = owned
    this.exited = new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => {
        this.gone = true
        resolve({ code, signal })
      })
    })
    this.exited.catch(() => undefined)
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8')
      stream?.on('data', (text: string) => this.take(text))
    }
  }

  private take(text: string): void {
    // Cheap for text that says nothing: the server may write thousands of lines a second while it is measured.
    this.output += text
    if (this.output.length > 2 * TAIL) this.output = this.output.slice(-TAIL)
    const all = this.partial + text
    const end = all.lastIndexOf('\n') + 1
    this.partial = all.slice(end)
    if (!/listening|ready/.test(all)) return
    for (const line of all.slice(0, end).split('\n'))
      if (line.includes('listening') || line.includes('ready')) this.look(line)
  }

  private look(line: string): void {
    const entry = parseLog(line)
    if (entry === undefined) return
    if (entry.m === 'listening') {
      const url = typeof entry['url'] === 'string' ? entry['url'] : undefined
      const port = Number(url === undefined ? entry['port'] : new URL(url).port)
      this.listening.set(String(entry['listener']), { port, ...(url === undefined ? {} : { url }) })
    }
    if (entry.m === 'ready') this.starts++
  }

  /** Waits until everything listens. */
  async whenReady(ms: number): Promise<void> {
    const started = performance.now()
    await eventually(
      () => {
        if (this.gone) return
        if (this.starts === 0) throw new Error(`not ready after ${ms} ms:\n${this.output}`)
      },
      { within: ms, every: 2 },
    )
    if (this.starts === 0) throw new Error(`the server ended before it was ready:\n${this.output}`)
    this.startMs = performance.now() - started
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  /** All that it wrote, or the last part of it. */
  get text(): string {
    return this.output
  }

  /** Lines of its log that are still in `text`. */
  get log(): LogLine[] {
    return this.output.split('\n').flatMap(line => parseLog(line) ?? [])
  }

  /** The listener's port. */
  port(listener: string): number {
    const found = this.listening.get(listener)
    if (found === undefined)
      throw new Error(`no listener ${listener}, only ${[...this.listening.keys()].join(', ')}:\n${this.output}`)
    return found.port
  }

  /** A path on the HTTP listener. */
  url(path: string): string {
    return `http://127.0.0.1:${this.port('http')}${path}`
  }

  /** GET, as JSON; another status than 200 is an error. */
  async get<T>(path: string): Promise<T> {
    return await this.request<T>('GET', path)
  }

  async post<T>(path: string): Promise<T> {
    return await this.request<T>('POST', path)
  }

  private async request<T>(method: string, path: string): Promise<T> {
    const response = await fetch(this.url(path), { method, headers: { 'X-Mox-Request': '1' } })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }

  async smtp(listener: string = 'submission', options: Omit<SmtpOptions, 'port'> = {}): Promise<SmtpSession> {
    return await smtpSession({ port: this.port(listener), tls: listener === 'submissions', ...options })
  }

  /** A session that is logged in. */
  async login(kind: keyof typeof LOGIN = 'serve'): Promise<SmtpSession> {
    const session = await this.smtp()
    await session.ehlo()
    await session.login(LOGIN[kind])
    return session
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name)
  }

  /** SIGTERM; gives back how it ended. */
  async stop(): Promise<Exit> {
    if (!this.gone) this.signal('SIGTERM')
    const exit = await within(20_000, () => `the server's end after SIGTERM\n${this.output}`, this.exited).catch(
      async error => {
        await this.kill()
        throw error
      },
    )
    if (this.owned) await removeDir(this.dir)
    return exit
  }

  /** SIGKILL; gives back when it is gone. The directory stays. */
  async kill(): Promise<void> {
    if (!this.gone) this.signal('SIGKILL')
    await this.exited
  }

  /** Kills it if it still runs, and removes its directory if that was made for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    if (this.owned) await removeDir(this.dir)
  }
}

/** Writes the config, starts the program, waits until it is ready. */
export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const server = await spawnServer(options)
  try {
    await server.whenReady(options.within ?? 20_000)
  } catch (error) {
    await server[Symbol.asyncDispose]()
    throw error
  }
  return server
}

/** The same without waiting: for a start that is expected to fail or to be interrupted. */
export async function spawnServer(options: ServerOptions): Promise<Server> {
  const dir = options.dir ?? (await tempDir())
  const configFile = join(dir, 'mox.config.ts')
  await mkdir(dir, { recursive: true })
  if (typeof options.config === 'string') await writeFile(configFile, options.config)
  else if (options.config !== undefined || options.dir === undefined)
    await writeFile(configFile, configText(options.config))
  const [command = '', ...args] = [
    ...(options.wrapper ?? []),
    ...NODE,
    MOX,
    ...(options.args ?? ['serve', '--config', configFile]),
  ]
  const child = spawn(command, args, {
    cwd: dir,
    // Commands without --config go on talking to the developer's own server, not to this one.
    env: { ...process.env, NODE_OPTIONS: '', XDG_STATE_HOME: join(dir, 'state'), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return new Server(child, dir, configFile, options.dir === undefined)
}

function parseLog(line: string): LogLine | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const value = JSON.parse(line) as { m?: unknown }
    return typeof value.m === 'string' ? (value as LogLine) : undefined
  } catch {
    return undefined
  }
}
