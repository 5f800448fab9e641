// Directories and waiting for the tests that run the real program. Directories are below the system's temporary directory
// and are removed by whoever made them.
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Linux. */
const SHARED_MEMORY = '/dev/shm'

/** A new empty directory. */
export async function tempDir(name: string = 'mox-test'): Promise<string> {
  return await mkdtemp(join(tmpdir(), `${name}-`))
}

/** The same in memory, where the system has a place for that: for databases that need not survive the machine. */
export async function memoryDir(name: string = 'mox-test'): Promise<string> {
  return existsSync(SHARED_MEMORY) ? await mkdtemp(join(SHARED_MEMORY, `${name}-`)) : await tempDir(name)
}

/** Removes a directory with all that is in it; a file that is just being closed is tried again. */
export async function removeDir(dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
}

/** Makes a directory for `work` and removes it afterwards, whatever happens. */
export async function withTempDir<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await tempDir()
  try {
    return await work(dir)
  } finally {
    await removeDir(dir)
  }
}

export interface EventuallyOptions {
  /** Milliseconds until it gives up; default 20,000. */
  readonly within?: number
  /** Milliseconds between looks; default 10, doubling up to 200. */
  readonly every?: number
}

/** Runs `check` until it returns without throwing; gives back its result, or throws its last error. */
export async function eventually<T>(check: () => Promise<T> | T, options: EventuallyOptions = {}): Promise<T> {
  const until = performance.now() + (options.within ?? 20_000)
  for (let wait = options.every ?? 10; ; wait = Math.min(wait * 2, 200)) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() >= until) throw error
      await sleep(wait)
    }
  }
}

/** Rejects with `what` when the promise has not settled after `ms` milliseconds. */
export async function within<T>(ms: number, what: () => string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not after ${ms} ms: ${what()}`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
