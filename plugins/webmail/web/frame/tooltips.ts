// Titles for who has no pointer: shows those of the focused element and what is in it; with nothing focused, those of all that
// cannot get the focus. The next key or click takes them away. Of rows of the list there are too many, and their titles say
// the same again and again: they are shown for a row that has the focus only. `data-noise` leaves out more.
import { placeAt } from '../lib/place.ts'

/** Shown at the same time. */
const MOST = 200

const NOISE = '[data-noise], [data-noise] *, .list-pane [role=row] *, .list-pane [role=option] *'

export function showTooltips(): void {
  const focus = document.activeElement
  const inFocus = focus instanceof HTMLElement && focus !== document.body
  const found = inFocus
    ? [focus, ...focus.querySelectorAll<HTMLElement>('[title]')].filter(e => e.title !== '')
    : [...document.querySelectorAll<HTMLElement>('[title]')].filter(e => e.tabIndex < 0 && !e.matches(NOISE))
  const visible = found.filter(isSeen).slice(0, MOST)
  if (visible.length === 0) return
  const layer = document.createElement('div')
  layer.className = 'tooltips'
  layer.setAttribute('role', 'tooltip')
  ;(focus?.closest('dialog') ?? document.body).append(layer)
  for (const element of visible) {
    const tip = document.createElement('div')
    tip.textContent = element.title
    layer.append(tip)
    const { left, top } = placeAt(
      element.getBoundingClientRect(),
      { width: tip.offsetWidth, height: tip.offsetHeight },
      { width: innerWidth, height: innerHeight },
    )
    tip.style.left = `${left}px`
    tip.style.top = `${top}px`
  }
  const away = new AbortController()
  const remove = (): void => {
    layer.remove()
    away.abort()
  }
  for (const event of ['keydown', 'pointerdown', 'wheel'])
    addEventListener(event, remove, { capture: true, passive: true, signal: away.signal })
}

/** Not scrolled out of sight, nor below something else. */
function isSeen(element: HTMLElement): boolean {
  if (element.title === '' || !element.checkVisibility()) return false
  const { left, top, width, height } = element.getBoundingClientRect()
  const there = document.elementFromPoint(left + width / 2, top + height / 2)
  return there !== null && (element.contains(there) || there.contains(element))
}
