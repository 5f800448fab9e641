// The page of localserve: every message that arrives, live, and what happened to each; and the queue. Keyboard first.

import type { JSX } from 'preact'
import { render } from 'preact'
import { BenchView, ClockBadge } from './bench.tsx'
import { DetailView, TABS } from './detail.tsx'
import { MessageListView } from './list.tsx'
import { QueueView } from './queue.tsx'
import {
  act,
  asking,
  selected as chosen,
  current,
  holdOrRelease,
  select,
  selectAll,
  selectEverything,
  show,
  showing,
  step,
} from './queue-state.ts'
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
  view,
} from './state.ts'
import './style.css'
import './queue.css'
import './bench.css'

function App(): JSX.Element {
  return (
    <div class={selected.value === undefined || view.value !== 'messages' ? 'app' : 'app reading'}>
      <TopBar />
      {problem.value === '' ? null : (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
      {view.value === 'queue' ? (
        <QueueView />
      ) : view.value === 'bench' ? (
        <BenchView />
      ) : (
        <main class="panes">
          <MessageListView />
          <DetailView />
        </main>
      )}
      {view.value !== 'messages' ? null : (
        <p class="visually-hidden" role="status">
          {shown.value.length} messages
        </p>
      )}
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
      <nav class="views" aria-label="Views">
        <a href="#messages" aria-current={view.value === 'messages' ? 'page' : undefined}>
          Messages
        </a>
        <a href="#queue" aria-current={view.value === 'queue' ? 'page' : undefined}>
          Queue{s === undefined ? '' : ` (${s.queued})`}
        </a>
        <a href="#bench" aria-current={view.value === 'bench' ? 'page' : undefined}>
          Bench
        </a>
        {s?.home === undefined ? null : <a href={s.home}>Webmail</a>}
      </nav>
      {view.value !== 'messages' ? (
        <span class="space" />
      ) : (
        <input
          type="search"
          id="filter"
          aria-label="Filter messages"
          placeholder="Filter  ( / )"
          value={filter.value}
          onInput={event => (filter.value = event.currentTarget.value)}
        />
      )}
      <ClockBadge />
      <span class={live.value ? 'badge good' : 'badge bad'}>{live.value ? 'live' : 'not connected'}</span>
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
  ['Esc', 'back to the list, to the messages'],
  ['q', 'the queue'],
  ['b', 'the bench: clock, scenarios, events'],
  ['x', 'queue: select the recipient'],
  ['a / A', 'queue: select all shown, all that match'],
  ['r', 'queue: retry now'],
  ['h', 'queue: hold or release'],
  ['s / t / l', 'queue: schedule, transport, TLS'],
  ['f / d', 'queue: fail, drop'],
  ['m', 'queue: the message as it is sent'],
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
  // The browser closes a modal dialog, and nothing behind it hears keys.
  if (event.ctrlKey || event.metaKey || event.altKey || asking.value !== undefined || showing.value !== undefined)
    return
  const target = event.target as HTMLElement
  if (event.key === 'Escape') leave(event, target)
  else if (!target.matches('input:not([type=checkbox]), select, textarea') && press(event.key)) event.preventDefault()
})

function leave(event: KeyboardEvent, target: HTMLElement): void {
  if (help.value) help.value = false
  else if (target.id === 'filter') {
    // The browser would empty the field without telling.
    event.preventDefault()
    filter.value = ''
    target.blur()
  } else if (target.matches('input[type=search]')) target.blur()
  else if (view.value === 'messages') close()
  else if (view.value === 'queue' && chosen.value.size > 0) selectAll(false)
  else location.hash = '#messages'
}

/** Whether the key means something here. */
function press(key: string): boolean {
  if (key === '?') help.value = !help.value
  else if (key === 'q') location.hash = '#queue'
  else if (key === 'b') location.hash = '#bench'
  else if (view.value === 'bench') return false
  else return view.value === 'queue' ? pressInQueue(key) : pressInMessages(key)
  return true
}

function pressInMessages(key: string): boolean {
  const tabOfKey = TABS[Number(key) - 1]
  if (key === 'j' || key === 'ArrowDown') move(1)
  else if (key === 'k' || key === 'ArrowUp') move(-1)
  else if (key === '/') document.getElementById('filter')?.focus()
  else if (tabOfKey !== undefined && selected.value !== undefined && available(tabOfKey.tab, detail.value))
    tab.value = tabOfKey.tab
  else return false
  return true
}

function pressInQueue(key: string): boolean {
  if (key === 'j' || key === 'ArrowDown') step(1)
  else if (key === 'k' || key === 'ArrowUp') step(-1)
  else if (key === '/') document.getElementById('queue-to')?.focus()
  else if (key === 'x' && current.value !== undefined) select(current.value, !chosen.value.has(current.value))
  else if (key === 'a') selectAll(true)
  else if (key === 'A') void selectEverything()
  else if (key === 'r') act('retry')
  else if (key === 's') act('schedule')
  else if (key === 't') act('transport')
  else if (key === 'l') act('requiretls')
  else if (key === 'm') show()
  else if (key === 'h') holdOrRelease()
  else if (key === 'f') act('fail')
  else if (key === 'd') act('drop')
  else return false
  return true
}

const root = document.getElementById('app')
if (root !== null) render(<App />, root)
start()
