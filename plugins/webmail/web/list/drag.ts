// Dragging messages to a mailbox. A row that is not selected is selected by dragging it.
import { countOf } from '../state/actions.ts'
import { itemsOf } from '../state/lookup.ts'
import { selected } from '../state/store.ts'
import { only } from './selection.ts'
import { setSelection, targets } from './state.ts'

/** JSON list of [mailbox id, message id]. */
export const MESSAGES_TYPE = 'application/vnd.mox.messages'

export function startDrag(event: DragEvent, id: number): void {
  if (event.dataTransfer === null) return
  if (!selected.value.includes(id)) setSelection(only(id))
  const ids = targets()
  const items = itemsOf(ids)
  const payload = ids.map(i => [items.get(i)?.mailboxId ?? 0, i])
  event.dataTransfer.setData(MESSAGES_TYPE, JSON.stringify(payload))
  event.dataTransfer.effectAllowed = 'move'
  const image = document.createElement('div')
  image.className = 'drag-image'
  image.textContent = countOf(ids.length)
  document.body.append(image)
  event.dataTransfer.setDragImage(image, -12, -4)
  // The browser takes its picture after this event.
  setTimeout(() => image.remove())
}
