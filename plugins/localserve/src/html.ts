// HTML of a message made fit for the page's sandboxed frame: an allow list of elements and attributes, images only from the
// message itself. The frame's own policy forbids scripts and loading as well; either alone is enough.
import { decodeBody, decodeText, type Part } from '@mox/plugin-sdk/mail'
import sanitizeHtml from 'sanitize-html'

/** Characters of HTML shown; the rest is left out. */
export const HTML_LIMIT = 1_000_000
/** Bytes of one inline image, and of all together. */
export const IMAGE_LIMIT: number = 2 * 1024 * 1024
export const IMAGES_LIMIT: number = 8 * 1024 * 1024
/** Elements inside each other; deeper ones are dropped. */
const NESTING_LIMIT = 200

/** Nothing may be loaded and nothing may run; images are data URLs. */
export const FRAME_POLICY =
  "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox allow-popups allow-popups-to-escape-sandbox; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"

const IMAGE_TYPES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp'])

export function safeHtml(bytes: Buffer, html: Part, parts: readonly Part[]): string {
  const images = inlineImages(bytes, parts)
  const body = sanitizeHtml(decodeText(bytes, html).slice(0, HTML_LIMIT), {
    allowedTags: [
      ...sanitizeHtml.defaults.allowedTags.filter(t => t !== 'svg' && t !== 'math'),
      'img',
      'center',
      'font',
      'del',
      'ins',
    ],
    allowedAttributes: {
      '*': ['style', 'align', 'valign', 'width', 'height', 'bgcolor', 'color', 'dir', 'lang', 'title'],
      a: ['href', 'rel', 'target'],
      img: ['src', 'alt', 'width', 'height'],
      td: ['colspan', 'rowspan'],
      th: ['colspan', 'rowspan'],
      font: ['size', 'face', 'color'],
    },
    allowedSchemes: ['http', 'https', 'mailto', 'tel'],
    allowedSchemesByTag: { img: ['data'] },
    allowedStyles: { '*': STYLES },
    nestingLimit: NESTING_LIMIT,
    transformTags: {
      a: sanitizeHtml.simpleTransform('a', { rel: 'noopener noreferrer', target: '_blank' }),
      img: (tagName, attributes) => {
        const id = /^cid:(.+)$/i.exec(attributes['src'] ?? '')?.[1]
        const { src: _, ...rest } = attributes
        const image = id === undefined ? undefined : images.get(id)
        return {
          tagName,
          attribs: image === undefined ? { ...rest, alt: attributes['alt'] ?? '[image]' } : { ...rest, src: image },
        }
      },
    },
  })
  return `<!doctype html><html><head><meta charset="utf-8"><meta name="color-scheme" content="light"><style>body{font:15px/1.5 system-ui,sans-serif;margin:16px;background:#fff;color:#111;overflow-wrap:anywhere}img{max-width:100%;height:auto}</style></head><body>${body}</body></html>`
}

const COLOR = [/^[a-z]+$/i, /^#[0-9a-f]{3,8}$/i, /^rgba?\([0-9., %]+\)$/i]
const LENGTH = [/^-?[0-9.]+(px|em|rem|%|pt)?$/, /^auto$/]
const LENGTHS = [/^(-?[0-9.]+(px|em|rem|%|pt)?|auto)( (-?[0-9.]+(px|em|rem|%|pt)?|auto)){0,3}$/]
const STYLES: Record<string, RegExp[]> = {
  color: COLOR,
  'background-color': COLOR,
  'text-align': [/^(left|right|center|justify)$/],
  'text-decoration': [/^[a-z -]+$/],
  'font-weight': [/^(bold|bolder|lighter|normal|[1-9]00)$/],
  'font-style': [/^(italic|normal|oblique)$/],
  'font-size': LENGTH,
  'font-family': [/^[\w\s,'"-]+$/],
  'line-height': LENGTH,
  width: LENGTH,
  'max-width': LENGTH,
  height: LENGTH,
  padding: LENGTHS,
  margin: LENGTHS,
  border: [/^[\w\s#.%-]+$/],
  'border-collapse': [/^(collapse|separate)$/],
  'border-radius': LENGTHS,
  'vertical-align': [/^[a-z-]+$/],
}

function inlineImages(bytes: Buffer, parts: readonly Part[]): Map<string, string> {
  const images = new Map<string, string>()
  let total = 0
  for (const part of parts) {
    if (
      part.contentId === undefined ||
      !IMAGE_TYPES.has(part.contentType) ||
      part.size > IMAGE_LIMIT ||
      total + part.size > IMAGES_LIMIT
    )
      continue
    total += part.size
    images.set(part.contentId, `data:${part.contentType};base64,${decodeBody(bytes, part).toString('base64')}`)
  }
  return images
}
