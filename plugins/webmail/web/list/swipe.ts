// Touch on a row: a swipe to a side does something, a long press ticks. Pure, as functions of where fingers are.

/** Pixels after which a touch is a swipe or a scroll, and milliseconds after which it is a long press. */
const SLOP = 10
export const LONG_PRESS = 500

export interface Touched {
  readonly dx: number
  readonly dy: number
}

/** What a touch has become: sideways is a swipe, up or down leaves it to scrolling. */
export function direction({ dx, dy }: Touched): 'none' | 'swipe' | 'scroll' {
  if (Math.hypot(dx, dy) < SLOP) return 'none'
  return Math.abs(dx) > Math.abs(dy) * 1.2 ? 'swipe' : 'scroll'
}

/** What letting go does: a third of the row's width, and no more than 140 pixels, is far enough. */
export function swiped(dx: number, width: number): '' | 'archive' | 'trash' {
  if (Math.abs(dx) < Math.min(140, width / 3)) return ''
  return dx > 0 ? 'archive' : 'trash'
}
