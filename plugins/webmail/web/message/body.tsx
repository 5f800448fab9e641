// What a stranger wrote: as text made of our own elements, or as HTML in a frame that can do nothing.
import type { WordCondition } from '@mox/plugin-sdk/search'
import type { JSX } from 'preact'
import type { OpenedMessage, ViewMode } from '../../src/api/model.ts'
import { press } from '../frame/keyboard.ts'
import { modeNotice, modesOf, trackerNotice } from './modes.ts'
import { viewer } from './state.ts'
import { Texts } from './text-view.tsx'

/** Element that scrolls, or the frame. */
export const BODY_ID = 'message-body'
/** Images below a text; the others are in the bar of attachments. */
const IMAGES = 30

const NAMES: Readonly<Record<ViewMode, readonly [text: string, title: string, command: string]>> = {
  text: ['Text', 'Show the text', 'message.text'],
  html: [
    'HTML',
    'Show the HTML, without anything from elsewhere. Scripts, forms, downloads and leaving the frame are disabled.',
    'message.html',
  ],
  external: [
    'HTML with external resources',
    'Show the HTML with images from elsewhere: whoever sent it sees that, when and from where you read it.',
    'message.external',
  ],
}

const PROXIED =
  'Show the HTML with images from elsewhere, which the server fetches: whoever sent it may see that and when you read it, and not from where.'

export function Modes({ message, mode }: { readonly message: OpenedMessage; readonly mode: ViewMode }): JSX.Element {
  const modes = modesOf(message)
  const notices = [modeNotice(message), message.notice].filter(n => n !== '')
  const blocked = mode === 'html' && message.hasExternal
  const tracked = trackerNotice(message)
  return (
    <div class="message-modes">
      {message.htmlPath === '' ? null : (
        <fieldset class="modes">
          <legend class="visually-hidden">Shown as</legend>
          {modes.map(m => (
            <button
              key={m}
              type="button"
              aria-pressed={m === mode}
              title={m === 'external' && message.proxied ? PROXIED : NAMES[m][1]}
              onClick={() => press(NAMES[m][2])}
            >
              {NAMES[m][0]}
            </button>
          ))}
        </fieldset>
      )}
      {notices.map(n => (
        <span key={n} class="notice">
          {n}
        </span>
      ))}
      {blocked ? <span class="mild">Images from elsewhere are not loaded.</span> : null}
      {tracked === '' ? null : <span class="mild">{tracked}</span>}
    </div>
  )
}

export function Body(props: {
  readonly message: OpenedMessage
  readonly mode: ViewMode
  readonly terms: readonly WordCondition[]
}): JSX.Element {
  const { message, mode, terms } = props
  if (mode === 'text')
    return (
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and must do so by keys as well.
      <section key={message.id} id={BODY_ID} class="message-body scroll" tabIndex={0} aria-label="Text">
        <Texts texts={message.texts} terms={terms} />
        <Images message={message} />
      </section>
    )
  const name = mode === 'external' ? 'htmlexternal' : 'html'
  return (
    <iframe
      key={`${message.id} ${mode}`}
      id={BODY_ID}
      class="message-frame"
      title="Message as HTML"
      sandbox="allow-popups allow-popups-to-escape-sandbox"
      referrerpolicy="no-referrer"
      src={`msg/${message.id}/${name}`}
    />
  )
}

function Images({ message: { id, attachments } }: { readonly message: OpenedMessage }): JSX.Element | null {
  const images = attachments.filter(a => a.viewable === 'image')
  if (images.length === 0) return null
  return (
    <div class="message-images">
      {images.slice(0, IMAGES).map(({ path, filename }) => (
        <button
          key={path}
          type="button"
          title={filename}
          aria-label={`View ${filename || 'image'}`}
          onClick={() => {
            viewer.value = path
          }}
        >
          <img src={`msg/${id}/view/${path}`} alt="" loading="lazy" />
        </button>
      ))}
      {images.length > IMAGES ? <p class="message-note">{images.length - IMAGES} more images are attached.</p> : null}
    </div>
  )
}
