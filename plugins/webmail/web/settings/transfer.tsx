// Settings: bringing mail here and taking it along.
import type { JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { openExport } from '../mailboxes/export.tsx'
import { mailboxes } from '../state/store.ts'
import { type ImportProgress, importFile } from './import.ts'

export function Transfer(): JSX.Element {
  return (
    <>
      <h3>Import</h3>
      <Import />
      <h3>Export</h3>
      <p class="hint-text">
        All mail, or that of one mailbox from its menu, as mbox or Maildir with all flags and labels.
      </p>
      <p class="line">
        <button type="button" onClick={() => openExport({ mailbox: '' })}>
          Export all mail…
        </button>
      </p>
    </>
  )
}

function Import(): JSX.Element {
  const names = [...mailboxes.value.values()].map(m => m.name).sort()
  const [mailbox, setMailbox] = useState('Inbox')
  const [progress, setProgress] = useState<ImportProgress | undefined>(undefined)
  const [problem, setProblem] = useState('')
  const abort = useRef<AbortController | undefined>(undefined)
  const running = progress !== undefined && !progress.done && problem === ''
  const start = async (file: File): Promise<void> => {
    setProblem('')
    setProgress({ messages: 0, skipped: 0, done: false })
    abort.current = new AbortController()
    try {
      await importFile(file, mailbox, abort.current.signal, setProgress)
    } catch (error) {
      setProblem(abort.current.signal.aborted ? 'Stopped' : error instanceof Error ? error.message : String(error))
    }
  }
  return (
    <form
      onSubmit={event => {
        event.preventDefault()
        const file = new FormData(event.currentTarget).get('file')
        if (file instanceof File && file.size > 0) void start(file)
      }}
    >
      <fieldset disabled={running}>
        <label class="field">
          An mbox file, or Maildir folders or mbox files in a zip or tgz
          <input type="file" name="file" required accept=".mbox,.zip,.tgz,.gz,.tar,application/mbox" />
        </label>
        <label class="field">
          Into
          <select value={mailbox} onChange={event => setMailbox(event.currentTarget.value)}>
            {names.map(name => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <p class="line">
          <button type="submit">Import</button>
        </p>
      </fieldset>
      {running ? (
        <p class="line">
          <button type="button" onClick={() => abort.current?.abort()}>
            Stop
          </button>
        </p>
      ) : null}
      <p role="status">
        {progress === undefined
          ? ''
          : `${progress.done ? 'Done: ' : ''}${progress.messages.toLocaleString()} messages${
              progress.skipped > 0 ? `, ${progress.skipped.toLocaleString()} were there already` : ''
            }${progress.done ? '' : '…'}`}
      </p>
      {problem === '' ? null : (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </form>
  )
}
