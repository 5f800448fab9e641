// Something that will have the keyboard is being loaded: what is typed meanwhile is for it, and no commands.

let pending = 0
let keys: string[] = []

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

/** Until everything is typed again, in its order, what comes waits as well. */
async function opened(): Promise<void> {
  while (pending === 1 && keys.length > 0) {
    const key = keys.shift() ?? ''
    // As if it were typed, so that everybody hears of it.
    if (key.length === 1) document.execCommand('insertText', false, key)
    else if (key === 'Backspace') document.execCommand('delete')
    else document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))
    // What follows is about what this one changed.
    await new Promise(resolve => setTimeout(resolve))
  }
  pending--
  if (pending === 0) keys = []
}

/** Whether a key waits for what is being opened. */
export function typedAhead({ key, ctrlKey, altKey, metaKey, isTrusted }: KeyboardEvent): boolean {
  if (pending === 0 || !isTrusted || ctrlKey || altKey || metaKey || key === 'Shift') return false
  keys.push(key)
  return true
}
