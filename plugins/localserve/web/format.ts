// Times, sizes and states as people read them.
import type { RecipientState } from '../src/api-types.ts'

export function ago(time: number, now: number): string {
  const s = Math.max(0, Math.round((now - time) / 1000))
  if (s < 5) return 'now'
  if (s < 60) return `${s} s`
  if (s < 3600) return `${Math.floor(s / 60)} min`
  if (s < 86_400) return `${Math.floor(s / 3600)} h`
  return `${Math.floor(s / 86_400)} d`
}

export function until(time: number, now: number): string {
  const s = Math.round((time - now) / 1000)
  if (s <= 0) return 'now'
  if (s < 90) return `in ${s} s`
  if (s < 5400) return `in ${Math.round(s / 60)} min`
  return `in ${Math.round(s / 3600)} h`
}

const clockTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
export const at = (time: number): string => clockTime.format(time)

/** "2026-03-01T09:05:09" in the time zone of the browser, as fields for a time have it. */
export function localTime(time: number): string {
  const there = new Date(time)
  return new Date(time - there.getTimezoneOffset() * 60_000).toISOString().slice(0, 19)
}

export function bytes(n: number): string {
  if (n < 1024) return `${n} B`
  if (n < 1024 * 1024) return `${(n / 1024).toFixed(1)} KiB`
  return `${(n / 1024 / 1024).toFixed(1)} MiB`
}

export const milliseconds = (ms: number): string =>
  ms < 10 ? `${ms.toFixed(2)} ms` : ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`

/** What each state looks like: a word and a tone. */
export const STATES: Record<RecipientState, { word: string; tone: 'good' | 'bad' | 'busy' | 'calm' }> = {
  waiting: { word: 'waiting', tone: 'busy' },
  trying: { word: 'delivering', tone: 'busy' },
  held: { word: 'held', tone: 'calm' },
  delivered: { word: 'delivered', tone: 'good' },
  failed: { word: 'failed', tone: 'bad' },
  suppressed: { word: 'suppressed', tone: 'bad' },
  cancelled: { word: 'cancelled', tone: 'calm' },
  stored: { word: 'stored', tone: 'good' },
}
