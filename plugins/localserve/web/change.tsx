// Changes that need to know more: when to try next, which transport, what TLS. What the server does not take is said in the
// form, which stays open.
import { useSignal } from '@preact/signals'
import type { ComponentChildren, JSX } from 'preact'
import type { QueueChange } from '../src/api-types.ts'
import { close, Names, subjectOf } from './confirm.tsx'
import { localTime } from './format.ts'
import { Modal } from './modal.tsx'
import { asking, type Chosen, change, transports } from './queue-state.ts'
import { now } from './state.ts'

interface FormProps {
  readonly title: string
  readonly chosen: Chosen
  readonly children: ComponentChildren
  /** What to send; a text says what is missing. */
  readonly read: () => QueueChange | string
}

function Form({ title, chosen, children, read }: FormProps): JSX.Element {
  const problem = useSignal('')
  const busy = useSignal(false)
  const send = async (): Promise<void> => {
    const wanted = read()
    problem.value = typeof wanted === 'string' ? wanted : ''
    if (typeof wanted === 'string' || busy.value) return
    const question = asking.value
    busy.value = true
    try {
      await change(wanted, chosen)
      if (asking.value === question) close()
    } catch (error) {
      problem.value = error instanceof Error ? error.message : String(error)
    } finally {
      busy.value = false
    }
  }
  return (
    <Modal title={title} onClose={close}>
      <form
        onSubmit={event => {
          event.preventDefault()
          void send()
        }}
      >
        <Names chosen={chosen} />
        {children}
        {problem.value === '' ? null : (
          <p class="problem" role="alert">
            {problem.value}
          </p>
        )}
        <p class="buttons">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit">Change</button>
        </p>
      </form>
    </Modal>
  )
}

export function Schedule({ chosen }: { readonly chosen: Chosen }): JSX.Element {
  const kind = useSignal<'in' | 'later' | 'at'>('in')
  const texts = useSignal({ in: '1h', later: '1h', at: localTime(now.value + 3_600_000) })
  const read = (): QueueChange | string => {
    const text = texts.value[kind.value].trim()
    if (kind.value !== 'at') return { action: 'schedule', when: kind.value === 'in' ? { in: text } : { later: text } }
    const at = new Date(text).getTime()
    return Number.isNaN(at) ? 'Choose a date and a time.' : { action: 'schedule', when: { at } }
  }
  const field = (name: 'in' | 'later' | 'at') => ({
    value: texts.value[name],
    onInput: (event: InputEvent & { readonly currentTarget: HTMLInputElement }) => {
      texts.value = { ...texts.value, [name]: event.currentTarget.value }
      kind.value = name
    },
  })
  const radio = (name: 'in' | 'later' | 'at', label: string): JSX.Element => (
    <label>
      <input type="radio" name="when" checked={kind.value === name} onChange={() => (kind.value = name)} />
      {label}
    </label>
  )
  const duration = { type: 'text', maxLength: 64, size: 10, 'aria-describedby': 'schedule-hint' } as const
  return (
    <Form title={`Next attempt: ${subjectOf(chosen)}`} chosen={chosen} read={read}>
      <fieldset class="choices">
        <legend class="visually-hidden">When</legend>
        <div class="choice">
          {radio('in', 'In')}
          <input {...duration} {...field('in')} autofocus aria-label="Time from now" />
          from now
        </div>
        <div class="choice">
          {radio('later', 'Later by')}
          <input {...duration} {...field('later')} aria-label="Time after the planned attempt" />
          than planned
        </div>
        <div class="choice">
          {radio('at', 'At')}
          <input type="datetime-local" step={1} {...field('at')} aria-label="Date and time" />
        </div>
      </fieldset>
      <p id="schedule-hint">
        <small>
          A time such as <code>30m</code>, <code>2h</code>, <code>1h30m</code> or <code>3d</code>; <code>0</code> is
          now, <code>-15m</code> is earlier. What is on hold stays on hold.
        </small>
      </p>
    </Form>
  )
}

export function ChooseTransport({ chosen }: { readonly chosen: Chosen }): JSX.Element {
  const name = useSignal(common(chosen, row => row.transport) ?? '')
  // One that is gone from the config is still what is set.
  const names = [...new Set([...transports.value, ...(name.value === '' ? [] : [name.value])])]
  return (
    <Form
      title={`Transport: ${subjectOf(chosen)}`}
      chosen={chosen}
      read={() => ({ action: 'transport', transport: name.value })}
    >
      <label class="field">
        Deliver through
        <select autofocus value={name.value} onChange={event => (name.value = event.currentTarget.value)}>
          <option value="">As routed</option>
          {names.map(one => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
      </label>
    </Form>
  )
}

const TLS = [
  { required: null, label: "As the recipient's domain says" },
  { required: true, label: 'Only over verified TLS' },
  { required: false, label: 'Also without TLS' },
] as const

export function RequireTls({ chosen }: { readonly chosen: Chosen }): JSX.Element {
  const required = useSignal<boolean | null>(common(chosen, row => row.requireTls) ?? null)
  return (
    <Form
      title={`TLS: ${subjectOf(chosen)}`}
      chosen={chosen}
      read={() => ({ action: 'requiretls', required: required.value })}
    >
      <fieldset class="choices">
        <legend class="visually-hidden">Deliver</legend>
        {TLS.map(one => (
          <div class="choice" key={one.label}>
            <label>
              <input
                type="radio"
                name="tls"
                autofocus={required.peek() === one.required}
                checked={required.value === one.required}
                onChange={() => (required.value = one.required)}
              />
              {one.label}
            </label>
          </div>
        ))}
      </fieldset>
    </Form>
  )
}

/** What all of them have; undefined when they differ. */
function common<T>({ shown }: Chosen, read: (row: Chosen['shown'][number]) => T): T | undefined {
  const values = new Set(shown.map(read))
  return values.size === 1 ? [...values][0] : undefined
}
