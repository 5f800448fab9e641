// Taking mail along: asks for a format and has the browser download what the server streams.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Mailbox } from '../../src/api/model.ts'
import { openPopup, toast } from '../frame/overlay.ts'
import { csrfToken } from '../lib/accounts.ts'

/** All mailboxes, one, or messages by id. */
export type Exported = 'all' | Pick<Mailbox, 'id' | 'name'> | readonly number[]

export function openExport(what: Exported): void {
  const title = what === 'all' ? 'Export all mailboxes' : 'name' in what ? `Export ${what.name}` : 'Export messages'
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
  ['none', 'A single file'],
] as const

function ExportForm({ what, close }: { readonly what: Exported; close(): void }): JSX.Element {
  const [format, setFormat] = useState('mbox')
  const [archive, setArchive] = useState('zip')
  const mailbox = what !== 'all' && 'name' in what ? what : undefined
  const [recursive, setRecursive] = useState(what === 'all' || mailbox !== undefined)
  // A file of mbox holds the messages of one mailbox, and several of them are put into a zip.
  const possible = ARCHIVES.filter(([value]) =>
    format === 'maildir' ? value !== 'none' : value === 'zip' || (value === 'none' && !recursive),
  )
  const chosen = possible.some(([value]) => value === archive) ? archive : 'zip'
  return (
    <form
      onSubmit={event => {
        event.preventDefault()
        download('export', {
          ...(mailbox === undefined ? {} : { mailbox: String(mailbox.id) }),
          ...(Array.isArray(what) ? { messageids: what.join(',') } : {}),
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
          {possible.map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {mailbox !== undefined ? (
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
