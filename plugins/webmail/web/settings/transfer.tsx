// Settings: bringing mail here and taking it along.

import type { JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { reasonOf } from '../lib/reason.ts'
import { openExport } from '../mailboxes/export.tsx'
import { mailboxNamed } from '../state/lookup.ts'
import { mailboxes } from '../state/store.ts'
import { type ImportProgress, importFile, NOTHING_YET, progressText } from './import.ts'

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
        <button type="button" onClick={() => openExport('all')}>
          Export all mail…
        </button>
      </p>
    </>
  )
}

function Import(): JSX.Element {
  const all = [...mailboxes.value.values()].sort((a, b) => a.name.localeCompare(b.name))
  const [chosen, choose] = useState(mailboxNamed('Inbox')?.id ?? all[0]?.id)
  const [progress, setProgress] = useState<ImportProgress | undefined>(undefined)
  const [problem, setProblem] = useState('')
  const [running, setRunning] = useState(false)
  const abort = useRef<AbortController | undefined>(undefined)
  const start = async (file: File, mailboxId: number): Promise<void> => {
    const controller = new AbortController()
    abort.current = controller
    setProblem('')
    setProgress(NOTHING_YET)
    setRunning(true)
    try {
      await importFile(file, mailboxId, controller.signal, setProgress)
    } catch (error) {
      setProblem(controller.signal.aborted ? 'Stopped; what was added stays.' : reasonOf(error))
    }
    setRunning(false)
  }
  return (
    <form
      onSubmit={event => {
        event.preventDefault()
        const file = new FormData(event.currentTarget).get('file')
        if (file instanceof File && file.size > 0 && chosen !== undefined) void start(file, chosen)
      }}
    >
      <fieldset disabled={running}>
        <label class="field">
          An mbox file, or Maildir folders or mbox files in a zip or tgz
          <input type="file" name="file" required accept=".mbox,.zip,.tgz,.gz,.tar,application/mbox" />
        </label>
        <label class="field">
          Into
          <select value={chosen} onChange={event => choose(Number(event.currentTarget.value))}>
            {all.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
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
      <p role="status">{progress === undefined || problem !== '' ? '' : progressText(progress)}</p>
      {problem === '' ? null : (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <ul class="hint-text">
        {progress?.problems.map((text, n) => (
          <li key={n}>{text}</li>
        ))}
      </ul>
    </form>
  )
}
