// The list of messages, newest first.
import type { JSX } from 'preact'
import type { MessageSummary, RecipientState } from '../src/api-types.ts'
import { ago, at, STATES } from './format.ts'
import { filter, loaded, loadMore, messages, next, now, open, selected, shown } from './state.ts'

export function MessageListView(): JSX.Element {
  return (
    <nav class="list" aria-label="Messages">
      {shown.value.length === 0 ? <Empty /> : null}
      <ul>
        {shown.value.map(m => (
          <Row key={m.id} message={m} />
        ))}
      </ul>
      {next.value === undefined ? null : (
        <button type="button" class="more" onClick={() => void loadMore()}>
          Older messages
        </button>
      )}
    </nav>
  )
}

function Row({ message: m }: { message: MessageSummary }): JSX.Element {
  return (
    <li>
      <a
        href={`#${m.id}`}
        data-id={m.id}
        class="row"
        aria-current={selected.value === m.id ? 'true' : undefined}
        onClick={event => openHere(event, m.id)}
      >
        <span class="line">
          <span class="subject">{m.subject || '(no subject)'}</span>
          <time title={at(m.receivedAt)}>{ago(m.receivedAt, now.value)}</time>
        </span>
        <span class="line">
          <span class="people">
            {m.from || '<>'} <span aria-hidden="true">→</span> {m.recipients[0]}
            {m.recipients.length > 1 ? ` +${m.recipients.length - 1}` : ''}
          </span>
          <States states={m.states} />
        </span>
      </a>
    </li>
  )
}

function openHere(event: MouseEvent, id: number): void {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return
  event.preventDefault()
  open(id)
}

export function States({ states }: { states: MessageSummary['states'] }): JSX.Element {
  const entries = Object.entries(states) as [RecipientState, number][]
  return (
    <span class="states">
      {entries.map(([state, count]) => (
        <StateBadge key={state} state={state} count={count} />
      ))}
    </span>
  )
}

export function StateBadge({ state, count }: { state: RecipientState; count?: number }): JSX.Element {
  const { word, tone } = STATES[state]
  return <span class={`badge ${tone}`}>{count === undefined || count === 1 ? word : `${count} ${word}`}</span>
}

function Empty(): JSX.Element {
  if (!loaded.value) return <p class="empty">Loading…</p>
  if (messages.value.length > 0)
    return (
      <p class="empty">
        Nothing matches.{' '}
        <button type="button" class="link" onClick={() => (filter.value = '')}>
          Show all
        </button>
      </p>
    )
  return (
    <div class="empty">
      <p>No mail yet. Send some:</p>
      <pre>{`curl smtp://localhost:1587 \\
  --user mox@localhost:moxmoxmox \\
  --mail-from mox@localhost \\
  --mail-rcpt friend@example.org \\
  --upload-file message.eml`}</pre>
    </div>
  )
}
