// Weekends in UTC: from Saturday 00:00 until an hour of Monday.

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Days from a weekday (0 is Sunday) to the Monday that ends its weekend. */
const DAYS_TO_MONDAY: ReadonlyMap<number, number> = new Map([
  [6, 2],
  [0, 1],
  [1, 0],
])

/** When the weekend that `now` is in ends; undefined when it is no weekend. Milliseconds since the epoch. */
export function opensAgain(now: number, hour: number): number | undefined {
  const days = DAYS_TO_MONDAY.get(new Date(now).getUTCDay())
  if (days === undefined) return undefined
  const midnight = now - (now % DAY_MS)
  const until = midnight + days * DAY_MS + hour * HOUR_MS
  return until > now ? until : undefined
}
