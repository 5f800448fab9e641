// Which rows of a long list are drawn. All rows of a layout have one height, so place and number are a multiplication apart,
// whatever the length.

/** Rows drawn above and below what can be seen, so that a quick scroll does not show emptiness. */
export const OVERSCAN = 8
/** Viewports from the end at which more rows are asked for. */
const AHEAD = 3

export interface Drawn {
  readonly first: number
  /** Exclusive. */
  readonly end: number
}

export function drawn(scrollTop: number, height: number, rowHeight: number, count: number): Drawn {
  // In steps of half the overscan: small scrolls draw nothing anew.
  const step = OVERSCAN / 2
  const top = Math.floor(Math.max(0, scrollTop) / rowHeight / step) * step
  const first = Math.min(Math.max(0, top - OVERSCAN), Math.max(0, count - 1))
  return { first, end: Math.min(count, top + Math.ceil(height / rowHeight) + step + OVERSCAN) }
}

/** Whether the end of the rows is near enough to load more. */
export function wantsMore(scrollTop: number, height: number, rowHeight: number, count: number): boolean {
  return scrollTop + height * (1 + AHEAD) >= count * rowHeight
}

/** Rows to ask for at once: three screens, and no fewer than 50. */
export function pageSize(height: number, rowHeight: number): number {
  return Math.min(500, Math.max(50, 3 * Math.ceil(height / rowHeight)))
}

/** Where to scroll so that a row is seen whole; `scrollTop` itself when it is. */
export function reveal(index: number, scrollTop: number, height: number, rowHeight: number): number {
  const top = index * rowHeight
  if (top < scrollTop) return top
  if (top + rowHeight > scrollTop + height) return top + rowHeight - height
  return scrollTop
}
