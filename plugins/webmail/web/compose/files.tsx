// The files of a message: those that are there, those on their way, and those of the original that may come along.
import type { JSX } from 'preact'
import type { Attachment } from '../../src/api/model.ts'
import { Icon } from '../frame/icons.tsx'
import { attempt, showError } from '../state/busy.ts'
import { hello } from '../state/store.ts'
import type { ComposeSession } from './session.ts'

/** Bytes of files that a message has room for: base64 makes four of three, with line ends. */
export function fileLimit(): number {
  return Math.floor(((hello.value?.maxMessageSize ?? 0) / 78) * 57)
}

export function uploadFiles(session: ComposeSession, files: FileList | readonly File[] | null): void {
  const list = Array.from(files ?? [])
  if (list.length > 0) session.upload(list, fileLimit()).catch(showError)
}

export function Files({ session }: { readonly session: ComposeSession }): JSX.Element | null {
  const { files, uploads } = session
  if (files.value.length === 0 && uploads.value.length === 0) return null
  return (
    <ul class="files" aria-label="Attachments">
      {files.value.map(file => (
        <li key={file.id}>
          <span class="file-name">{file.filename}</span>
          <small>{sizeText(file.size)}</small>
          <button
            type="button"
            class="icon"
            aria-label={`Remove ${file.filename}`}
            onClick={event => {
              toText(event.currentTarget)
              void attempt('removing the file', () => session.detach(file.id))
            }}
          >
            <Icon name="close" size={12} />
          </button>
        </li>
      ))}
      {uploads.value.map(upload => (
        <li key={`upload ${upload.id}`} class={upload.error === '' ? '' : 'bad'}>
          <span class="file-name">{upload.filename}</span>
          {upload.error === '' ? (
            <progress max={1} value={upload.progress} aria-label={`Uploading ${upload.filename}`} />
          ) : (
            <span role="alert">{upload.error}</span>
          )}
          <button
            type="button"
            class="icon"
            aria-label={upload.error === '' ? `Cancel ${upload.filename}` : `Dismiss ${upload.filename}`}
            onClick={event => {
              toText(event.currentTarget)
              upload.cancel()
            }}
          >
            <Icon name="close" size={12} />
          </button>
        </li>
      ))}
    </ul>
  )
}

/** The button goes with its file; the focus stays in the window, where the keys mean something. */
function toText(button: HTMLElement): void {
  button.closest('.compose')?.querySelector<HTMLElement>('.compose-text, .rich')?.focus()
}

/** One box for each file of the original, unchecked. */
export function OriginalFiles(props: {
  readonly session: ComposeSession
  readonly messageId: number
  readonly attachments: readonly Attachment[]
}): JSX.Element | null {
  const { session, messageId, attachments } = props
  const taken = session.taken.value
  if (attachments.length === 0) return null
  const toggle = async (paths: readonly string[], on: boolean): Promise<void> => {
    const next = new Map(taken)
    for (const path of paths) {
      const file = next.get(path)
      if (on && file === undefined) {
        const before = new Set(session.files.value.map(f => f.id))
        await session.attachParts(messageId, [path])
        const added = session.files.value.find(f => !before.has(f.id))
        if (added !== undefined) next.set(path, added.id)
      } else if (!on && file !== undefined) {
        await session.detach(file)
        next.delete(path)
      }
      session.taken.value = new Map(next)
    }
  }
  const isTaken = ({ path }: Attachment): boolean => session.files.value.some(f => f.id === taken.get(path))
  const all = attachments.every(isTaken)
  return (
    <fieldset class="original-files">
      <legend>Attachments of the original</legend>
      {attachments.map(file => (
        <label class="check" key={file.path}>
          <input
            type="checkbox"
            checked={isTaken(file)}
            onChange={event => {
              const on = event.currentTarget.checked
              void attempt('attaching', () => toggle([file.path], on))
            }}
          />
          <span>
            {file.filename === '' ? '(unnamed)' : file.filename} <small>{sizeText(file.size)}</small>
          </span>
        </label>
      ))}
      {attachments.length < 2 ? null : (
        <button
          type="button"
          onClick={() =>
            void attempt('attaching', () =>
              toggle(
                attachments.map(a => a.path),
                !all,
              ),
            )
          }
        >
          {all ? 'None' : 'All'}
        </button>
      )}
    </fieldset>
  )
}

export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} kB`
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`
}
