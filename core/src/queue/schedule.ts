// When a recipient is tried again, and for how long. RFC 5321 §4.5.4.1 suggests giving up after days; the default is the
// short one that people notice, and it is data.

/** Waits are varied by up to this part in both directions, so that messages that failed together do not stay together. */
const JITTER = 0.01
/** Milliseconds, for a schedule without entries: a policy that fails needs some wait. */
const NO_SCHEDULE_MS = 450_000

/**
 * Milliseconds to wait after the attempt with this number (from 1) failed; the last entry repeats. `random` is in [0, 1).
 */
export function backoff(schedule: readonly number[], attempt: number, random: number): number {
  const seconds = schedule[Math.min(attempt, schedule.length) - 1]
  const nominal = seconds === undefined ? NO_SCHEDULE_MS : seconds * 1_000
  return Math.round(nominal * (1 + JITTER * (2 * random - 1)))
}

/** Whether this attempt is the last one. `maxAttempts` 0: as the schedule says. */
export function isLast(schedule: readonly number[], attempt: number, maxAttempts: number): boolean {
  const most = schedule.length + 1
  return attempt >= (maxAttempts > 0 ? Math.min(maxAttempts, most) : most)
}

/**
 * When the attempts to come are due: the next one as it is stored, those after it without variation. Empty when the last one
 * is done.
 */
export function attemptTimes(
  schedule: readonly number[],
  { attempts, maxAttempts, due }: { readonly attempts: number; readonly maxAttempts: number; readonly due: number },
): number[] {
  const times: number[] = []
  let at = due
  for (let done = attempts; done === 0 || !isLast(schedule, done, maxAttempts); done++) {
    times.push(at)
    at += backoff(schedule, done + 1, 0.5)
  }
  return times
}
