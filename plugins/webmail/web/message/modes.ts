// Which ways a message can be shown in, and which of them is.
import type { OpenedMessage, Settings, ViewMode } from '../../src/api/model.ts'

type Shown = Pick<OpenedMessage, 'texts' | 'htmlPath' | 'hasExternal' | 'viewMode'>

export function modesOf({ texts, htmlPath, hasExternal }: Shown): readonly ViewMode[] {
  return [
    ...(texts.length > 0 || htmlPath === '' ? (['text'] as const) : []),
    ...(htmlPath === '' ? [] : (['html'] as const)),
    ...(htmlPath !== '' && hasExternal ? (['external'] as const) : []),
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
export function modeNotice({ texts, htmlPath }: Shown): string {
  if (texts.length > 0) return ''
  return htmlPath === '' ? 'No textual content' : 'HTML-only message'
}
