// The queue: every recipient that waits, why, and until when; and what an operator does with one or with many.
import type { JSX } from 'preact'
import type { QueueAction, QueueRow } from '../src/api-types.ts'
import { Confirm } from './confirm.tsx'
import { at, until } from './format.ts'
import { StateBadge } from './list.tsx'
import {
  act,
  allSelected,
  current,
  type Filters,
  filtered,
  filters,
  moreRows,
  NO_FILTERS,
  nextRows,
  queueLoaded,
  rows,
  said,
  select,
  selectAll,
  selected,
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
      <Confirm />
    </main>
  )
}

function set(change: Partial<Filters>): void {
  filters.value = { ...filters.value, ...change }
}

function FilterBar(): JSX.Element {
  const { to, from, state, sort } = filters.value
  return (
    <search class="filters">
      <label>
        Recipient
        <input
          type="search"
          id="queue-to"
          placeholder="@example.org"
          value={to}
          onInput={event => set({ to: event.currentTarget.value })}
        />
      </label>
      <label>
        Sender
        <input type="search" value={from} onInput={event => set({ from: event.currentTarget.value })} />
      </label>
      <label>
        State
        <select value={state} onChange={event => set({ state: event.currentTarget.value as Filters['state'] })}>
          <option value="all">All</option>
          <option value="waiting">Not held</option>
          <option value="held">Held</option>
        </select>
      </label>
      <label>
        Order
        <select value={sort} onChange={event => set({ sort: event.currentTarget.value as Filters['sort'] })}>
          <option value="nextattempt">Next attempt</option>
          <option value="queued">Newest</option>
        </select>
      </label>
    </search>
  )
}

const ACTIONS: readonly { action: QueueAction; label: string; key: string }[] = [
  { action: 'retry', label: 'Retry now', key: 'r' },
  { action: 'hold', label: 'Hold', key: 'h' },
  { action: 'release', label: 'Release', key: 'h' },
  { action: 'fail', label: 'Fail…', key: 'f' },
  { action: 'drop', label: 'Drop…', key: 'd' },
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
        {count === 0 ? 'Select all' : `${count} selected`}
      </label>
      {ACTIONS.map(({ action, label, key }) => (
        <button
          type="button"
          key={action}
          aria-keyshortcuts={key}
          class={action === 'fail' || action === 'drop' ? 'danger' : ''}
          disabled={count === 0}
          onClick={() => act(action, [...selected.value])}
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
        {ACTIONS.filter(({ action }) => action !== (state === 'held' ? 'hold' : 'release')).map(({ action, label }) => (
          <button
            type="button"
            key={action}
            class={action === 'fail' || action === 'drop' ? 'danger' : ''}
            aria-label={`${label.replace('…', '')} ${to}`}
            onClick={() => act(action, [id])}
          >
            {label}
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
