// Durations and relative times as operators write them: "1h30m", "-15m", "300ms", "3d"; "<-24h" for more than a day ago.

/** Milliseconds of a unit: those of Go, and days. */
const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}
/** Characters of a duration. */
const LENGTH = 64
/** Longest duration in either direction, milliseconds: ten years. */
export const DURATION_LIMIT: number = 3_650 * 86_400_000

/** Milliseconds, rounded; undefined when the text is no duration or a longer one than ten years. "0" needs no unit. */
export function parseDuration(text: string): number | undefined {
  if (text.length > LENGTH) return undefined
  if (/^[+-]?0$/.test(text)) return 0
  const match = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h|d))+)$/.exec(text)
  if (match === null) return undefined
  let ms = 0
  for (const [, amount = '', unit = ''] of match[2]!.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h|d)/g))
    ms += Number(amount) * UNITS[unit]!
  const rounded = Math.round(match[1] === '-' ? -ms : ms)
  // Without a negative zero.
  return Math.abs(rounded) <= DURATION_LIMIT ? rounded + 0 : undefined
}

/** A bound of a time: `{ before: now - day }` for "<-24h", `{ after: now + hour }` for ">1h", `{ after: now }` for ">now". */
export type TimeBound = { readonly before: number } | { readonly after: number }

export function parseTimeBound(text: string, now: number): TimeBound | undefined {
  const rest = text.slice(1).trim()
  const offset = rest === 'now' ? 0 : parseDuration(rest)
  if (offset === undefined) return undefined
  if (text.startsWith('<')) return { before: now + offset }
  return text.startsWith('>') ? { after: now + offset } : undefined
}
