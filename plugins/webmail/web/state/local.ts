// What is kept in this browser alone: sizes, which depend on the screen. Each field is checked for itself when loaded, so that
// one that is wrong does not lose the others.
import { effect, type Signal, signal } from '@preact/signals'
import { z } from 'zod'

const KEY = 'webmail-local'

const fields = {
  /** Pixels. */
  mailboxesWidth: z.int().min(140).max(600).catch(230),
  /** Percent of the width, or height, that the list has beside, or above, the message. */
  leftWidthPct: z.number().min(15).max(85).catch(42),
  topHeightPct: z.number().min(15).max(85).catch(40),
  /** Columns of the list: pixels, and percent of what remains. */
  listFlagsWidth: z.int().min(20).max(200).catch(40),
  listAgeWidth: z.int().min(30).max(200).catch(70),
  listFromPct: z.number().min(10).max(80).catch(30),
  /** Pixels of windows in which one writes, and of the page when they were given that size; 0 for none. */
  composeWidth: z.int().min(0).max(10_000).catch(0),
  composeHeight: z.int().min(0).max(10_000).catch(0),
  composeViewportWidth: z.int().min(0).max(100_000).catch(0),
  composeViewportHeight: z.int().min(0).max(100_000).catch(0),
  /** Milliseconds since the epoch until which errors of the page are not shown. */
  ignoreErrorsUntil: z.number().min(0).catch(0),
  showAllHeaders: z.boolean().catch(false),
  /** What was shown last is kept in the browser. */
  keep: z.boolean().catch(true),
  /** New mail is told by the desktop. */
  notify: z.boolean().catch(false),
}
const schema = z.object(fields)
export type Local = z.output<typeof schema>

/** Reads what was stored, which may be anything. */
export function readLocal(stored: string | null): Local {
  let value: unknown
  try {
    value = JSON.parse(stored ?? '{}')
  } catch {
    value = {}
  }
  return schema.parse(typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {})
}

export const local: Signal<Local> = signal(readLocal(null))

export function setLocal(change: Partial<Local>): void {
  local.value = schema.parse({ ...local.value, ...change })
}

/** Loads what was stored, and stores what changes. */
export function startLocal(): void {
  local.value = readLocal(localStorage.getItem(KEY))
  effect(() => {
    localStorage.setItem(KEY, JSON.stringify(local.value))
  })
}
