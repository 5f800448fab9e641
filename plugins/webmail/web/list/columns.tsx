// The handles between columns: by mouse, touch or arrow keys; widths are remembered in this browser.
import type { JSX } from 'preact'
import { type Local, local, setLocal } from '../state/local.ts'

type Field = 'listFlagsWidth' | 'listFromPct' | 'listAgeWidth'

const STEP = 10
const HANDLES: readonly (readonly [field: Field, label: string, min: number, max: number])[] = [
  ['listFlagsWidth', 'Width of the flags', 20, 200],
  ['listFromPct', 'Width of the correspondents', 10, 80],
  ['listAgeWidth', 'Width of the age', 30, 200],
]

/** Pixels that a change of one makes. */
function unit(field: Field, width: number, { listFlagsWidth, listAgeWidth }: Local): number {
  if (field === 'listFromPct') return Math.max(1, (width - listFlagsWidth - listAgeWidth) / 100)
  return field === 'listAgeWidth' ? -1 : 1
}

export function Columns({ width }: { width: number }): JSX.Element {
  return (
    <div class="columns">
      {HANDLES.map(([field, label, min, max]) => (
        <Handle key={field} {...{ field, label, min, max, width }} />
      ))}
    </div>
  )
}

interface HandleProps {
  readonly field: Field
  readonly label: string
  readonly min: number
  readonly max: number
  readonly width: number
}

function Handle({ field, label, min, max, width }: HandleProps): JSX.Element {
  const value = local.value[field]
  const set = (to: number): void => {
    const bounded = Math.min(max, Math.max(min, to))
    setLocal({ [field]: field === 'listFromPct' ? bounded : Math.round(bounded) })
  }
  const drag = (event: PointerEvent & { currentTarget: HTMLElement }): void => {
    if (event.button !== 0) return
    const handle = event.currentTarget
    const per = unit(field, width, local.value)
    const from = event.clientX
    handle.setPointerCapture(event.pointerId)
    const move = (e: PointerEvent): void => set(value + (e.clientX - from) / per)
    const end = (): void => {
      handle.removeEventListener('pointermove', move)
      handle.removeEventListener('lostpointercapture', end)
    }
    handle.addEventListener('pointermove', move)
    handle.addEventListener('lostpointercapture', end)
    event.preventDefault()
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const end = event.key === 'Home' ? min : event.key === 'End' ? max : undefined
    const sign = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
    if (end === undefined && sign === 0) return
    event.preventDefault()
    set(end ?? value + (sign * STEP) / unit(field, width, local.value))
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a rule cannot be moved
    <div
      role="separator"
      class={`handle ${field}`}
      tabIndex={0}
      aria-label={label}
      aria-orientation="vertical"
      aria-valuemin={min}
      aria-valuemax={max}
      aria-valuenow={Math.round(value)}
      onPointerDown={drag}
      onKeyDown={onKeyDown}
    />
  )
}
