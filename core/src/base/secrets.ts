// Secrets by name: the environment variable MOX_SECRET_NAME, else the file <dataDir>/secrets/<name>. A missing one
// stops what needs it and names both places. Files are written whole or not at all, readable by their owner only.
import { randomBytes } from 'node:crypto'
import { link, mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SECRET_NAME, type Secrets, UsageError } from '@mox/plugin-sdk'

/** Bytes of a secret file. */
export const SECRET_LIMIT: number = 64 * 1024

export function createSecrets(dataDir: string, env: NodeJS.ProcessEnv = process.env): Secrets {
  const folder = join(dataDir, 'secrets')
  const making = new Map<string, Promise<string>>()

  const find = async (name: string): Promise<string | undefined> => {
    if (!SECRET_NAME.test(name))
      throw new UsageError(`"${name}" is no name for a secret; use lower-case letters, digits, dashes`)
    const value = env[variable(name)]
    return value === undefined || value === '' ? await readSecret(join(folder, name)) : value
  }
  const make = async (name: string, bytes: number): Promise<string> => {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeOnce(folder, name, randomBytes(bytes).toString('base64url'))
    return (await readSecret(join(folder, name))) ?? ''
  }

  return {
    async get(name) {
      const value = await find(name)
      if (value !== undefined) return value
      throw new UsageError(
        `the secret "${name}" is missing: set ${variable(name)}, or write it to ${join(folder, name)} (chmod 600)`,
      )
    },
    async generate(name, bytes) {
      const value = await find(name)
      if (value !== undefined) return value
      let made = making.get(name)
      if (made === undefined) {
        made = make(name, bytes).finally(() => making.delete(name))
        making.set(name, made)
      }
      return await made
    },
  }
}

const variable = (name: string): string => `MOX_SECRET_${name.toUpperCase().replaceAll('-', '_')}`

/** Without line ends at its end; undefined when there is no file. */
async function readSecret(path: string): Promise<string | undefined> {
  let file: Awaited<ReturnType<typeof open>>
  try {
    file = await open(path, 'r')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new UsageError(`cannot read the secret ${path} (${code}); it must be a file that this user may read`)
  }
  try {
    const { mode, size } = await file.stat()
    if (size > SECRET_LIMIT) throw new UsageError(`${path} has more than ${SECRET_LIMIT} bytes, that is no secret`)
    if (process.platform !== 'win32' && (mode & 0o007) !== 0)
      throw new UsageError(`${path} can be read by other users of this machine; run: chmod 600 ${path}`)
    const text = (await file.readFile('utf8')).replace(/[\r\n]+$/, '')
    if (text === '') throw new UsageError(`${path} is empty; write the secret to it, or remove the file`)
    return text
  } finally {
    await file.close()
  }
}

/** When two processes do this at the same time, the first one wins. */
async function writeOnce(folder: string, name: string, text: string): Promise<void> {
  const draft = join(folder, `.${name}.${randomBytes(6).toString('hex')}`)
  try {
    const file = await open(draft, 'wx', 0o600)
    try {
      await file.writeFile(`${text}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await link(draft, join(folder, name)).catch(async error => {
      if (error.code === 'EEXIST') return
      // File systems without hard links.
      await rename(draft, join(folder, name))
    })
  } finally {
    await rm(draft, { force: true })
  }
  await syncFolder(folder)
}

/** Not all systems can; the file itself is on stable storage already. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined)
  if (handle === undefined) return
  await handle.sync().catch(() => undefined)
  await handle.close()
}
