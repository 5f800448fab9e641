// The question before recipients leave the queue for good. Closing it in any way but by its button changes nothing.
import type { JSX } from 'preact'
import { Modal } from './modal.tsx'
import { asking, type Chosen, change } from './queue-state.ts'
import { attempt } from './state.ts'

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

export const close = (): void => {
  asking.value = undefined
}

/** "ann@example.org" or "12 recipients". */
export function subjectOf({ count, choice, shown }: Chosen): string {
  if (!('ids' in choice)) return count === 1 ? 'the one that matches' : `all ${count.toLocaleString()} that match`
  return count === 1 ? (shown[0]?.to ?? 'the recipient') : `${count} recipients`
}

/** The first of them by name, where the title has only their number. */
export function Names({ chosen: { count, shown } }: { readonly chosen: Chosen }): JSX.Element | null {
  if (count < 2) return null
  const names = shown.slice(0, 5).map(({ to }) => to)
  return (
    <p class="facts">
      {names.join(', ')}
      {count > names.length ? ` and ${(count - names.length).toLocaleString()} more` : ''}
    </p>
  )
}

interface ConfirmProps {
  readonly action: 'fail' | 'drop'
  readonly chosen: Chosen
}

export function Confirm({ action, chosen }: ConfirmProps): JSX.Element {
  const { verb, one, many } = WORDS[action]
  const sure = (): void => {
    close()
    void attempt(() => change({ action }, chosen))
  }
  return (
    <Modal title={`${verb} ${subjectOf(chosen)}?`} what="confirm-what" onClose={close}>
      <p id="confirm-what">{chosen.count === 1 ? one : many} This cannot be taken back.</p>
      <Names chosen={chosen} />
      <p class="buttons">
        <button type="button" autofocus onClick={close}>
          Cancel
        </button>
        <button type="button" class="danger" onClick={sure}>
          {verb}
        </button>
      </p>
    </Modal>
  )
}
