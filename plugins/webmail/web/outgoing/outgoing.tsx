// The user's own messages in the queue: what waits, why, and until when; cancelling, moving, and taking back to edit.
import { effect, type Signal, signal, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import type { Outgoing as Entry } from '../../src/api/model.ts'
import { fieldTime, fieldValue, timeText } from '../compose/schedule.ts'
import { takeSentBack } from '../compose/windows.tsx'
import { confirmAction } from '../frame/ask.tsx'
import { openPopover } from '../frame/overlay.ts'
import { call } from '../lib/api.ts'
import { outgoingChanges } from '../lib/stream.ts'
import { attempt, showError } from '../state/busy.ts'
import './outgoing.css'

const entries: Signal<readonly Entry[] | undefined> = signal(undefined)
const complete: Signal<boolean> = signal(true)

async function load(): Promise<void> {
  const found = await call('outgoing', {})
  entries.value = found.outgoing
  complete.value = found.complete
}

const STATES = { scheduled: 'Scheduled', waiting: 'Waiting', trying: 'On its way', hold: 'On hold' } as const

export function Outgoing(): JSX.Element {
  useEffect(
    () =>
      effect(() => {
        outgoingChanges.value
        load().catch(showError)
      }),
    [],
  )
  const list = entries.value
  if (list === undefined)
    return (
      <p class="outgoing-none" aria-busy="true">
        Loading…
      </p>
    )
  return (
    <div class="outgoing">
      <h2>Outgoing messages</h2>
      {list.length === 0 ? <p class="outgoing-none">Nothing waits to be delivered.</p> : null}
      <ul>
        {list.map(entry => (
          <Row key={entry.queueId} entry={entry} />
        ))}
      </ul>
      {complete.value ? null : <p class="outgoing-none">There are more; the newest {list.length} are shown.</p>}
    </div>
  )
}

function Row({ entry }: { readonly entry: Entry }): JSX.Element {
  const { queueId, subject, to, state, due, attempts, lastError, sent } = entry
  const ids = [queueId]
  return (
    <li class="outgoing-row">
      <div class="outgoing-what">
        <strong>{subject === '' ? '(no subject)' : subject}</strong>
        <span>to {to}</span>
        <span class={`outgoing-state ${state}`}>
          {STATES[state]}
          {state === 'trying' || state === 'hold' ? '' : `: ${timeText(due)}`}
          {attempts === 0 ? '' : ` · ${attempts === 1 ? 'one attempt' : `${attempts} attempts`} so far`}
        </span>
        {lastError === '' ? null : <span class="outgoing-error">{lastError}</span>}
      </div>
      <div class="outgoing-buttons">
        {sent === null ? null : (
          <button type="button" onClick={() => void attempt('taking back', () => takeSentBack(sent))}>
            Edit
          </button>
        )}
        {state === 'trying' ? null : (
          <>
            <button
              type="button"
              onClick={() =>
                void attempt('sending', () => call('outgoingReschedule', { queueIds: ids, due: Date.now() }))
              }
            >
              Send now
            </button>
            <button
              type="button"
              aria-haspopup="dialog"
              onClick={event =>
                openPopover({
                  ...{ anchor: event.currentTarget, label: 'When to send' },
                  render: close => <Reschedule entry={entry} close={close} />,
                })
              }
            >
              Later…
            </button>
          </>
        )}
        <button type="button" class="danger" onClick={() => void cancel(entry)}>
          Cancel
        </button>
      </div>
    </li>
  )
}

async function cancel({ queueId, subject, to }: Entry): Promise<void> {
  const text = `“${subject}” will not be delivered to ${to}. The copy in Sent stays.`
  if (!(await confirmAction({ title: 'Cancel the delivery', text, verb: 'Cancel delivery', danger: true }))) return
  await attempt('cancelling', async () => {
    const { cancelled } = await call('outgoingCancel', { queueIds: [queueId] })
    if (cancelled === 0) throw new Error('It is too late: the message has left the queue.')
    await load()
  })
}

function Reschedule({ entry, close }: { readonly entry: Entry; close(): void }): JSX.Element {
  const now = Date.now()
  const at = useSignal(Math.max(entry.due, now))
  return (
    <div class="menu schedule">
      <label class="field">
        Date and time
        <input
          type="datetime-local"
          value={fieldValue(at.value)}
          min={fieldValue(now)}
          onInput={event => {
            at.value = fieldTime(event.currentTarget.value) ?? at.value
          }}
        />
      </label>
      <p class="schedule-text">{timeText(at.value)}</p>
      <p class="buttons">
        <button
          type="button"
          class="primary"
          disabled={at.value <= now}
          onClick={() => {
            close()
            void attempt('moving', () => call('outgoingReschedule', { queueIds: [entry.queueId], due: at.value }))
          }}
        >
          Set
        </button>
      </p>
    </div>
  )
}
