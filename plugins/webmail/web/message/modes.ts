// Which ways a message can be shown in, and which of them is.
import type { OpenedMessage, Settings, ViewMode } from '../../src/api/model.ts'

type Shown = Pick<OpenedMessage, 'texts' | 'htmlPath' | 'hasExternal' | 'viewMode'>

/** Whether the browser keeps what a policy forbids from HTML in a frame; without, HTML is not shown at all. */
export function holdsHtml(browser: object = globalThis): boolean {
  const { HTMLIFrameElement: frame } = browser as { HTMLIFrameElement?: { prototype: object } }
  // Of browsers with Content Security Policy level 2, which has sandboxes.
  return 'SecurityPolicyViolationEvent' in browser && frame !== undefined && 'sandbox' in frame.prototype
}

export function modesOf({ texts, htmlPath, hasExternal }: Shown, holds: boolean = holdsHtml()): readonly ViewMode[] {
  const html = htmlPath !== '' && holds
  return [
    ...(texts.length > 0 || !html ? (['text'] as const) : []),
    ...(html ? (['html'] as const) : []),
    ...(html && hasExternal ? (['external'] as const) : []),
  ]
}

/** What was remembered for the sender, else what the account prefers, as far as the message has it. */
export function modeOf(message: Shown, settings: Pick<Settings, 'preferHtml'> | undefined): ViewMode {
  const modes = modesOf(message)
  const wanted = message.viewMode ?? (settings?.preferHtml === true ? 'html' : 'text')
  if (modes.includes(wanted)) return wanted
  // A message without anything from elsewhere is shown alike without it.
  if (wanted !== 'text' && modes.includes('html')) return 'html'
  return modes[0] ?? 'text'
}

/** The next one for the key that goes through the kinds of HTML; undefined without HTML. */
export function nextHtml(message: Shown, now: ViewMode): ViewMode | undefined {
  const modes = modesOf(message)
  if (now === 'html' && modes.includes('external')) return 'external'
  return modes.includes('html') ? 'html' : undefined
}

/** Hosts that are named; the others are counted. */
const HOSTS = 3

/** What to tell about images that are no pictures. */
export function trackerNotice({ trackers, trackerHosts }: Pick<OpenedMessage, 'trackers' | 'trackerHosts'>): string {
  if (trackers === 0) return ''
  const more = trackerHosts.length - HOSTS
  const hosts = [...trackerHosts.slice(0, HOSTS), ...(more > 0 ? [`${more} more`] : [])].join(', ')
  return trackers === 1
    ? `An invisible image of ${hosts} would tell that you opened this; it is never loaded.`
    : `${trackers} invisible images of ${hosts} would tell that you opened this; they are never loaded.`
}

/** What to tell about what is missing. */
export function modeNotice({ texts, htmlPath }: Shown, holds: boolean = holdsHtml()): string {
  if (htmlPath !== '' && !holds) return 'This browser cannot hold HTML of strangers; it is not shown'
  if (texts.length > 0) return ''
  return htmlPath === '' ? 'No textual content' : 'HTML-only message'
}
