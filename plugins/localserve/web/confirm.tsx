// The question before recipients leave the queue for good. Closing it in any way but by its button changes nothing.
import type { JSX } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { asking, change, rows } from './queue-state.ts'

const WORDS = {
  fail: {
    verb: 'Fail',
    one: 'It leaves the queue as failed, and its sender is told.',
    many: 'They leave the queue as failed, and their senders are told.',
  },
  drop: {
    verb: 'Drop',
    one: 'It leaves the queue, and nobody is told.',
    many: 'They leave the queue, and nobody is told.',
  },
} as const

export function Confirm(): JSX.Element | null {
  const question = asking.value
  const dialog = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => {
    // Modal: the rest of the page is out of reach, and the focus comes back to where it was.
    if (question !== undefined && dialog.current?.open === false) dialog.current.showModal()
  }, [question])
  if (question === undefined) return null
  const { action, ids } = question
  const { verb, one, many } = WORDS[action]
  const names = rows.value.filter(({ id }) => ids.includes(id)).map(({ to }) => to)
  const subject = ids.length === 1 ? (names[0] ?? 'the recipient') : `${ids.length} recipients`
  return (
    <dialog
      ref={dialog}
      class="confirm"
      aria-labelledby="confirm-title"
      aria-describedby="confirm-what"
      onClose={() => (asking.value = undefined)}
    >
      <h2 id="confirm-title">
        {verb} {subject}?
      </h2>
      <p id="confirm-what">{ids.length === 1 ? one : many} This cannot be taken back.</p>
      {ids.length > 1 ? (
        <p class="facts">
          {names.slice(0, 5).join(', ')}
          {names.length > 5 ? ` and ${names.length - 5} more` : ''}
        </p>
      ) : null}
      <p class="buttons">
        <button type="button" autofocus onClick={() => dialog.current?.close()}>
          Cancel
        </button>
        <button type="button" class="danger" onClick={() => void change(action, ids)}>
          {verb}
        </button>
      </p>
    </dialog>
  )
}
