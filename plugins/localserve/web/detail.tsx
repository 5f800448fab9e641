// One message: who, when, and tabs for the ways to look at it.
import type { JSX } from 'preact'
import type { MessageDetail, PartDetail } from '../src/api-types.ts'
import { at, bytes } from './format.ts'
import { StateBadge } from './list.tsx'
import { available, close, detail, SOURCE_LIMIT, selected, source, type Tab, tab } from './state.ts'
import { TraceView } from './trace.tsx'

export const TABS: readonly { tab: Tab; label: string }[] = [
  { tab: 'trace', label: 'Trace' },
  { tab: 'text', label: 'Text' },
  { tab: 'html', label: 'HTML' },
  { tab: 'headers', label: 'Headers' },
  { tab: 'parts', label: 'Parts' },
  { tab: 'source', label: 'Source' },
]

export function DetailView(): JSX.Element {
  const m = detail.value
  if (selected.value === undefined)
    return (
      <section class="detail nothing" aria-label="Message">
        <p>
          Choose a message. Keys: <kbd>j</kbd> <kbd>k</kbd> to move, <kbd>?</kbd> for all.
        </p>
      </section>
    )
  return (
    <section class="detail" aria-label="Message" aria-busy={m === undefined}>
      <button type="button" class="back" onClick={close}>
        ← Messages
      </button>
      {m === undefined ? <p class="empty">Loading…</p> : <Message message={m} />}
    </section>
  )
}

function Message({ message: m }: { message: MessageDetail }): JSX.Element {
  const current = available(tab.value, m) ? tab.value : 'text'
  return (
    <>
      <header class="head">
        <h2>{m.subject || '(no subject)'}</h2>
        <dl>
          <dt>From</dt>
          <dd>{m.from || '<> (null reverse-path)'}</dd>
          <dt>To</dt>
          <dd>
            {m.recipientDetails.slice(0, 20).map(r => (
              <span class="recipient" key={r.queueId ?? r.address}>
                {r.address} <StateBadge state={r.state} />
              </span>
            ))}
            {m.recipientDetails.length > 20 ? ` and ${m.recipientDetails.length - 20} more` : ''}
          </dd>
          <dt>When</dt>
          <dd>
            {at(m.receivedAt)}, {bytes(m.size)}, id {m.id}
          </dd>
        </dl>
      </header>
      <div class="tabs" role="tablist" aria-label="Ways to look at the message">
        {TABS.map(t => (
          <button
            type="button"
            key={t.tab}
            role="tab"
            id={`tab-${t.tab}`}
            aria-selected={t.tab === current}
            aria-controls="panel"
            tabIndex={t.tab === current ? 0 : -1}
            disabled={!available(t.tab, m)}
            onClick={() => (tab.value = t.tab)}
            onKeyDown={event => turn(event, m)}
          >
            {t.label}
            {t.tab === 'parts' && m.parts.some(p => p.attachment)
              ? ` (${m.parts.filter(p => p.attachment).length})`
              : ''}
          </button>
        ))}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a panel that scrolls must be reachable by keyboard */}
      <div class="panel" role="tabpanel" id="panel" aria-labelledby={`tab-${current}`} tabIndex={0}>
        <Panel message={m} current={current} />
      </div>
    </>
  )
}

/** Arrow keys move among the tabs, as WAI-ARIA says for tab lists. */
function turn(event: KeyboardEvent, m: MessageDetail): void {
  const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
  if (step === 0) return
  event.preventDefault()
  const usable = TABS.filter(t => available(t.tab, m))
  const at = usable.findIndex(t => t.tab === tab.value)
  const to = usable[(at + step + usable.length) % usable.length]
  if (to === undefined) return
  tab.value = to.tab
  document.getElementById(`tab-${to.tab}`)?.focus()
}

function Panel({ message: m, current }: { message: MessageDetail; current: Tab }): JSX.Element {
  switch (current) {
    case 'trace':
      return <TraceView message={m} />
    case 'text':
      return m.text === undefined ? <p class="empty">No text part.</p> : <pre class="text">{m.text}</pre>
    case 'html':
      return (
        <iframe
          class="html"
          title="HTML part of the message"
          sandbox="allow-popups allow-popups-to-escape-sandbox"
          src={`api/messages/${m.id}/html`}
        />
      )
    case 'headers':
      return <Headers message={m} />
    case 'parts':
      return <Parts message={m} />
    case 'source':
      return <Source message={m} />
  }
}

function Headers({ message: m }: { message: MessageDetail }): JSX.Element {
  return (
    <>
      {m.problems.length === 0 ? null : <p class="warning">Malformed header: {[...new Set(m.problems)].join(', ')}.</p>}
      <table class="headers">
        <tbody>
          {m.header.map((h, i) => (
            <tr key={i}>
              <th scope="row">{h.name}</th>
              <td>{h.value}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  )
}

function Parts({ message: m }: { message: MessageDetail }): JSX.Element {
  return (
    <>
      {m.truncated ? <p class="warning">The message is large: only its first part is taken apart here.</p> : null}
      <ul class="plain parts">
        {m.parts.map(p => (
          <li key={p.path} style={{ paddingInlineStart: `${Math.min(p.depth, 12) * 18}px` }}>
            <PartRow message={m} part={p} />
          </li>
        ))}
      </ul>
    </>
  )
}

function PartRow({ message: m, part: p }: { message: MessageDetail; part: PartDetail }): JSX.Element {
  const leaf = !p.contentType.startsWith('multipart/')
  return (
    <>
      <code>{p.contentType}</code> {p.filename === undefined ? null : <b>{p.filename} </b>}
      <small>
        {bytes(p.size)}
        {p.encoding === '7bit' ? '' : `, ${p.encoding}`}
        {p.charset === '' ? '' : `, ${p.charset}`}
      </small>{' '}
      {leaf ? (
        <a href={`api/messages/${m.id}/parts/${encodeURIComponent(p.path)}`} download>
          Download
        </a>
      ) : null}
      {p.problems.length === 0 ? null : <span class="badge bad">{p.problems.join(', ')}</span>}
    </>
  )
}

function Source({ message: m }: { message: MessageDetail }): JSX.Element {
  const s = source.value
  return (
    <>
      <p class="facts">
        <a href={`api/messages/${m.id}/source`} target="_blank" rel="noreferrer">
          Open as a page
        </a>
        {m.size > SOURCE_LIMIT ? `; the first ${bytes(SOURCE_LIMIT)} are shown` : ''}
      </p>
      <pre class="text">{s?.id === m.id ? s.text : 'Loading…'}</pre>
    </>
  )
}
