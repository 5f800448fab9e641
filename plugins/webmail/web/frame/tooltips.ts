// Titles for who has no pointer: shows those of the focused element and what is in it; with nothing focused, those of all that
// cannot get the focus. The next key or click takes them away. `data-noise` leaves out what would be too much, such as dates.
import { placeAt } from '../lib/place.ts'

/** Shown at the same time. */
const MOST = 200

export function showTooltips(): void {
  const focus = document.activeElement
  const inFocus = focus instanceof HTMLElement && focus !== document.body
  const found = inFocus
    ? [focus, ...focus.querySelectorAll<HTMLElement>('[title]')].filter(e => e.title !== '')
    : [...document.querySelectorAll<HTMLElement>('[title]')].filter(
        e => e.tabIndex < 0 && !e.matches('[data-noise] *, [data-noise]'),
      )
  const visible = found.filter(e => e.checkVisibility() && e.title !== '').slice(0, MOST)
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
