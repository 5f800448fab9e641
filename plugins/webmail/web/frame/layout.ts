// Where the list and the message are: beside each other, or one above the other.
import { computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals'
import { narrow, settings } from '../state/store.ts'

/** Pixels up to which a window is a phone's: one pane at a time. */
export const NARROW = 700
/** Pixels of width up to which the list is above the message: two thirds of a wide screen. */
export const STACKED = 1_706

export const width: Signal<number> = signal(1_280)

export const layout: ReadonlySignal<'leftright' | 'topbottom'> = computed(() => {
  const chosen = settings.value?.layout ?? 'auto'
  if (chosen !== 'auto') return chosen
  return width.value <= STACKED ? 'topbottom' : 'leftright'
})

export function startLayout(): void {
  const measure = (): void => {
    width.value = innerWidth
    narrow.value = innerWidth <= NARROW
  }
  measure()
  addEventListener('resize', measure)
  effect(() => {
    document.documentElement.dataset['theme'] = settings.value?.theme ?? storedTheme()
  })
  effect(() => {
    const theme = settings.value?.theme
    // For the time until the settings have come, so that a dark page does not flash.
    if (theme !== undefined) localStorage.setItem('webmail-theme', theme)
  })
}

function storedTheme(): string {
  const stored = localStorage.getItem('webmail-theme')
  return stored === 'light' || stored === 'dark' ? stored : 'auto'
}
