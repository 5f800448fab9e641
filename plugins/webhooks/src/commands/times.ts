// Times on the command line: durations such as "1h30m", relative filters such as "<-24h", and points in time.
import { type TimeRange, UsageError } from '@mox/plugin-sdk'

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
/** Milliseconds: a hundred years. */
const LONGEST = 3_155_760_000_000

/** Milliseconds of "1h30m", "-15m", "300ms", "2d", "0". */
export function parseDuration(text: string): number {
  const match = /^([+-]?)((?:\d{1,15}(?:\.\d{1,9})?(?:ms|[smhd]))+|0)$/.exec(text)
  if (match === null)
    throw new UsageError(`${JSON.stringify(text)} is no duration; write for example 15m, 1h30m, 2d or -24h`)
  let ms = 0
  for (const [, number, unit] of (match[2] ?? '').matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g))
    ms += Number(number) * (UNITS[unit ?? ''] ?? 0)
  if (ms > LONGEST) throw new UsageError(`${JSON.stringify(text)} is longer than a hundred years`)
  return (match[1] === '-' ? -1 : 1) * ms
}

/** "<" or ">" and "now" or a duration from now: "<-24h" is older than a day, ">1h" more than an hour ahead. */
export function parseRange(text: string, now: number): TimeRange {
  const match = /^([<>])(.+)$/.exec(text)
  if (match === null)
    throw new UsageError(
      `${JSON.stringify(text)} is no time filter; write for example "<-24h" (older than a day) or ">now"`,
    )
  const at = match[2] === 'now' ? now : now + parseDuration(match[2] ?? '')
  return match[1] === '<' ? { until: at } : { from: at + 1 }
}

/** A date or time (RFC 3339), "now", or a duration from now: "2026-03-01", "2026-03-01T08:00:00Z", "-2d". */
export function parseTime(text: string, now: number): number {
  if (text === 'now') return now
  if (!/^\d{4}-/.test(text)) return now + parseDuration(text)
  const ms = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/.test(text)
    ? Date.parse(text)
    : Number.NaN
  if (Number.isNaN(ms))
    throw new UsageError(
      `${JSON.stringify(text)} is no time; write for example 2026-03-01T08:00:00Z, 2026-03-01 or -2d`,
    )
  return ms
}
