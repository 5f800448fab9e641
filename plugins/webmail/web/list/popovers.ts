// Opens the popovers of what is selected, which are loaded when they are first needed.
import { toast } from '../frame/overlay.ts'
import { showError } from '../state/busy.ts'
import { opening } from '../state/opening.ts'
import { targets } from './state.ts'

function withSelected(open: (ids: readonly number[]) => Promise<void>): void {
  const ids = targets()
  if (ids.length === 0) toast({ text: 'No message is selected' })
  else opening(() => open(ids)).catch(showError)
}

export function openLabels(anchor: HTMLElement): void {
  withSelected(async ids => (await import('./labels.tsx')).openLabels(anchor, ids))
}

export function openMoveTo(anchor: HTMLElement): void {
  withSelected(async ids => (await import('./move-to.tsx')).openMoveTo(anchor, ids))
}

/** The labels that the list can be narrowed to. */
export function openLabelChoice(anchor: HTMLElement, choose: (keyword: string) => void): void {
  opening(async () => (await import('./labels.tsx')).openLabelChoice(anchor, choose)).catch(showError)
}
