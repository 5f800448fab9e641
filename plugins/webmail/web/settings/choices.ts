// Choices of settings and their names.
import type { Settings } from '../../src/api/model.ts'

type Choices<K extends keyof Settings> = readonly (readonly [Settings[K], string])[]

export const SETTINGS_LAYOUTS: Choices<'layout'> = [
  ['auto', 'Automatic'],
  ['leftright', 'Left-right'],
  ['topbottom', 'Top-bottom'],
]
export const THEMES: Choices<'theme'> = [
  ['auto', 'As the system'],
  ['light', 'Light'],
  ['dark', 'Dark'],
]
export const QUOTINGS: Choices<'quoting'> = [
  ['auto', 'Automatic: below a selection, else above'],
  ['bottom', 'Reply below the quoted text'],
  ['top', 'Reply above the quoted text'],
]
export const THREADINGS: Choices<'threading'> = [
  ['off', 'Off'],
  ['on', 'On, as left open or collapsed'],
  ['unread', 'On, open where something is unread'],
]
export const DELAYS: Choices<'sendDelay'> = [
  [0, 'None: sent at once'],
  [5, '5 seconds'],
  [10, '10 seconds'],
  [20, '20 seconds'],
  [30, '30 seconds'],
  [60, '1 minute'],
  [120, '2 minutes'],
]
export const COLORS = ['grey', 'red', 'orange', 'yellow', 'green', 'blue', 'purple'] as const
