// Settings: labels, which are keywords of IMAP with a name, a colour and a key.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { toast } from '../frame/overlay.ts'
import { change } from '../state/preferences.ts'
import { mailboxes, settings } from '../state/store.ts'
import { COLORS } from './choices.ts'
import { replaced } from './fields.tsx'
import { keywordOf } from './keyword.ts'

const KEYS = ['', '1', '2', '3', '4', '5', '6', '7', '8', '9'] as const

export function Labels(): JSX.Element {
  const all = settings.value?.labels ?? []
  const known = new Set(all.map(l => l.keyword))
  const found = [...new Set([...mailboxes.value.values()].flatMap(m => m.keywords))]
  const others = found.filter(k => !known.has(k) && !/^[$\\]/.test(k)).sort()
  return (
    <>
      <h3>Labels</h3>
      <p class="hint-text">
        A label is the same in all mail programs. Here it has a name, a colour, and a key that toggles it.
      </p>
      {all.length === 0 ? null : (
        <table class="labels">
          <thead>
            <tr>
              <th scope="col">Label</th>
              <th scope="col">Name</th>
              <th scope="col">Colour</th>
              <th scope="col">Key</th>
              <th scope="col">
                <span class="visually-hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {all.map((entry, n) => (
              <LabelRow key={entry.keyword} at={n} />
            ))}
          </tbody>
        </table>
      )}
      <NewLabel />
      {others.length === 0 ? null : (
        <fieldset class="group">
          <legend>In use, without a name or colour</legend>
          <p class="line">
            {others.slice(0, 100).map(keyword => (
              <button key={keyword} type="button" onClick={() => addLabel(keyword, keyword)}>
                {keyword}
              </button>
            ))}
          </p>
        </fieldset>
      )}
    </>
  )
}

function addLabel(keyword: string, name: string): void {
  const all = settings.value?.labels ?? []
  if (all.some(l => l.keyword === keyword)) return
  const color = COLORS[(all.length % (COLORS.length - 1)) + 1] ?? 'grey'
  change({ labels: [...all, { keyword, name, color, key: '' }] })
}

function LabelRow({ at }: { readonly at: number }): JSX.Element | null {
  const all = settings.value?.labels ?? []
  const entry = all[at]
  if (entry === undefined) return null
  const set = (next: Partial<typeof entry>): void => change({ labels: replaced(all, at, { ...entry, ...next }) })
  return (
    <tr>
      <td>
        <span
          class="label-tag"
          style={{ background: `var(--label-${entry.color})`, color: `var(--label-${entry.color}-text)` }}
        >
          {entry.name || entry.keyword}
        </span>
        {entry.name === '' || entry.name === entry.keyword ? null : <small>{entry.keyword}</small>}
      </td>
      <td>
        <input
          type="text"
          aria-label={`Name of ${entry.keyword}`}
          maxLength={100}
          value={entry.name}
          onInput={event => set({ name: event.currentTarget.value })}
        />
      </td>
      <td>
        <select
          aria-label={`Colour of ${entry.keyword}`}
          value={entry.color}
          onChange={event => set({ color: event.currentTarget.value as typeof entry.color })}
        >
          {COLORS.map(color => (
            <option key={color} value={color}>
              {color}
            </option>
          ))}
        </select>
      </td>
      <td>
        <select
          aria-label={`Key of ${entry.keyword}`}
          value={entry.key}
          onChange={event => {
            const key = event.currentTarget.value as typeof entry.key
            // A key toggles one label.
            const freed = all.map(l => (key !== '' && l.key === key ? { ...l, key: '' as const } : l))
            change({ labels: replaced(freed, at, { ...entry, key }) })
          }}
        >
          {KEYS.map(key => (
            <option key={key} value={key}>
              {key === '' ? 'none' : key}
            </option>
          ))}
        </select>
      </td>
      <td>
        <button
          type="button"
          onClick={() => {
            change({ labels: replaced(all, at, undefined) })
            toast({
              text: `“${entry.name || entry.keyword}” is a plain label again`,
              undo: () => change({ labels: all }),
            })
          }}
        >
          Remove
        </button>
      </td>
    </tr>
  )
}

function NewLabel(): JSX.Element {
  const [name, setName] = useState('')
  const keyword = keywordOf(name)
  return (
    <form
      class="line new-label"
      onSubmit={event => {
        event.preventDefault()
        if (keyword === '') return
        addLabel(keyword, name.trim())
        setName('')
      }}
    >
      <input
        type="text"
        aria-label="Name of a new label"
        placeholder="New label"
        maxLength={100}
        value={name}
        onInput={event => setName(event.currentTarget.value)}
      />
      <button type="submit" disabled={keyword === ''}>
        Add
      </button>
      {keyword === '' || keyword === name.trim() ? null : <small>kept as “{keyword}”</small>}
    </form>
  )
}
