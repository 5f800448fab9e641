// Above the list: what is shown of the mailbox or search, how threads and order are, and how many there are.
import type { JSX } from 'preact'
import { countOf } from '../state/actions.ts'
import { target } from '../state/navigate.ts'
import { openMailbox, selected, view } from '../state/store.ts'
import { type Mode, mode, order, refine, setMode, setRefine, toggleOrder } from './open.ts'
import { openLabelChoice } from './popovers.ts'
import { rows } from './state.ts'

const CHOICES = [
  ['unread', 'Unread'],
  ['read', 'Read'],
  ['attachments', 'Attachments'],
  ['flagged', 'Flagged'],
] as const

export function Header(): JSX.Element {
  const oldest = order() === 'oldest'
  const label = refine.value.startsWith('label:') ? refine.value.slice('label:'.length) : undefined
  return (
    <div class="list-header" role="toolbar" aria-label="List">
      <fieldset class="refine">
        <legend class="visually-hidden">Show only</legend>
        {CHOICES.map(([value, text]) => (
          <button type="button" key={value} aria-pressed={refine.value === value} onClick={() => setRefine(value)}>
            {text}
          </button>
        ))}
        <button
          type="button"
          aria-pressed={label !== undefined}
          aria-haspopup="dialog"
          onClick={event => openLabelChoice(event.currentTarget, keyword => setRefine(`label:${keyword}`))}
        >
          {label === undefined ? 'Label' : `Label: ${label}`}
        </button>
        {refine.value === '' ? null : (
          <button type="button" class="clear" aria-label="Show all" title="Show all" onClick={() => setRefine('')}>
            ×
          </button>
        )}
      </fieldset>
      {target.value.kind === 'search' ? (
        <button
          type="button"
          id="narrow"
          aria-haspopup="dialog"
          onClick={async event => {
            const anchor = event.currentTarget
            ;(await import('../search/facets.tsx')).openFacets(anchor)
          }}
        >
          Narrow
        </button>
      ) : null}
      <span class="counts">{counts()}</span>
      <label>
        <span>Threads</span>
        <select value={mode()} onChange={event => setMode(event.currentTarget.value as Mode)}>
          <option value="off">Off</option>
          <option value="on">On</option>
          <option value="unread">Unread</option>
        </select>
      </label>
      <button
        type="button"
        class="order"
        aria-pressed={oldest}
        aria-label="Oldest first"
        title={oldest ? 'Oldest first; press for newest first' : 'Newest first; press for oldest first'}
        onClick={toggleOrder}
      >
        ↑↓
      </button>
    </div>
  )
}

/** What is known of how many there are; narrowing and searching are not counted beyond what is loaded. */
function counts(): string {
  const now = view.value
  if (now === undefined || (now.loading && now.threads.length === 0)) return 'loading…'
  if (selected.value.length > 1) return `${selected.value.length.toLocaleString()} selected`
  if (now.loading) return 'loading…'
  const box = openMailbox.value
  if (now.total !== null && now.query.filter === undefined && box !== undefined && box.unread > 0)
    return `${countOf(now.total)}, ${box.unread.toLocaleString()} unread`
  if (now.total !== null) return countOf(now.total)
  const loaded = rows.value.list.reduce((sum, row) => sum + 1 + row.hidden.length, 0)
  return now.next === null ? countOf(loaded) : `more than ${countOf(loaded)}`
}
