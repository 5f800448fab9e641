// The page of localserve: every message that arrives, live, and what happened to each. Keyboard first.

import type { JSX } from 'preact'
import { render } from 'preact'
import { DetailView, TABS } from './detail.tsx'
import { MessageListView } from './list.tsx'
import {
  available,
  close,
  control,
  detail,
  filter,
  help,
  live,
  move,
  problem,
  selected,
  shown,
  start,
  status,
  type Theme,
  tab,
  theme,
} from './state.ts'
import './style.css'

function App(): JSX.Element {
  return (
    <div class={selected.value === undefined ? 'app' : 'app reading'}>
      <TopBar />
      {problem.value === '' ? null : (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
      <main class="panes">
        <MessageListView />
        <DetailView />
      </main>
      <p class="visually-hidden" role="status">
        {shown.value.length} messages
      </p>
      {help.value ? <Help /> : null}
    </div>
  )
}

function TopBar(): JSX.Element {
  const s = status.value
  return (
    <header class="bar">
      <h1>
        mox <span>localserve</span>
      </h1>
      <input
        type="search"
        id="filter"
        aria-label="Filter messages"
        placeholder="Filter  ( / )"
        value={filter.value}
        onInput={event => (filter.value = event.currentTarget.value)}
      />
      <span class={live.value ? 'badge good' : 'badge bad'}>{live.value ? 'live' : 'not connected'}</span>
      {s === undefined ? null : <span class="badge calm">{s.queued} queued</span>}
      <button type="button" onClick={() => void control(s?.paused ? 'resume' : 'pause')}>
        {s?.paused ? 'Resume delivery' : 'Pause delivery'}
      </button>
      <label class="theme">
        <span class="visually-hidden">Colours</span>
        <select value={theme.value} onChange={event => (theme.value = event.currentTarget.value as Theme)}>
          <option value="auto">Auto</option>
          <option value="light">Light</option>
          <option value="dark">Dark</option>
        </select>
      </label>
      <button type="button" aria-label="Keyboard shortcuts" onClick={() => (help.value = true)}>
        ?
      </button>
    </header>
  )
}

const KEYS: readonly [string, string][] = [
  ['j / ↓', 'next message'],
  ['k / ↑', 'previous message'],
  ['1 – 6', 'tab of the message'],
  ['/', 'filter'],
  ['Esc', 'back to the list'],
  ['?', 'this help'],
]

function Help(): JSX.Element {
  return (
    <dialog open class="help" aria-label="Keyboard shortcuts">
      <table>
        <tbody>
          {KEYS.map(([key, what]) => (
            <tr key={key}>
              <th scope="row">
                <kbd>{key}</kbd>
              </th>
              <td>{what}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <button type="button" autofocus onClick={() => (help.value = false)}>
        Close
      </button>
    </dialog>
  )
}

addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const target = event.target as HTMLElement
  if (event.key === 'Escape') {
    if (help.value) help.value = false
    else if (target.id === 'filter') {
      // The browser would empty the field without telling.
      event.preventDefault()
      filter.value = ''
      target.blur()
    } else close()
    return
  }
  if (target.matches('input, select, textarea')) return
  const index = Number(event.key) - 1
  const chosen = TABS[index]
  if (event.key === 'j' || event.key === 'ArrowDown') move(1)
  else if (event.key === 'k' || event.key === 'ArrowUp') move(-1)
  else if (event.key === '/') document.getElementById('filter')?.focus()
  else if (event.key === '?') help.value = !help.value
  else if (chosen !== undefined && selected.value !== undefined && available(chosen.tab, detail.value))
    tab.value = chosen.tab
  else return
  event.preventDefault()
})

const root = document.getElementById('app')
if (root !== null) render(<App />, root)
start()
