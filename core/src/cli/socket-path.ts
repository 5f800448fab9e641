// Where the control socket of a data directory is: <dataDir>/mox.sock, on Windows a named pipe. Paths of Unix sockets
// are short (104 to 108 bytes), so for a longer one the socket is in a directory of its own under the system's
// temporary directory, and <dataDir>/mox.sock.path says where.
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** Bytes of a path that every system takes. */
export const PATH_LIMIT = 100

const NAME = 'mox.sock'

/** Where a client finds the socket; undefined when no server ever made one. */
export async function findSocket(dataDir: string): Promise<string | undefined> {
  if (process.platform === 'win32') return pipeName(dataDir)
  const path = join(dataDir, NAME)
  if (Buffer.byteLength(path) <= PATH_LIMIT) return path
  const recorded = await readFile(`${path}.path`, 'utf8').catch(() => undefined)
  return recorded?.trim() || undefined
}

/** Where a server listens. The data directory must exist. */
export async function placeSocket(dataDir: string): Promise<string> {
  const path = join(dataDir, NAME)
  if (process.platform === 'win32') return pipeName(dataDir)
  if (Buffer.byteLength(path) <= PATH_LIMIT) return path
  const made = join(await mkdtemp(join(tmpdir(), 'mox-')), NAME)
  await writeFile(`${path}.path`, `${made}\n`, { mode: 0o600 })
  return made
}

/** Removes a socket that nobody listens on, and what was made for it. */
export async function removeSocket(dataDir: string, path: string): Promise<void> {
  if (process.platform === 'win32') return
  await rm(path, { force: true })
  const usual = join(dataDir, NAME)
  if (path === usual) return
  await rm(`${usual}.path`, { force: true })
  if (/[\\/]mox-[^\\/]+$/.test(dirname(path))) await rm(dirname(path), { force: true, recursive: true })
}

function pipeName(dataDir: string): string {
  const hash = createHash('sha256').update(dataDir.toLowerCase()).digest('hex').slice(0, 32)
  return `\\\\.\\pipe\\mox-${hash}`
}
