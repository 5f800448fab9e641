// The queue: every recipient that waits, why, and until when; and what an operator does with one or with many.
import type { JSX } from 'preact'
import type { QueueRow } from '../src/api-types.ts'
import { ChooseTransport, RequireTls, Schedule } from './change.tsx'
import { Confirm } from './confirm.tsx'
import { at, until } from './format.ts'
import { StateBadge } from './list.tsx'
import { MessageAsSent } from './message.tsx'
import { FilterBar } from './queue-filter-bar.tsx'
import { filtered, filters, NO_FILTERS } from './queue-filters.ts'
import {
  type Action,
  act,
  allSelected,
  asking,
  current,
  everything,
  moreRows,
  nextRows,
  queueLoaded,
  rows,
  said,
  select,
  selectAll,
  selectEverything,
  selected,
  show,
  these,
} from './queue-state.ts'
import { now } from './state.ts'

export function QueueView(): JSX.Element {
  return (
    <main class="queue">
      <h2 class="visually-hidden">Queue</h2>
      <FilterBar />
      <Selection />
      {rows.value.length === 0 ? <Empty /> : <Table />}
      {nextRows.value === undefined ? null : (
        <button type="button" class="more" onClick={() => void moreRows()}>
          More recipients
        </button>
      )}
      <p class="visually-hidden" role="status">
        {said.value}
      </p>
      <Question />
      <MessageAsSent />
    </main>
  )
}

function Question(): JSX.Element | null {
  const question = asking.value
  if (question === undefined) return null
  const { action, chosen } = question
  switch (action) {
    case 'schedule':
      return <Schedule chosen={chosen} />
    case 'transport':
      return <ChooseTransport chosen={chosen} />
    case 'requiretls':
      return <RequireTls chosen={chosen} />
    case 'fail':
    case 'drop':
      return <Confirm action={action} chosen={chosen} />
  }
}

interface Operation {
  readonly action: Action
  readonly label: string
  readonly key: string
  /** Beside each recipient too. */
  readonly row: boolean
}

const ACTIONS: readonly Operation[] = [
  { action: 'retry', label: 'Retry now', key: 'r', row: true },
  { action: 'hold', label: 'Hold', key: 'h', row: true },
  { action: 'release', label: 'Release', key: 'h', row: true },
  { action: 'schedule', label: 'Schedule…', key: 's', row: false },
  { action: 'transport', label: 'Transport…', key: 't', row: false },
  { action: 'requiretls', label: 'TLS…', key: 'l', row: false },
  { action: 'fail', label: 'Fail…', key: 'f', row: true },
  { action: 'drop', label: 'Drop…', key: 'd', row: true },
]

/** What can be done with the selected ones; always there, so that nothing moves when a row is selected. */
function Selection(): JSX.Element {
  const count = selected.value.size
  return (
    <fieldset class="selection">
      <legend class="visually-hidden">Selected recipients</legend>
      <label class="all">
        <input
          type="checkbox"
          checked={allSelected.value}
          indeterminate={count > 0 && !allSelected.value}
          disabled={rows.value.length === 0}
          onChange={event => selectAll(event.currentTarget.checked)}
        />
        {everything.value !== undefined
          ? `all ${everything.value.toLocaleString()} selected`
          : count === 0
            ? 'Select all'
            : `${count} selected`}
      </label>
      {/* Of use only where the list has more than it shows. */}
      {nextRows.value === undefined || everything.value !== undefined ? null : (
        <button type="button" class="link" aria-keyshortcuts="Shift+A" onClick={() => void selectEverything()}>
          Select all that match
        </button>
      )}
      {ACTIONS.map(({ action, label, key }) => (
        <button
          type="button"
          key={action}
          aria-keyshortcuts={key}
          class={action === 'fail' || action === 'drop' ? 'danger' : ''}
          disabled={count === 0}
          onClick={() => act(action)}
        >
          {label}
        </button>
      ))}
    </fieldset>
  )
}

function Table(): JSX.Element {
  return (
    <div class="scroll">
      <table class="queued">
        <caption class="visually-hidden">Recipients in the queue</caption>
        <thead>
          <tr>
            <th scope="col">
              <span class="visually-hidden">Select</span>
            </th>
            <th scope="col">Recipient</th>
            <th scope="col">State</th>
            <th scope="col">Next attempt</th>
            <th scope="col" class="number">
              Attempts
            </th>
            <th scope="col">Last reply</th>
            <th scope="col">
              <span class="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.value.map(row => (
            <Row key={row.id} row={row} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Row({ row }: { row: QueueRow }): JSX.Element {
  const { id, to, state } = row
  return (
    <tr id={`queued-${id}`} class={current.value === id ? 'current' : ''} onFocusCapture={() => (current.value = id)}>
      <td class="pick">
        <input
          type="checkbox"
          id={`select-${id}`}
          aria-label={`Select ${to}`}
          checked={selected.value.has(id)}
          onChange={event => select(id, event.currentTarget.checked)}
        />
      </td>
      <th scope="row" class="who">
        <a href={`#${row.messageId}`}>{to}</a>
        <small>
          {row.subject || '(no subject)'} · from {row.from || '<>'} · queue id {id}
          {row.transport === undefined ? '' : ` · transport ${row.transport}`}
          {row.requireTls === undefined ? '' : row.requireTls ? ' · only over verified TLS' : ' · also without TLS'}
          {' · '}
          <button type="button" class="link" aria-label={`Message to ${to}`} onClick={() => show(id)}>
            message
          </button>
        </small>
      </th>
      <td>
        <StateBadge state={state} />
      </td>
      <td class="when">
        {state === 'held' ? (
          'when released'
        ) : (
          <time title={at(row.due)}>{state === 'trying' ? 'now' : until(row.due, now.value)}</time>
        )}
      </td>
      <td class="number" data-label={row.attempts === 1 ? 'attempt' : 'attempts'}>
        {row.attempts}
      </td>
      <td class="last">{row.last === '' ? <small>not tried yet</small> : row.last}</td>
      <td class="acts">
        {ACTIONS.filter(one => one.row && one.action !== (state === 'held' ? 'hold' : 'release')).map(one => (
          <button
            type="button"
            key={one.action}
            class={one.action === 'fail' || one.action === 'drop' ? 'danger' : ''}
            aria-label={`${one.label.replace('…', '')} ${to}`}
            onClick={() => act(one.action, these([id]))}
          >
            {one.label}
          </button>
        ))}
      </td>
    </tr>
  )
}

function Empty(): JSX.Element {
  if (!queueLoaded.value) return <p class="empty">Loading…</p>
  if (filtered.value)
    return (
      <p class="empty">
        No recipient matches.{' '}
        <button type="button" class="link" onClick={() => (filters.value = NO_FILTERS)}>
          Show all
        </button>
      </p>
    )
  return (
    <p class="empty">
      The queue is empty: everything was delivered or has failed. A recipient such as <code>queue-452@example.org</code>{' '}
      stays here for a while.
    </p>
  )
}
