// HTML of mail made fit to show: an allow list of elements and attributes, links and images of known schemes only. What comes
// out is written anew, so that every reader takes it apart in the same way. The policy of the page that shows it forbids
// scripts and loading as well; either is enough alone.
import sanitizeHtml from 'sanitize-html'
import { safeStyle } from './css.ts'
import { isTracker, type RemoteImage } from './images.ts'
import { HTML_LENGTH, HTML_NESTING, LABEL_LENGTH, REMOTE_IMAGES, URL_LENGTH } from './limits.ts'
import { boundNesting } from './nesting.ts'

export interface SanitiseOptions {
  /** Where an image from elsewhere is loaded from instead; undefined leaves it out. Absent: all are left out. */
  readonly external?: (url: string) => string | undefined
  /** Where a mailto: link leads instead; absent: nowhere else. */
  readonly write?: (mailto: string) => string
  /** The data URL of an image of the message, by content id; undefined when there is none, or no room for it. */
  image(contentId: string): string | undefined
}

export interface SafeHtml {
  readonly html: string
  /** What it wants from elsewhere; of very many the first. */
  readonly remote: readonly RemoteImage[]
  /** The end is missing. */
  readonly truncated: boolean
}

const ELEMENTS = [
  ...'a abbr acronym address article aside b bdi bdo big blockquote br caption center cite code col colgroup'.split(
    ' ',
  ),
  ...'dd del dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main'.split(
    ' ',
  ),
  ...'mark nav ol p pre q rp rt ruby s samp section small span strike strong sub sup table tbody td tfoot th'.split(
    ' ',
  ),
  ...'thead time tr tt u ul var wbr'.split(' '),
]
/** Nobody reads what is in them. */
const HIDDEN = [
  ...'script style title textarea option xmp noscript template svg math iframe noframes noembed object'.split(' '),
  ...'applet audio video canvas select datalist'.split(' '),
]
/** Plain values: numbers, lengths, colours, words. */
const PLAIN = new Set([
  ...'align valign width height bgcolor color border cellpadding cellspacing colspan rowspan nowrap face size'.split(
    ' ',
  ),
  ...'start type dir lang span hspace vspace clear noshade reversed value frame rules datetime'.split(' '),
])
const LABELS = new Set(['title', 'alt'])

export function sanitise(html: string, options: SanitiseOptions): SafeHtml {
  const remote: RemoteImage[] = []
  const image = (given: string | undefined, tracker: boolean): string | undefined => {
    const id = /^\s*cid:(.+)$/is.exec(given ?? '')?.[1]
    if (id !== undefined) return options.image(id.trim())
    const url = webUrl(given ?? '')
    if (url === undefined) return undefined
    if (remote.length < REMOTE_IMAGES) remote.push({ url, tracker })
    return tracker ? undefined : options.external?.(url)
  }
  const attributes = (element: string, given: sanitizeHtml.Attributes): sanitizeHtml.Attributes => {
    const kept: sanitizeHtml.Attributes = {}
    for (const [name, value] of Object.entries(given)) {
      if (PLAIN.has(name) && /^[\w #%.,:+-]{0,200}$/.test(value)) kept[name] = value
      else if (LABELS.has(name)) kept[name] = value.slice(0, LABEL_LENGTH)
    }
    if (given['role'] === 'presentation') kept['role'] = 'presentation'
    const style = safeStyle(given['style'] ?? '', options.image)
    const background = image(given['background'], isTracker(given))
    const styles = [background === undefined ? '' : `background-image: url("${cssUrl(background)}")`, style]
    const joined = styles.filter(text => text !== '').join('; ')
    if (joined !== '') kept['style'] = joined
    if (element === 'a') {
      const href = linkUrl(given['href'] ?? '')
      const leads = href !== undefined && /^mailto:/i.test(href) ? (options.write?.(href) ?? href) : href
      if (leads !== undefined) Object.assign(kept, { href: leads, target: '_blank', rel: 'noopener noreferrer' })
    }
    if (element === 'img') {
      const src = image(given['src'], isTracker(given))
      if (src !== undefined) kept['src'] = src
      else kept['alt'] ??= ''
    }
    return kept
  }
  const safe = sanitizeHtml(boundNesting(html.slice(0, HTML_LENGTH), HTML_NESTING), {
    allowedTags: ELEMENTS,
    nonTextTags: HIDDEN,
    allowedAttributes: {
      '*': [...PLAIN, ...LABELS, 'style', 'role'],
      a: ['href', 'target', 'rel'],
      img: ['src'],
    },
    allowedSchemes: ['http', 'https', 'mailto', 'tel'],
    allowedSchemesByTag: { img: ['http', 'https', 'data'] },
    allowProtocolRelative: false,
    // Our own parser does it.
    parseStyleAttributes: false,
    nestingLimit: HTML_NESTING,
    transformTags: {
      '*': (name, given) => ({
        // Its background is that of the message.
        tagName: name === 'body' ? 'div' : name,
        attribs: attributes(name, given),
      }),
    },
  })
  return { html: safe, remote, truncated: html.length > HTML_LENGTH }
}

/** Where a link may lead, as the browser will read it; undefined for anywhere else. */
export function linkUrl(given: string): string | undefined {
  const text = clean(given)
  if (/^mailto:[^\s]+$/i.test(text) || /^tel:[\d+().\-\s]+$/i.test(text)) return text
  return webUrl(text)
}

/** An http or https address; one without a scheme is taken for https. */
function webUrl(given: string): string | undefined {
  const text = clean(given)
  if (text.length > URL_LENGTH || !/^(?:https?:)?\/\//i.test(text)) return undefined
  const url = URL.parse(text.startsWith('//') ? `https:${text}` : text)
  // Without a name and password: they make an address look like another.
  if (url === null || url.username !== '' || url.password !== '') return undefined
  return url.href
}

/** As browsers read addresses: without line ends and tabs, and white space around. */
function clean(text: string): string {
  const line = text.replace(/[\t\n\r]/g, '')
  let [start, end] = [0, line.length]
  while (start < end && line.charCodeAt(start) <= 0x20) start++
  while (end > start && line.charCodeAt(end - 1) <= 0x20) end--
  return line.slice(start, end)
}

function cssUrl(url: string): string {
  return url.replace(/["'()\\\s]/g, c =>
    encodeURIComponent(c).replace(/['()]/g, d => `%${d.charCodeAt(0).toString(16)}`),
  )
}
