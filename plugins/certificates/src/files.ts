// Reads certificate and key files, and keeps the self-signed pair in the data directory. Errors name the file.

import { X509Certificate } from 'node:crypto'
import { chmod, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { UsageError } from '@mox/plugin-sdk'
import { makeSelfSigned } from './self-signed.ts'
import type { Loaded } from './store.ts'
import { certificateSet } from './store.ts'

export interface FileSource {
  readonly certificate: string
  readonly key: string
  /** What relative paths start from. */
  readonly dir: string
}

/** A self-signed pair is made anew when it ends within this many milliseconds. */
const RENEW_BEFORE = 30 * 86_400_000

/** A text that differs whenever one of the files was written. */
export async function modified(sources: readonly FileSource[]): Promise<string> {
  let text = ''
  for (const { dir, certificate, key } of sources)
    for (const file of [certificate, key]) {
      const { mtimeMs, size, ino } = await statOf(resolve(dir, file))
      text += `${mtimeMs}:${size}:${ino} `
    }
  return text
}

export async function loadAll(sources: readonly FileSource[]): Promise<[Loaded, ...Loaded[]]> {
  const loaded = await Promise.all(
    sources.map(async s => {
      const item: Loaded = {
        source: resolve(s.dir, s.certificate),
        certificate: await readText(resolve(s.dir, s.certificate)),
        key: await readText(resolve(s.dir, s.key)),
      }
      try {
        certificateSet([item])
      } catch (error) {
        throw new UsageError(
          `certificates: ${item.source} and ${resolve(s.dir, s.key)} cannot be used: ${(error as Error).message}; give a PEM certificate and its own private key`,
        )
      }
      return item
    }),
  )
  return loaded as [Loaded, ...Loaded[]]
}

/** Makes `certificates/self-signed.{crt,key}` in the data directory unless a good pair is there. */
export async function prepareSelfSigned(
  dataDir: string,
  names: readonly [string, ...string[]],
  now: number,
): Promise<FileSource> {
  const source: FileSource = {
    certificate: 'certificates/self-signed.crt',
    key: 'certificates/self-signed.key',
    dir: dataDir,
  }
  if (await stillGood(join(dataDir, source.certificate), names, now)) return source
  await mkdir(join(dataDir, 'certificates'), { recursive: true, mode: 0o750 })
  const made = makeSelfSigned(names, now)
  await replace(join(dataDir, source.key), made.key, 0o600)
  await replace(join(dataDir, source.certificate), made.certificate, 0o644)
  return source
}

async function stillGood(file: string, names: readonly string[], now: number): Promise<boolean> {
  try {
    const certificate = new X509Certificate(await readFile(file))
    return (
      Date.parse(certificate.validTo) > now + RENEW_BEFORE &&
      names.every(n => certificate.checkHost(n) !== undefined || certificate.checkIP(n) !== undefined)
    )
  } catch {
    return false
  }
}

async function replace(file: string, content: string, mode: number): Promise<void> {
  const next = `${file}.new`
  await writeFile(next, content, { mode })
  await chmod(next, mode)
  await rename(next, file)
}

async function statOf(file: string): Promise<{ mtimeMs: number; size: number; ino: number }> {
  return await stat(file).catch(error => Promise.reject(unreadable(file, error)))
}

async function readText(file: string): Promise<string> {
  return await readFile(file, 'utf8').catch(error => Promise.reject(unreadable(file, error)))
}

function unreadable(file: string, error: NodeJS.ErrnoException): UsageError {
  return new UsageError(
    `certificates: ${file} cannot be read (${error.code ?? error.message}); check the path under \`files\` and its permissions`,
  )
}
