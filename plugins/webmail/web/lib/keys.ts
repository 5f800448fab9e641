// Names of keys, as commands and settings have them: "ctrl ", "alt ", "meta ", then "shift " where the key's name is longer than
// one character, then the key: "a", "A", "ctrl Enter", "shift ArrowDown". Several names are separated by a comma and a space.

/** The part of a KeyboardEvent that a name is made of. */
export interface KeyPress {
  readonly key: string
  readonly ctrlKey: boolean
  readonly altKey: boolean
  readonly metaKey: boolean
  readonly shiftKey: boolean
}

/** Whether the command key does here what the control key does elsewhere. */
export const MAC: boolean = /^Mac|^iP/.test(globalThis.navigator?.platform ?? '')

/** '' while only modifiers are held or a character is being composed. */
export function keyName(press: KeyPress, mac: boolean = MAC): string {
  const { key, altKey, shiftKey } = press
  if (['Control', 'Alt', 'AltGraph', 'Meta', 'Shift', 'CapsLock', 'Dead', 'Process', 'Unidentified'].includes(key))
    return ''
  const ctrl = press.ctrlKey || (mac && press.metaKey)
  const name = key === ' ' ? 'Space' : key
  // Option on a Mac writes other characters: they are no chords.
  const alt = altKey && !(mac && key.length === 1)
  return `${ctrl ? 'ctrl ' : ''}${alt ? 'alt ' : ''}${press.metaKey && !mac ? 'meta ' : ''}${
    shiftKey && name.length > 1 ? 'shift ' : ''
  }${name}`
}

/** "j, ArrowDown" → both; ", , Home" and "Home, ," have the comma itself. */
export function keyNames(keys: string): string[] {
  if (keys === '') return []
  if (keys === ',') return [',']
  const names = keys.startsWith(', ') ? [',', ...keys.slice(2).replace(/^, /, '').split(', ')] : keys.split(', ')
  return names.filter(name => name !== '')
}

/** Whether it types a character: such keys can be turned off, and mean nothing in a field. */
export function isCharacter(name: string): boolean {
  return [...name].length === 1 || name === 'Space'
}

export function hasModifier(name: string): boolean {
  return /^(ctrl|alt|meta) /.test(name)
}

const SYMBOLS: Readonly<Record<string, string>> = {
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowLeft: '←',
  ArrowRight: '→',
  Escape: 'Esc',
  PageUp: 'Page Up',
  PageDown: 'Page Down',
}

/** For people: "Ctrl Enter", "↓". */
export function keyText(name: string, mac: boolean = MAC): string {
  return name
    .split(' ')
    .map(part => {
      if (part === 'ctrl') return mac ? '⌘' : 'Ctrl'
      if (part === 'alt') return mac ? '⌥' : 'Alt'
      if (part === 'meta') return 'Meta'
      if (part === 'shift') return mac ? '⇧' : 'Shift'
      return SYMBOLS[part] ?? part
    })
    .join(' ')
}
