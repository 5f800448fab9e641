// A line between two regions that is dragged by mouse or finger, or moved by arrow keys when it has the focus.
import type { JSX } from 'preact'
import { useRef } from 'preact/hooks'

export interface SplitterProps {
  readonly label: string
  /** `vertical`: a line from top to bottom, moved left and right. */
  readonly orientation: 'vertical' | 'horizontal'
  readonly value: number
  readonly min: number
  readonly max: number
  /** What one press of a key changes. */
  readonly step: number
  /** The value for where the pointer is. */
  at(x: number, y: number): number
  change(value: number): void
}

export function Splitter(props: SplitterProps): JSX.Element {
  const { label, orientation, value, min, max, step, at, change } = props
  const dragging = useRef(false)
  const set = (next: number): void => change(Math.min(max, Math.max(min, next)))
  const steps: Readonly<Record<string, number>> =
    orientation === 'vertical' ? { ArrowLeft: -step, ArrowRight: step } : { ArrowUp: -step, ArrowDown: step }
  return (
    // biome-ignore lint/a11y/useSemanticElements: an hr cannot be moved.
    <div
      class={`splitter ${orientation}`}
      role="separator"
      tabIndex={0}
      aria-label={label}
      aria-orientation={orientation}
      aria-valuenow={Math.round(value)}
      aria-valuemin={min}
      aria-valuemax={max}
      onPointerDown={event => {
        if (event.button !== 0) return
        dragging.current = true
        event.currentTarget.setPointerCapture(event.pointerId)
        event.preventDefault()
      }}
      onPointerMove={event => {
        if (dragging.current) set(at(event.clientX, event.clientY))
      }}
      onPointerUp={() => {
        dragging.current = false
      }}
      onPointerCancel={() => {
        dragging.current = false
      }}
      onKeyDown={event => {
        const by = steps[event.key]
        const next = event.key === 'Home' ? min : event.key === 'End' ? max : by === undefined ? undefined : value + by
        if (next === undefined) return
        event.preventDefault()
        set(next)
      }}
    />
  )
}
