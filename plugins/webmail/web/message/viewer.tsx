// One attachment at a time over the whole window.
import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Attachment, OpenedMessage } from '../../src/api/model.ts'
import { Icon } from '../frame/icons.tsx'
import { takeKeys } from '../frame/keyboard.ts'
import { lazy } from '../frame/lazy.tsx'
import { sizeText } from './size.ts'
import { viewer } from './state.ts'

const Zip = lazy(async () => (await import('./zip-view.tsx')).ZipView, 'Opening…')

export function Viewer(props: { readonly message: OpenedMessage; readonly path: string }): JSX.Element | null {
  const { message, path } = props
  const { attachments } = message
  const dialog = useRef<HTMLDialogElement>(null)
  const download = useRef<HTMLAnchorElement>(null)
  const at = attachments.findIndex(a => a.path === path)
  const go = (to: number): void => {
    const next = attachments[Math.min(Math.max(to, 0), attachments.length - 1)]
    if (next !== undefined) viewer.value = next.path
  }
  useLayoutEffect(() => {
    const before = document.activeElement
    dialog.current?.showModal()
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
  useEffect(
    () =>
      takeKeys(name => {
        if (name === 'Escape') close()
        else if (name === 'h' || name === 'ArrowLeft') go(at - 1)
        else if (name === 'l' || name === 'ArrowRight') go(at + 1)
        else if (name === '0' || name === 'Home') go(0)
        else if (name === '$' || name === 'End') go(attachments.length - 1)
        else if (name === 'd') download.current?.click()
        else return false
        return true
      }),
    [at],
  )
  const shown = attachments[at]
  if (shown === undefined) return null
  const name = shown.filename || '(unnamed)'
  return (
    <dialog
      ref={dialog}
      class="viewer"
      aria-label={`Attachment ${name}`}
      onCancel={event => {
        event.preventDefault()
        close()
      }}
      onPointerDown={event => {
        if (event.target === dialog.current || (event.target as Element).matches('.viewer-content')) close()
      }}
    >
      <header>
        <h2>
          <bdi>{name}</bdi>
          <small>
            {sizeText(shown.size)}, {at + 1} of {attachments.length}
          </small>
        </h2>
        <button type="button" title="Previous (h, ←)" disabled={at === 0} onClick={() => go(at - 1)}>
          <Icon name="back" size={16} />
          Previous
        </button>
        <button type="button" title="Next (l, →)" disabled={at === attachments.length - 1} onClick={() => go(at + 1)}>
          Next
          <Icon name="right" size={16} />
        </button>
        <a
          ref={download}
          class="button"
          href={`msg/${message.id}/download/${path}`}
          download={shown.filename}
          title="Download (d)"
        >
          <Icon name="download" size={16} />
          Download
        </a>
        <button type="button" class="icon" aria-label="Close" title="Close (Escape)" autofocus onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <div class="viewer-content">
        <Content key={path} id={message.id} attachment={shown} />
      </div>
    </dialog>
  )
}

function close(): void {
  viewer.value = undefined
}

function Content({ id, attachment }: { readonly id: number; readonly attachment: Attachment }): JSX.Element {
  const { path, viewable, filename } = attachment
  const [asText, setAsText] = useState(viewable === 'text')
  const [broken, setBroken] = useState(false)
  const title = filename || 'attachment'
  if (asText) return <iframe title={title} sandbox="" src={`msg/${id}/viewtext/${path}`} />
  if (viewable === 'message')
    return (
      <iframe
        title={title}
        sandbox="allow-popups allow-popups-to-escape-sandbox"
        referrerpolicy="no-referrer"
        src={`msg/${id}/message/${path}`}
      />
    )
  // Browsers show no PDF in a sandbox; what is sent as PDF can be nothing else.
  if (viewable === 'pdf') return <iframe title={title} src={`msg/${id}/view/${path}`} />
  if (viewable === 'zip') return <Zip id={id} path={path} />
  if (viewable === 'image' && !broken)
    return <img src={`msg/${id}/view/${path}`} alt={title} onError={() => setBroken(true)} />
  return (
    <div class="viewer-none">
      <p>{broken ? 'The browser cannot show this image.' : 'This file may be binary and cannot be shown here.'}</p>
      <button type="button" onClick={() => setAsText(true)}>
        View as text
      </button>
    </div>
  )
}
