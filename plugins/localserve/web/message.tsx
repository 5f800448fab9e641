// The message of one recipient as it is sent: our trace fields and what the sender wrote.
import type { JSX } from 'preact'
import { bytes } from './format.ts'
import { Modal } from './modal.tsx'
import { showing } from './queue-state.ts'
import { SOURCE_LIMIT } from './state.ts'

const close = (): void => {
  showing.value = undefined
}

export function MessageAsSent(): JSX.Element | null {
  if (showing.value === undefined) return null
  const { row, text } = showing.value
  const address = `api/queue/${row.id}/message`
  return (
    <Modal title={`Message to ${row.to}`} wide onClose={close}>
      <p class="facts">
        <a href={`${address}?download=1`} download>
          Download
        </a>
        {', '}
        <a href={address} target="_blank" rel="noreferrer">
          open as a page
        </a>
        {(text?.length ?? 0) >= SOURCE_LIMIT ? `; the first ${bytes(SOURCE_LIMIT)} are shown` : ''}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre class="text" tabIndex={0}>
        {text ?? 'Loading…'}
      </pre>
      <p class="buttons">
        <button type="button" autofocus onClick={close}>
          Close
        </button>
      </p>
    </Modal>
  )
}
