// Images of a message that its HTML shows by content id (RFC 2392), as data URLs. Ids need not be unique in a message: the
// nearest part counts, first among the siblings of the HTML, then further up, then anywhere.
import { decodeBody, type Part } from '@mox/plugin-sdk/mail'
import { INLINE_IMAGES_BYTES } from './limits.ts'
import { IMAGE_TYPES } from './outline.ts'

export class InlineImages {
  readonly #bytes: Buffer
  readonly #found = new Map<string, Part>()
  readonly #urls = new Map<Part, string>()
  #left = INLINE_IMAGES_BYTES
  /** An image was left out because all together are too large. */
  overflowed = false

  constructor(bytes: Buffer, root: Part, html: Part | undefined) {
    this.#bytes = bytes
    const around = html === undefined ? [] : (ancestors(root, html) ?? [])
    for (const parent of around.reverse()) for (const part of parent.children) this.#add(part)
    const waiting: Part[] = [root]
    for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
      this.#add(part)
      for (let i = part.children.length - 1; i >= 0; i--) waiting.push(part.children[i]!)
    }
  }

  #add(part: Part): void {
    if (part.contentId === undefined || !IMAGE_TYPES.has(part.contentType) || this.#found.has(part.contentId)) return
    this.#found.set(part.contentId, part)
  }

  /** Counts each use, as each is in the page. */
  url(contentId: string): string | undefined {
    const part = this.#found.get(contentId) ?? this.#found.get(unescaped(contentId))
    return part === undefined ? undefined : this.partUrl(part)
  }

  partUrl(part: Part): string | undefined {
    const url = this.#urls.get(part) ?? this.#read(part)
    if (url === undefined || url.length > this.#left) {
      this.overflowed = true
      return undefined
    }
    this.#left -= url.length
    return url
  }

  #read(part: Part): string | undefined {
    if (part.size > 2 * INLINE_IMAGES_BYTES) return undefined
    const url = `data:${part.contentType};base64,${decodeBody(this.#bytes, part).toString('base64')}`
    this.#urls.set(part, url)
    return url
  }
}

/** RFC 2392: an id is percent-encoded in a URL. */
function unescaped(id: string): string {
  try {
    return decodeURIComponent(id)
  } catch {
    return id
  }
}

/** The multiparts that a part is in, the outermost first. */
function ancestors(root: Part, wanted: Part): Part[] | undefined {
  const waiting: { part: Part; above: Part[] }[] = [{ part: root, above: [] }]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.part === wanted) return next.above
    for (const child of next.part.children) waiting.push({ part: child, above: [...next.above, next.part] })
  }
  return undefined
}
