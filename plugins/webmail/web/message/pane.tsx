// The pane of the message: nothing, one message, or what can be done with several.
import type { JSX } from 'preact'
import type { OpenedMessage } from '../../src/api/model.ts'
import { startExtensions } from '../extend/start.ts'
import { lazy } from '../frame/lazy.tsx'
import { MultiPanel } from '../list/multi.tsx'
import { highlightTerms } from '../search/highlight.ts'
import { showError } from '../state/busy.ts'
import { opened, selected, settings, view } from '../state/store.ts'
import { Attachments } from './attachments.tsx'
import { Body, Modes } from './body.tsx'
import { Buttons } from './buttons.tsx'
import { registerMessageCommands } from './commands.tsx'
import { Head } from './head.tsx'
import { modeOf } from './modes.ts'
import { Panels } from './panels.tsx'
import { problem, retry, startOpened, viewer } from './state.ts'
import './message.css'

const Viewer = lazy(
  async () => (await import('./viewer.tsx')).Viewer,
  '',
  error => {
    viewer.value = undefined
    showError(error)
  },
)

/** Everything of the message pane that is to happen once, before navigation starts. */
export function startMessage(): void {
  registerMessageCommands()
  startOpened()
  startExtensions()
}

export function MessagePane(): JSX.Element {
  const { length } = selected.value
  if (length > 1) return <MultiPanel />
  const message = opened.value
  if (length === 0) return <p class="message-empty">Select a message to read it.</p>
  if (problem.value !== '')
    return (
      <div class="message-empty" role="alert">
        <p>{problem.value}</p>
        <button type="button" onClick={retry}>
          Try again
        </button>
      </div>
    )
  return message === undefined ? <Skeleton /> : <Message message={message} />
}

function Message({ message }: { readonly message: OpenedMessage }): JSX.Element {
  const now = view.value
  const terms = now === undefined || now.search === '' ? [] : highlightTerms(now.query.filter)
  const mode = modeOf(message, settings.value)
  return (
    <article class="message" aria-label={message.subject || '(no subject)'}>
      <Buttons message={message} />
      <Head key={message.id} message={message} terms={terms}>
        <Attachments message={message} imagesBelow={mode === 'text'} />
        <Panels message={message} />
        <Modes message={message} mode={mode} />
      </Head>
      <Body message={message} mode={mode} terms={terms} />
      {viewer.value === undefined ? null : <Viewer message={message} path={viewer.value} />}
    </article>
  )
}

/** The place of a message that is being loaded. It appears only after a moment. */
function Skeleton(): JSX.Element {
  const lines = 4 + (settings.value?.showHeaders.length ?? 0)
  return (
    <div class="message-skeleton" aria-busy="true">
      <p class="visually-hidden">Loading the message…</p>
      {Array.from({ length: lines }, (_, i) => (
        <span key={i} style={{ width: `${[70, 45, 38, 30][i % 4]}%` }} />
      ))}
    </div>
  )
}
