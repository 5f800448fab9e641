// Times to send at: presets, and what a field for date and time says.

export interface Preset {
  readonly title: string
  readonly at: number
}

/** From a time on: 09:00 of the next day, an hour later, a day later, Monday at 09:00. */
export function presets(from: number): Preset[] {
  const hour = new Date(from)
  hour.setHours(hour.getHours() + 1, hour.getMinutes(), 0, 0)
  const morning = new Date(from)
  morning.setDate(morning.getDate() + 1)
  morning.setHours(9, 0, 0, 0)
  const day = new Date(from)
  day.setDate(day.getDate() + 1)
  const monday = new Date(from)
  monday.setDate(monday.getDate() + ((8 - monday.getDay()) % 7 || 7))
  monday.setHours(9, 0, 0, 0)
  return [
    { title: 'In an hour', at: hour.getTime() },
    { title: 'Tomorrow morning', at: morning.getTime() },
    { title: 'In a day', at: day.getTime() },
    { title: 'Monday morning', at: monday.getTime() },
  ]
}

/** For an input of type datetime-local, in local time. */
export function fieldValue(at: number): string {
  const d = new Date(at)
  const two = (n: number): string => String(n).padStart(2, '0')
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}T${two(d.getHours())}:${two(d.getMinutes())}`
}

/** null for nothing. */
export function fieldTime(value: string): number | null {
  const at = value === '' ? Number.NaN : new Date(value).getTime()
  return Number.isNaN(at) ? null : at
}

/** "Fri, 27 Nov, 09:00": for a menu. */
export function shortTimeText(at: number): string {
  return new Date(at).toLocaleString(undefined, {
    ...{ weekday: 'short', day: 'numeric', month: 'short' },
    ...{ hour: '2-digit', minute: '2-digit' },
  })
}

/** "Friday, 27 November, 09:00 (GMT+1)". */
export function timeText(at: number): string {
  return new Date(at).toLocaleString(undefined, {
    ...{ weekday: 'long', day: 'numeric', month: 'long', hour: '2-digit', minute: '2-digit' },
    timeZoneName: 'short',
  })
}
