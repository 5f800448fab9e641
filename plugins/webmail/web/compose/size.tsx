// The size of the windows in which one writes. They stand at the bottom right, so that the corner that moves is the top left
// one. A size is remembered in this browser, for pages of the size that this one has.
import type { JSX } from 'preact'
import { useRef } from 'preact/hooks'
import { local, setLocal } from '../state/local.ts'

/** Pixels. */
const MIN_WIDTH = 420
const MIN_HEIGHT = 360
/** What stays free above, and at both sides together. */
const FREE_ABOVE = 60
const FREE_BESIDE = 32
const STEP = 24

/** Undefined: as the style sheet says. */
export function sizeStyle(): { readonly width?: string; readonly height?: string } {
  const { composeWidth, composeHeight, composeViewportWidth, composeViewportHeight } = local.value
  return {
    ...(composeWidth > 0 && composeViewportWidth === innerWidth ? { width: `${composeWidth}px` } : {}),
    ...(composeHeight > 0 && composeViewportHeight === innerHeight ? { height: `${composeHeight}px` } : {}),
  }
}

function resize(width: number, height: number): void {
  const within = (value: number, min: number, max: number): number => Math.round(Math.max(min, Math.min(max, value)))
  setLocal({
    composeWidth: within(width, MIN_WIDTH, innerWidth - FREE_BESIDE),
    composeHeight: within(height, MIN_HEIGHT, innerHeight - FREE_ABOVE),
    composeViewportWidth: innerWidth,
    composeViewportHeight: innerHeight,
  })
}

/** The corner: dragged, or moved by arrow keys; a double click, or Home, gives the usual size back. */
export function ResizeHandle(): JSX.Element {
  const start = useRef<{ readonly x: number; readonly y: number; readonly box: DOMRect } | undefined>(undefined)
  const boxOf = (handle: HTMLElement): DOMRect | undefined => handle.closest('.compose')?.getBoundingClientRect()
  const reset = (): void => setLocal({ composeWidth: 0, composeHeight: 0 })
  return (
    <button
      type="button"
      class="compose-resize"
      aria-label="Size of the window: arrow keys change it, Home gives the usual size"
      title="Drag to change the size"
      onPointerDown={event => {
        const box = boxOf(event.currentTarget)
        if (event.button !== 0 || box === undefined) return
        start.current = { x: event.clientX, y: event.clientY, box }
        event.currentTarget.setPointerCapture(event.pointerId)
        event.preventDefault()
      }}
      onPointerMove={event => {
        const from = start.current
        if (from !== undefined)
          resize(from.box.width + from.x - event.clientX, from.box.height + from.y - event.clientY)
      }}
      onPointerUp={() => {
        start.current = undefined
      }}
      onPointerCancel={() => {
        start.current = undefined
      }}
      onDblClick={reset}
      onKeyDown={event => {
        const box = boxOf(event.currentTarget)
        const [wider, higher] =
          { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? []
        if (event.key === 'Home') reset()
        else if (box !== undefined && wider !== undefined && higher !== undefined)
          resize(box.width + wider * STEP, box.height + higher * STEP)
        else return
        event.preventDefault()
        event.stopPropagation()
      }}
    />
  )
}
