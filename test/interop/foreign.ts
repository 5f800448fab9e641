// Another mail server with a config and a spool of its own in a temporary directory: what Postfix and Exim have in common here.
import { type ChildProcess, spawn } from 'node:child_process'
import { access, chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { makeSelfSigned } from '../../plugins/certificates/src/self-signed.ts'
import { smtpSession } from '../kit/smtp.ts'
import { eventually, removeDir, tempDir } from '../kit/temp.ts'

/** Octets that they take. */
export const SIZE_LIMIT = 100_000
/** Milliseconds for a process to end on SIGTERM. */
const STOP_MS = 5_000

export interface Foreign {
  /** "postfix.test": its name and its domain. */
  readonly domain: string
  readonly port: number
  /** Whether `later@` its domain gets a 4xx. */
  later(on: boolean): Promise<void>
  /** Messages in its mailboxes. */
  mail(): Promise<{ readonly file: string; readonly text: string }[]>
  log(): Promise<string>
  [Symbol.asyncDispose](): Promise<void>
}

/** A directory that the server's own user may look into, with a certificate and a mailbox. */
export async function foreignDir(domain: string): Promise<string> {
  const dir = await tempDir('mox-interop')
  await chmod(dir, 0o755)
  const { certificate, key } = makeSelfSigned([domain], Date.now())
  await writeFile(join(dir, 'certificate.pem'), certificate)
  await writeFile(join(dir, 'key.pem'), key)
  await chmod(join(dir, 'key.pem'), 0o644)
  await mkdir(join(dir, 'mail'))
  await chmod(join(dir, 'mail'), 0o777)
  return dir
}

/** Runs `command` until it is disposed of; it has started when it greets. */
export async function startForeign(
  command: readonly string[],
  { dir, domain, port, logs }: { dir: string; domain: string; port: number; logs: readonly string[] },
): Promise<Omit<Foreign, 'later'>> {
  const [program = '', ...args] = command
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  const log = async (): Promise<string> => {
    const texts = await Promise.all(logs.map(file => readFile(join(dir, file), 'utf8').catch(() => '')))
    return [output, ...texts].join('\n')
  }
  const stop = async (): Promise<void> => {
    await end(child)
    await removeDir(dir)
  }
  try {
    await eventually(async () => (await smtpSession({ port })).close())
  } catch (error) {
    const text = await log()
    await stop()
    throw new Error(`${program} does not greet:\n${text}`, { cause: error })
  }
  return { ...{ domain, port, log, [Symbol.asyncDispose]: stop }, mail: () => mailIn(join(dir, 'mail')) }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise<void>(resolve => child.once('close', () => resolve()))
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  child.kill('SIGTERM')
  await gone
  clearTimeout(timer)
}

/** Files of all maildirs below. */
async function mailIn(dir: string): Promise<{ file: string; text: string }[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  const files = entries.filter(one => one.isFile() && one.parentPath.endsWith('/new'))
  return await Promise.all(
    files.map(async one => {
      const file = join(one.parentPath, one.name)
      return { file, text: await readFile(file, 'utf8') }
    }),
  )
}

/** A port that is free at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

/** Why tests with a program cannot run here; undefined when they can. */
export async function missing(name: string, program: string): Promise<string | undefined> {
  const there = await access(program).then(
    () => true,
    () => false,
  )
  if (!there) return `${name} is not installed: run test/interop/install.sh as root on Debian`
  return process.getuid?.() === 0 ? undefined : `${name} can only be started by root`
}
