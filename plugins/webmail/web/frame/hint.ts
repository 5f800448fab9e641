// The shortcut hint: who uses a command by mouse sees its key for a moment.
import { type Signal, signal } from '@preact/signals'
import { commands } from '../extend/registry.ts'
import { keysOf } from '../lib/dispatch.ts'
import { keyText } from '../lib/keys.ts'
import { settings } from '../state/store.ts'

/** Milliseconds that a hint is shown. */
const SHOWN = 1_500

export const hint: Signal<string> = signal('')
let timer: ReturnType<typeof setTimeout> | undefined

/** Shows the key of a command, unless hints are turned off or it has none. */
export function flashKey(commandId: string): void {
  const command = commands.value.find(c => c.id === commandId)
  if (command === undefined || settings.value?.shortcutHints === false) return
  const [key] = keysOf(command, settings.value?.keys ?? {})
  if (key === undefined) return
  hint.value = keyText(key)
  clearTimeout(timer)
  timer = setTimeout(() => {
    hint.value = ''
  }, SHOWN)
}
