// The popovers of a compose window: when to send; TLS, formatting, templates, and forwarding the whole message.
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import type { Draft, OpenedMessage } from '../../src/api/model.ts'
import { confirmAction } from '../frame/ask.tsx'
import { attempt } from '../state/busy.ts'
import { settings } from '../state/store.ts'
import { htmlOf } from './html-text.ts'
import { fieldTime, fieldValue, presets, shortTimeText, timeText } from './schedule.ts'
import type { ComposeSession } from './session.ts'

export function ScheduleMenu(props: { readonly session: ComposeSession; close(): void }): JSX.Element {
  const { session, close } = props
  const now = Date.now()
  const at = useSignal(session.draft.value.sendAt ?? now)
  const set = (sendAt: number | null): void => {
    session.change({ sendAt })
    close()
  }
  return (
    <div class="menu schedule">
      {presets(now).map(({ title, at: when }) => (
        <button key={title} type="button" onClick={() => set(when)}>
          {title}
          <span class="end">{shortTimeText(when)}</span>
        </button>
      ))}
      <hr />
      <label class="field">
        Date and time
        <input
          type="datetime-local"
          value={fieldValue(at.value)}
          min={fieldValue(now)}
          onInput={event => {
            at.value = fieldTime(event.currentTarget.value) ?? now
          }}
        />
      </label>
      <p class="schedule-text">{timeText(at.value)}</p>
      <p class="buttons">
        <button type="button" onClick={() => set(null)}>
          Send at once
        </button>
        <button type="button" class="primary" disabled={at.value <= now} onClick={() => set(at.value)}>
          Set
        </button>
      </p>
    </div>
  )
}

const TLS: readonly (readonly [string, Draft['requireTls'], string])[] = [
  ['default', null, 'As the recipients’ domains say'],
  ['require', true, 'Only over verified TLS (RequireTLS)'],
  ['insecure', false, 'Also without TLS'],
]

export function MoreMenu(props: {
  readonly session: ComposeSession
  readonly original: OpenedMessage | undefined
  close(): void
}): JSX.Element {
  const { session, original, close } = props
  const { html, requireTls, text, subject } = session.draft.value
  const templates = settings.value?.templates ?? []
  return (
    <div class="menu">
      <fieldset class="menu-group">
        <legend>Transport security</legend>
        {TLS.map(([key, value, title]) => (
          <label class="check" key={key}>
            <input
              type="radio"
              name={`tls-${session.id}`}
              checked={requireTls === value}
              onChange={() => {
                session.tlsChosen.value = true
                session.change({ requireTls: value })
              }}
            />
            <span>{title}</span>
          </label>
        ))}
      </fieldset>
      <hr />
      <button
        type="button"
        onClick={() => {
          close()
          if (html === null) session.change({ html: htmlOf(text) })
          else void toPlain(session)
        }}
      >
        {html === null ? 'Write with formatting' : 'Write plain text'}
      </button>
      {original === undefined ? null : (
        <button
          type="button"
          onClick={() => {
            close()
            void attempt('attaching', () => session.attachMessage(original.id))
          }}
        >
          Attach the original message
        </button>
      )}
      {templates.length === 0 ? null : (
        <>
          <hr />
          <p class="menu-title">Templates</p>
          {templates.map((template, n) => (
            <button
              key={n}
              type="button"
              onClick={() => {
                close()
                const joined = `${template.text}${text.trim() === '' ? '' : `\n${text}`}`
                session.change({
                  text: joined,
                  ...(html === null ? {} : { html: `${htmlOf(template.text)}${html}` }),
                  ...(subject === '' ? { subject: template.subject } : {}),
                })
                goOnWriting(session)
              }}
            >
              {template.name || '(unnamed)'}
            </button>
          ))}
        </>
      )}
    </div>
  )
}

async function toPlain(session: ComposeSession): Promise<void> {
  const question = { title: 'Write plain text', text: 'The formatting is lost.', verb: 'Go on' }
  if (!(await confirmAction(question))) return
  session.change({ html: null })
  goOnWriting(session)
}

/** The cursor goes to the text, when what was open has given the focus back. */
function goOnWriting({ id }: ComposeSession): void {
  const text = (): HTMLElement | null => document.querySelector(`[data-compose="${id}"] :is(.compose-text, .rich)`)
  requestAnimationFrame(() => setTimeout(() => text()?.focus()))
}
