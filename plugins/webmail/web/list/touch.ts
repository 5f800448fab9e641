// Fingers on rows: swipes and long presses. Moves the row itself, without drawing the list anew.
import { archive, trash } from '../state/actions.ts'
import { messagesOf } from './selection.ts'
import { press, rows, ticked } from './state.ts'
import { direction, LONG_PRESS, swiped } from './swipe.ts'

interface Touch {
  readonly row: HTMLElement
  readonly id: number
  readonly x: number
  readonly y: number
  timer: ReturnType<typeof setTimeout> | undefined
  kind: 'none' | 'swipe' | 'scroll' | 'press'
}

/** Listens on the list; returns how to stop. */
export function listenToTouch(list: HTMLElement): () => void {
  let touch: Touch | undefined
  const stop = new AbortController()

  const start = (event: TouchEvent): void => {
    end()
    const [finger] = event.touches
    const row = (event.target as Element).closest<HTMLElement>('[data-id]')
    if (row === null || finger === undefined || event.touches.length > 1) return
    const now: Touch = {
      ...{ row, id: Number(row.dataset['id']), x: finger.clientX, y: finger.clientY, kind: 'none' },
      timer: setTimeout(() => {
        now.kind = 'press'
        navigator.vibrate?.(10)
        press(now.id)
      }, LONG_PRESS),
    }
    touch = now
  }

  const move = (event: TouchEvent): void => {
    const [finger] = event.touches
    if (touch === undefined || finger === undefined) return
    const dx = finger.clientX - touch.x
    if (touch.kind === 'none') {
      touch.kind = direction({ dx, dy: finger.clientY - touch.y })
      if (touch.kind !== 'none') clearTimeout(touch.timer)
      // While rows are ticked a swipe would be about another row than those.
      if (touch.kind === 'swipe' && ticked.value !== undefined) touch.kind = 'scroll'
    }
    if (touch.kind !== 'swipe') return
    event.preventDefault()
    touch.row.style.setProperty('--swipe', `${dx}px`)
    touch.row.dataset['swipe'] = dx > 0 ? 'archive' : 'trash'
    touch.row.classList.toggle('far', swiped(dx, touch.row.clientWidth) !== '')
  }

  const finish = (event: TouchEvent): void => {
    if (touch === undefined) return
    const { kind, id, row, x } = touch
    // What was pressed long or swiped is no click.
    if (kind === 'press' || kind === 'swipe') event.preventDefault()
    const [finger] = event.changedTouches
    const action = kind === 'swipe' && finger !== undefined ? swiped(finger.clientX - x, row.clientWidth) : ''
    end()
    const ids = messagesOf([id], rows.value)
    if (action === 'archive') void archive(ids)
    if (action === 'trash') void trash(ids)
  }

  const end = (): void => {
    if (touch === undefined) return
    clearTimeout(touch.timer)
    touch.row.style.removeProperty('--swipe')
    touch.row.classList.remove('far')
    delete touch.row.dataset['swipe']
    touch = undefined
  }

  const { signal } = stop
  list.addEventListener('touchstart', start, { passive: true, signal })
  list.addEventListener('touchmove', move, { passive: false, signal })
  list.addEventListener('touchend', finish, { signal })
  list.addEventListener('touchcancel', end, { signal })
  return () => {
    end()
    stop.abort()
  }
}
