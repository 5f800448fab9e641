// Runs `mox …` once, as a person would, and gives back what it printed and how it ended.
import { spawn } from 'node:child_process'
import { MOX, NODE } from './server.ts'

export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  /** Milliseconds after which it is killed; default 30,000. */
  readonly timeout?: number
}

export async function mox(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return await run([...NODE, MOX, ...args], options)
}

/** Any other program; the promise rejects when it cannot be started. */
export async function run([command = '', ...args]: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: options.timeout ?? 30_000,
    killSignal: 'SIGKILL',
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input ?? '')
  return await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => resolve({ code, stdout, stderr }))
  })
}

/** Rows of a list command. */
export async function moxJson<T>(args: readonly string[], options: CliOptions = {}): Promise<T> {
  const { code, stdout, stderr } = await mox([...args, '--json'], options)
  if (code !== 0) throw new Error(`mox ${args.join(' ')} ended with ${code}: ${stderr}${stdout}`)
  return JSON.parse(stdout) as T
}

/** True when a program of that name is installed. */
export async function installed(program: string): Promise<boolean> {
  return await run(['sh', '-c', 'command -v "$0"', program]).then(
    result => result.code === 0,
    () => false,
  )
}
