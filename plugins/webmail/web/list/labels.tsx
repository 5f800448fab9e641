// The popovers with labels: a box for each known label and a field for a new one, and the choice of one.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { openPopover } from '../frame/overlay.ts'
import { label } from '../state/actions.ts'
import { itemsOf } from '../state/lookup.ts'
import { mailboxes, openMailbox, settings } from '../state/store.ts'
import { knownLabels, labelProblem, labelState } from './label-names.ts'

export function openLabels(anchor: HTMLElement, ids: readonly number[]): void {
  openPopover({ anchor, label: 'Labels', render: () => <Labels ids={ids} /> })
}

function Labels({ ids }: { ids: readonly number[] }): JSX.Element {
  const [name, setName] = useState('')
  const [problem, setProblem] = useState('')
  const items = [...itemsOf(ids).values()]
  const from = openMailbox.value === undefined ? mailboxes.value.values() : [openMailbox.value]
  const known = knownLabels(settings.value, from, items)
  const create = (event: Event): void => {
    event.preventDefault()
    const keyword = name.trim().toLowerCase()
    const wrong = labelProblem(keyword)
    setProblem(wrong)
    if (wrong !== '') return
    setName('')
    void label(ids, keyword, true)
  }
  return (
    <div class="labels-popover">
      <div class="choices">
        {known.map(({ keyword, name: shown, color }) => {
          const state = labelState(items, keyword)
          return (
            <label key={keyword} class="choice">
              <input
                type="checkbox"
                checked={state === 'all'}
                indeterminate={state === 'some'}
                onChange={() => void label(ids, keyword, state !== 'all')}
              />
              <span class={`tag ${color}`}>{shown}</span>
            </label>
          )
        })}
      </div>
      <form onSubmit={create}>
        <input
          type="text"
          aria-label="New label"
          placeholder="New label"
          value={name}
          aria-invalid={problem !== ''}
          onInput={event => setName(event.currentTarget.value)}
        />
        <button type="submit">Add</button>
        {problem === '' ? null : <p role="alert">{problem}</p>}
      </form>
    </div>
  )
}

/** The labels that the list can be narrowed to. */
export function openLabelChoice(anchor: HTMLElement, choose: (keyword: string) => void): void {
  const from = openMailbox.value === undefined ? mailboxes.value.values() : [openMailbox.value]
  const known = knownLabels(settings.value, from)
  openPopover({
    anchor,
    label: 'Only messages with label',
    render: close => (
      <div class="labels-popover choices">
        {known.length === 0 ? <p>There are no labels here.</p> : null}
        {known.map(({ keyword, name, color }) => (
          <button
            type="button"
            key={keyword}
            class="choice"
            onClick={() => {
              close()
              choose(keyword)
            }}
          >
            <span class={`tag ${color}`}>{name}</span>
          </button>
        ))}
      </div>
    ),
  })
}
