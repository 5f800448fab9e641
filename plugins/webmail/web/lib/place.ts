// Where something that belongs to a button is put: below it and to the right; above where it stands in the lowest third, to the
// left where it stands beyond two thirds of the width. Always within the window.

export interface Box {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}
export interface Size {
  readonly width: number
  readonly height: number
}

const GAP = 4
const MARGIN = 8

/** Left and top in pixels. */
export function placeAt(anchor: Box, size: Size, window: Size): { readonly left: number; readonly top: number } {
  const above = anchor.top > (window.height * 2) / 3
  const toLeft = anchor.left > (window.width * 2) / 3
  const left = toLeft ? anchor.right - size.width : anchor.left
  const top = above ? anchor.top - GAP - size.height : anchor.bottom + GAP
  return {
    left: Math.max(MARGIN, Math.min(left, window.width - size.width - MARGIN)),
    top: Math.max(MARGIN, Math.min(top, window.height - size.height - MARGIN)),
  }
}
