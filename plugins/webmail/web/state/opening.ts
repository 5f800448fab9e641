// Something that will have the keyboard is being loaded: what is typed meanwhile is for it, and no commands.

let pending = 0
let typed = ''

/** Opens something that takes the focus. What it throws is thrown. */
export async function opening<T>(work: () => Promise<T>): Promise<T> {
  pending++
  try {
    return await work()
  } finally {
    // It is drawn with the next frame, and has the focus then.
    requestAnimationFrame(() => setTimeout(opened))
  }
}

function opened(): void {
  if (--pending > 0) return
  // Into the field that has the focus now, as if it were typed there, so that everybody hears of it.
  if (typed !== '') document.execCommand('insertText', false, typed)
  typed = ''
}

/** Whether a key is for what is being opened. */
export function typedAhead({ key, ctrlKey, altKey, metaKey }: KeyboardEvent): boolean {
  if (pending === 0 || ctrlKey || altKey || metaKey) return false
  if (key === 'Backspace') typed = typed.slice(0, -1)
  else if (key.length === 1) typed += key
  return true
}
