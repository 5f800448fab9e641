// What Linux tells about a process: memory and processor time from /proc. Throws where there is none.
import { readdir, readFile } from 'node:fs/promises'

/** Clock ticks per second: sysconf(_SC_CLK_TCK), 100 on every Linux that Node runs on. */
const TICKS = 100

export interface MemoryUse {
  /** Bytes. */
  readonly rss: number
  /** Bytes; shared pages are counted in part. */
  readonly pss: number
}

export async function memoryOf(pid: number): Promise<MemoryUse> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024
  return { rss: field('Rss'), pss: field('Pss') }
}

/** Seconds of processor time used so far, user and system, all threads. */
export async function cpuOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The second field is the name in parentheses, which may contain spaces.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/** Open files and sockets. */
export async function openFiles(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length
}
