// Style attributes of mail: declarations of properties that only change how things look where they are. Nothing can be loaded
// but images of the message itself, nothing can leave its place. What is not understood is left out. Own parser: it keeps no
// escapes and no comments, so what it lets through reads the same everywhere.
import { STYLE_DECLARATIONS, STYLE_LENGTH } from './limits.ts'

const PROPERTIES = new Set([
  ...['color', 'background', 'background-color', 'background-image', 'background-position', 'background-repeat'],
  ...['background-size', 'opacity', 'visibility', 'display', 'float', 'clear', 'overflow', 'box-sizing', 'box-shadow'],
  ...['font', 'font-family', 'font-size', 'font-style', 'font-variant', 'font-weight', 'font-stretch', 'line-height'],
  ...['letter-spacing', 'word-spacing', 'text-align', 'text-decoration', 'text-decoration-color', 'text-indent'],
  ...['text-decoration-line', 'text-decoration-style', 'text-transform', 'text-overflow', 'text-shadow'],
  ...['white-space', 'word-break', 'word-wrap', 'overflow-wrap', 'hyphens', 'direction', 'unicode-bidi'],
  ...['vertical-align', 'table-layout', 'border-collapse', 'border-spacing', 'caption-side', 'empty-cells'],
  ...['width', 'min-width', 'max-width', 'height', 'min-height', 'max-height', 'list-style', 'list-style-type'],
  ...['list-style-position', 'list-style-image', 'margin', 'padding', 'border', 'border-radius', 'border-color'],
  ...['border-style', 'border-width', 'outline', 'quotes', 'page-break-after', 'page-break-before'],
  ...['page-break-inside', 'orphans', 'widows', 'object-fit'],
  ...['top', 'right', 'bottom', 'left'].flatMap(side => [
    `margin-${side}`,
    `padding-${side}`,
    `border-${side}`,
    ...['color', 'style', 'width'].map(part => `border-${side}-${part}`),
  ]),
  ...['top-left', 'top-right', 'bottom-left', 'bottom-right'].map(corner => `border-${corner}-radius`),
])
/** Where an image may stand. */
const IMAGES = new Set(['background', 'background-image', 'list-style', 'list-style-image'])
const FUNCTIONS = new Set(['rgb', 'rgba', 'hsl', 'hsla', 'calc', 'min', 'max', 'clamp'])

const URL_TOKEN = /url\(\s*(?:"([^"]*)"|'([^']*)'|([^"'()\s]*))\s*\)/gi
const STRING = /"[^"<>]*"|'[^'<>]*'/g

/**
 * The declarations of a style attribute that are fit to show, "color: red; width: 3px"; '' for none. `image` gives the data
 * URL of an image of the message, by content id; other images are left out.
 */
export function safeStyle(style: string, image: (contentId: string) => string | undefined): string {
  const kept: string[] = []
  const text = style.slice(0, STYLE_LENGTH).replace(/\/\*.*?(?:\*\/|$)/gs, ' ')
  for (const declaration of declarations(text)) {
    if (kept.length === STYLE_DECLARATIONS) break
    const colon = declaration.indexOf(':')
    const property = declaration.slice(0, Math.max(0, colon)).trim().toLowerCase()
    if (!PROPERTIES.has(property)) continue
    const value = safeValue(property, declaration.slice(colon + 1), image)
    if (value !== '') kept.push(`${property}: ${value}`)
  }
  return kept.join('; ')
}

/** Split at semicolons that are not inside of quotes or parentheses. */
function declarations(text: string): string[] {
  const found: string[] = []
  let start = 0
  let quote = ''
  let open = 0
  for (let at = 0; at < text.length; at++) {
    const c = text[at] ?? ''
    if (quote !== '') quote = c === quote ? '' : quote
    else if (c === '"' || c === "'") quote = c
    else if (c === '(') open++
    else if (c === ')') open = Math.max(0, open - 1)
    else if (c === ';' && open === 0) {
      found.push(text.slice(start, at))
      start = at + 1
    }
  }
  found.push(text.slice(start))
  return found
}

function safeValue(property: string, given: string, image: (contentId: string) => string | undefined): string {
  // An escape can spell anything.
  if (given.includes('\\')) return ''
  const images: string[] = []
  const value = given
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .replace(URL_TOKEN, (_, double?: string, single?: string, bare?: string) => {
      const id = /^\s*cid:(.+)$/i.exec(double ?? single ?? bare ?? '')?.[1]
      const data = id === undefined || !IMAGES.has(property) ? undefined : image(id.trim())
      if (data === undefined) return 'none'
      images.push(data)
      return `\u0000${images.length - 1}\u0000`
    })
  const rest = value.replace(STRING, '').replace(/\u0000\d+\u0000/g, '')
  if (!/^[\w #.,%+\-*/()!]*$/.test(rest)) return ''
  for (const [, name = ''] of rest.matchAll(/(?<![\w-])([\w-]*)\s*\(/g))
    if (!FUNCTIONS.has(name.toLowerCase())) return ''
  if (rest.split('(').length !== rest.split(')').length) return ''
  return value.replace(/\u0000(\d+)\u0000/g, (_, index: string) => `url("${images[Number(index)] ?? ''}")`)
}
