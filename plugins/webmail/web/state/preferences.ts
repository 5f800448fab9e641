// The account's settings: they change on the page at once and are saved together a moment later. Another window hears of them
// by the stream; what this window has not saved yet stays as it is here.
import { effect } from '@preact/signals'
import type { Settings } from '../../src/api/model.ts'
import { call } from '../lib/api.ts'
import { showError } from './busy.ts'
import { settings } from './store.ts'

/** Milliseconds after the last change. */
const SAVE_AFTER = 800

let saved: Settings | undefined
let unsaved: Partial<Settings> = {}
let timer: ReturnType<typeof setTimeout> | undefined
let saving: Promise<void> | undefined

/** Changes settings, here at once and on the server soon. */
export function change(next: Partial<Settings>): void {
  if (settings.value === undefined) return
  unsaved = { ...unsaved, ...next }
  settings.value = { ...settings.value, ...next }
  clearTimeout(timer)
  timer = setTimeout(() => void savePreferences(), SAVE_AFTER)
}

/** Saves now what is not saved: the page goes away. */
export async function savePreferences(keepalive = false): Promise<void> {
  clearTimeout(timer)
  await saving
  if (settings.value === undefined || Object.keys(unsaved).length === 0) return
  unsaved = {}
  const value = settings.value
  saving = call('settingsSave', { settings: value }, undefined, keepalive).then(
    () => {
      saved = value
    },
    (error: unknown) => {
      // What the server does not take is shown as it has it.
      if (saved !== undefined) settings.value = { ...saved, ...unsaved }
      showError(error)
    },
  )
  await saving
}

/** Keeps unsaved changes over what the server says of other windows. */
export function startPreferences(): void {
  effect(() => {
    const now = settings.value
    if (now === undefined) return
    const keys = Object.keys(unsaved) as (keyof Settings)[]
    if (keys.length === 0) saved = now
    else if (keys.some(key => now[key] !== unsaved[key])) {
      saved = now
      settings.value = { ...now, ...unsaved }
    }
  })
}
