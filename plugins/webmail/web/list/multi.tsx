// What is shown when more than one message is selected: how many, and what can be done with them.
import type { JSX } from 'preact'
import { press } from '../frame/keyboard.ts'
import { call } from '../lib/api.ts'
import { countOf } from '../state/actions.ts'
import { attempt } from '../state/busy.ts'
import { hasRole, itemsOf } from '../state/lookup.ts'
import { openMailbox, view } from '../state/store.ts'
import { openLabels, openMoveTo } from './popovers.ts'
import { clearSelection, rows, selection, targets, threading, ticked, whole } from './state.ts'
import './multi.css'

/** For the message pane. */
export function MultiPanel(): JSX.Element {
  const count = targets().length
  return (
    <section class="multi" aria-label="Selected messages">
      <h2>{countOf(count)} selected</h2>
      <WholeView />
      <MultiActions />
      <button type="button" class="link" onClick={clearSelection}>
        Select none
      </button>
    </section>
  )
}

/** In the list of a phone, while rows are ticked. */
export function TickedBar(): JSX.Element | null {
  if (ticked.value === undefined) return null
  return (
    <section class="ticked" aria-label="Selected messages">
      <div>
        <strong>{countOf(targets().length)} selected</strong>
        <button
          type="button"
          onClick={() => {
            ticked.value = undefined
          }}
        >
          Done
        </button>
      </div>
      <MultiActions />
    </section>
  )
}

function MultiActions(): JSX.Element {
  const items = [...itemsOf(targets()).values()]
  const inTrash = items.length > 0 && items.every(item => hasRole(item.mailboxId, 'trash'))
  const button = (id: string, text: string) => (
    <button type="button" key={id} onClick={() => press(`list.${id}`)}>
      {text}
    </button>
  )
  return (
    <div class="actions">
      {button('archive', 'Archive')}
      {inTrash ? button('delete', 'Delete…') : button('trash', 'Trash')}
      {button('junk', 'Junk')}
      <button type="button" aria-haspopup="dialog" onClick={event => openMoveTo(event.currentTarget)}>
        Move to…
      </button>
      <button type="button" aria-haspopup="dialog" onClick={event => openLabels(event.currentTarget)}>
        Labels…
      </button>
      {button('notJunk', 'Mark not junk')}
      {button('markRead', 'Mark read')}
      {button('markUnread', 'Mark unread')}
      {threading.value === 'off' ? null : button('mute', 'Mute thread')}
      {threading.value === 'off' ? null : button('unmute', 'Unmute thread')}
      <button type="button" onClick={() => void exportMessages(targets())}>
        Export as…
      </button>
    </div>
  )
}

async function exportMessages(ids: readonly number[]): Promise<void> {
  const { openExport } = await import('../mailboxes/export.tsx')
  openExport(ids)
}

/** When all loaded rows are selected and there are more: offers to take those too. */
function WholeView(): JSX.Element | null {
  const now = view.value
  if (now === undefined) return null
  const place = now.search === '' ? (openMailbox.value?.name ?? 'this mailbox') : 'this search'
  const all = whole.value
  if (all !== undefined)
    return (
      <p>
        {all.complete
          ? `All messages of ${place} are selected.`
          : `The first ${countOf(all.ids.length)} of ${place} are selected: more cannot be changed at once.`}
      </p>
    )
  if (now.next === null || selection.value.selected.length < rows.value.length) return null
  const query = now.query
  const load = async (): Promise<void> => {
    await attempt('selecting all messages', async () => {
      const answer = await call('queryIds', { query })
      if (view.value?.id === now.id) whole.value = answer
    })
  }
  return (
    <p>
      All loaded messages are selected.{' '}
      <button type="button" class="link" onClick={() => void load()}>
        Select all{now.total === null ? '' : ` ${now.total.toLocaleString()}`} messages of {place}
      </button>
    </p>
  )
}
