// Taking mail along: asks for a format and has the browser download what the server streams.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { openPopup, toast } from '../frame/overlay.ts'
import { csrfToken } from '../lib/api.ts'

/** A mailbox by name, '' for all; or messages. */
export type Exported = { readonly mailbox: string } | { readonly ids: readonly number[] }

export function openExport(what: Exported): void {
  const title = 'ids' in what ? 'Export messages' : `Export ${what.mailbox === '' ? 'all mailboxes' : what.mailbox}`
  openPopup({ title, closable: true, render: close => <ExportForm what={what} close={close} /> })
}

const FORMATS = [
  ['mbox', 'mbox'],
  ['maildir', 'Maildir'],
] as const
const ARCHIVES = [
  ['zip', 'zip'],
  ['tgz', 'tar.gz'],
  ['tar', 'tar'],
  ['none', 'a single file'],
] as const

function ExportForm({ what, close }: { readonly what: Exported; close(): void }): JSX.Element {
  const [format, setFormat] = useState('mbox')
  const [archive, setArchive] = useState('zip')
  const mailbox = 'mailbox' in what
  const [recursive, setRecursive] = useState(mailbox)
  // One file holds the messages of one mailbox.
  const single = format === 'mbox' && !recursive
  const chosen = archive === 'none' && !single ? 'zip' : archive
  return (
    <form
      onSubmit={event => {
        event.preventDefault()
        download('export', {
          ...(mailbox ? { mailbox: what.mailbox } : { messageids: what.ids.join(',') }),
          ...{ format, archive: chosen, recursive: recursive ? 'on' : 'off' },
        })
        close()
      }}
    >
      <fieldset class="field">
        <legend>Format</legend>
        {FORMATS.map(([value, name]) => (
          <label class="check" key={value}>
            <input type="radio" name="format" checked={format === value} onChange={() => setFormat(value)} />
            {name}
          </label>
        ))}
      </fieldset>
      <label class="field">
        As
        <select value={chosen} onChange={event => setArchive(event.currentTarget.value)}>
          {ARCHIVES.filter(([value]) => value !== 'none' || single).map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {mailbox && what.mailbox !== '' ? (
        <label class="check">
          <input type="checkbox" checked={recursive} onChange={event => setRecursive(event.currentTarget.checked)} />
          With the mailboxes below it
        </label>
      ) : null}
      <p class="buttons">
        <button type="button" onClick={close}>
          Cancel
        </button>
        <button type="submit" class="primary" autofocus>
          Export
        </button>
      </p>
    </form>
  )
}

/** A download by a form, since only that streams to a file. The answer is a page only when it failed. */
function download(action: string, fields: Readonly<Record<string, string>>): void {
  document.getElementById('download-frame')?.remove()
  const frame = document.createElement('iframe')
  frame.id = 'download-frame'
  frame.name = 'download-frame'
  frame.hidden = true
  frame.title = 'Download'
  const form = document.createElement('form')
  Object.assign(form, { method: 'POST', action, target: frame.name, hidden: true })
  for (const [name, value] of Object.entries({ ...fields, csrf: csrfToken() })) {
    const input = document.createElement('input')
    Object.assign(input, { type: 'hidden', name, value })
    form.append(input)
  }
  document.body.append(frame, form)
  frame.addEventListener('load', () => {
    if (frame.contentWindow?.location.href !== 'about:blank') toast({ text: 'The export failed', kind: 'error' })
  })
  form.submit()
  form.remove()
  toast({ text: 'The export is being downloaded' })
}
