// Questions to the user: yes or no, and a line of text. Closing in any way but by the button means no.

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { reasonOf } from '../lib/reason.ts'
import { openPopup } from './overlay.ts'

export interface Question {
  readonly title: string
  /** What happens. */
  readonly text: string
  /** On the button that does it. */
  readonly verb: string
  readonly danger?: boolean
}

export function confirmAction({ title, text, verb, danger }: Question): Promise<boolean> {
  return new Promise(resolve => {
    let answer = false
    openPopup({
      title,
      closable: true,
      onClose: () => resolve(answer),
      render: close => (
        <>
          <p>{text}</p>
          <p class="buttons">
            <button type="button" onClick={close}>
              Cancel
            </button>
            <button
              type="button"
              class={danger === true ? 'danger' : 'primary'}
              autofocus
              onClick={() => {
                answer = true
                close()
              }}
            >
              {verb}
            </button>
          </p>
        </>
      ),
    })
  })
}

export interface LineQuestion {
  readonly title: string
  readonly label: string
  readonly value: string
  readonly verb: string
  /** Selects the value, for writing something else. */
  readonly select?: boolean
}

/** Asks for a line of text and does `work` with it; stays open, with the reason, while that fails. */
export function askLine(question: LineQuestion, work: (value: string) => Promise<unknown>): void {
  openPopup({
    title: question.title,
    closable: true,
    render: close => <LineForm question={question} work={work} close={close} />,
  })
}

function LineForm(props: {
  question: LineQuestion
  work(value: string): Promise<unknown>
  close(): void
}): JSX.Element {
  const { question, work, close } = props
  const [value, setValue] = useState(question.value)
  const [error, setError] = useState('')
  const [busy, setBusy] = useState(false)
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    setBusy(true)
    try {
      await work(value.trim())
      close()
    } catch (problem) {
      setError(reasonOf(problem))
      setBusy(false)
    }
  }
  return (
    <form onSubmit={event => void submit(event)}>
      <fieldset disabled={busy}>
        <label class="field">
          {question.label}
          <input
            type="text"
            value={value}
            autofocus
            required
            maxLength={1_000}
            onFocus={event => {
              if (question.select === true) event.currentTarget.select()
            }}
            onInput={event => setValue(event.currentTarget.value)}
          />
        </label>
        {error === '' ? null : (
          <p class="problem" role="alert">
            {error}
          </p>
        )}
        <p class="buttons">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="primary">
            {question.verb}
          </button>
        </p>
      </fieldset>
    </form>
  )
}
