// Times of receipt as they are stored: archives that are imported may say anything.

/** Milliseconds since the epoch of the end of the year 9999, which is as far as calendars and the formats of mail go. */
export const LATEST = 253_402_300_799_999

/** The nearest time that can be shown and sorted by. */
export function receiptTime(ms: number): number {
  return Math.min(Math.max(Math.trunc(ms), 0), LATEST)
}
