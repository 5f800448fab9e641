// How long something takes, several times.
import type { Timing } from './jobs.ts'

/** Median and worst milliseconds; the first run is counted. */
export async function time(rounds: number, work: (round: number) => Promise<unknown>): Promise<Timing> {
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const started = performance.now()
    await work(round)
    times.push(performance.now() - started)
  }
  return timingOf(times)
}

export function timingOf(times: readonly number[]): Timing {
  const sorted = times.toSorted((a, b) => a - b)
  return { median: sorted[Math.floor(sorted.length / 2)] ?? 0, worst: sorted.at(-1) ?? 0 }
}
