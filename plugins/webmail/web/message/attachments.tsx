// The attachments of a message: to look at, to download.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Attachment, OpenedMessage } from '../../src/api/model.ts'
import { Icon } from '../frame/icons.tsx'
import { sizeText } from './size.ts'
import { viewer } from './state.ts'

/** Attachments that are shown where there are MANY or more. */
const FIRST = 4
const MANY = 6

export function Attachments(props: {
  readonly message: OpenedMessage
  /** Images are shown below the text, and of less interest here. */
  readonly imagesBelow: boolean
}): JSX.Element | null {
  const { message, imagesBelow } = props
  const [all, setAll] = useState(false)
  const { attachments } = message
  if (attachments.length === 0) return null
  const shown = all || attachments.length < MANY ? attachments : attachments.slice(0, FIRST)
  return (
    <section class="attachments" aria-label="Attachments">
      <ul>
        {shown.map(attachment => (
          <li key={attachment.path} class={imagesBelow && attachment.viewable === 'image' ? 'dimmed' : ''}>
            <One id={message.id} attachment={attachment} />
          </li>
        ))}
        {shown.length === attachments.length ? null : (
          <li>
            <button type="button" onClick={() => setAll(true)}>
              {attachments.length - shown.length} more…
            </button>
          </li>
        )}
        <li>
          <a class="button" href={`msg/${message.id}/attachments.zip`} download="">
            <Icon name="download" size={15} />
            All as zip
          </a>
        </li>
      </ul>
    </section>
  )
}

function One({ id, attachment }: { readonly id: number; readonly attachment: Attachment }): JSX.Element {
  const { path, viewable, size, contentType } = attachment
  const name = attachment.filename || '(unnamed)'
  const title = `${sizeText(size)}, ${contentType}`
  const href = `msg/${id}/download/${path}`
  const view = (): void => {
    viewer.value = path
  }
  return viewable === 'none' ? (
    <span class="attachment">
      <button type="button" class="icon" aria-label={`View ${name}`} title={`View, ${title}`} onClick={view}>
        <Eye />
      </button>
      <a class="button" href={href} download={attachment.filename} title={`Download, ${title}`}>
        <Icon name="download" size={15} />
        <bdi>{name}</bdi>
      </a>
    </span>
  ) : (
    <span class="attachment">
      <button type="button" title={`View, ${title}`} onClick={view}>
        <Eye />
        <bdi>{name}</bdi>
      </button>
      <a
        class="button icon"
        href={href}
        download={attachment.filename}
        aria-label={`Download ${name}`}
        title={`Download, ${title}`}
      >
        <Icon name="download" size={15} />
      </a>
    </span>
  )
}

function Eye(): JSX.Element {
  return (
    <svg
      class="svg-icon"
      width="15"
      height="15"
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      aria-hidden="true"
    >
      <path
        stroke-width="1.5"
        d="M2 10c2-3.700 5-5.500 8-5.500s6 1.800 8 5.500c-2 3.700-5 5.500-8 5.500S4 13.700 2 10z"
      />
      <circle stroke-width="1.5" cx="10" cy="10" r="2.500" />
    </svg>
  )
}
