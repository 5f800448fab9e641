// Exports messages as a file: a form that the browser sends itself, so that it streams to disk.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { openPopup } from '../frame/overlay.ts'
import { csrfToken } from '../lib/api.ts'

export function openExport(ids: readonly number[]): void {
  openPopup({
    title: 'Export messages',
    closable: true,
    render: close => <ExportForm ids={ids} close={close} />,
  })
}

function ExportForm({ ids, close }: { ids: readonly number[]; close: () => void }): JSX.Element {
  const [format, setFormat] = useState('mbox')
  return (
    <form method="post" action="export" onSubmit={() => setTimeout(close)}>
      <input type="hidden" name="csrf" value={csrfToken()} />
      <input type="hidden" name="messageids" value={ids.join(',')} />
      <input type="hidden" name="recursive" value="off" />
      <label class="field">
        Format
        <select name="format" value={format} onChange={event => setFormat(event.currentTarget.value)}>
          <option value="mbox">mbox, one file</option>
          <option value="maildir">Maildir, a file for each message</option>
        </select>
      </label>
      <label class="field">
        Archive
        <select name="archive">
          {format === 'mbox' ? <option value="none">None</option> : null}
          <option value="zip">zip</option>
          <option value="tgz">tgz</option>
          <option value="tar">tar</option>
        </select>
      </label>
      <p class="buttons">
        <button type="button" onClick={close}>
          Cancel
        </button>
        <button type="submit" class="primary">
          Export
        </button>
      </p>
    </form>
  )
}
