// The parts of a message by the paths that addresses name them with: "0" is the root, "0.1" its second part, and the message
// in a message/rfc822 part "0.1" is "0.1.0".
import { type AttachmentKind, attachmentKind, type Part, safeFilename } from '@mox/plugin-sdk/mail'
import { decodedSize, type EncodedRange } from './decoder.ts'
import { PATH_LEVELS } from './limits.ts'

/** How a page may show a part: as an image, in a frame as text, as a message or PDF, as a list of files; none: download only. */
export type Viewable = 'image' | 'text' | 'message' | 'pdf' | 'zip' | 'none'

/** What is known of a part without its content. */
export interface PartFacts extends EncodedRange {
  readonly path: string
  readonly contentType: string
  readonly charset: string
  /** Fit to show; '' when none is given. */
  readonly filename: string
  /** Decoded; 0 for a multipart. */
  readonly size: number
  readonly contentId: string
  readonly viewable: Viewable
  readonly kind: AttachmentKind
}

/** Parts with their paths in order; not `complete` when some are too deep for a path. */
export function pathsOf(root: Part): { readonly paths: Map<Part, string>; readonly complete: boolean } {
  const paths = new Map<Part, string>()
  let complete = true
  const waiting: { part: Part; path: string; level: number }[] = [{ part: root, path: '0', level: 1 }]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { part, path, level } = next
    if (level > PATH_LEVELS) {
      complete = false
      continue
    }
    paths.set(part, path)
    const inner = part.message === undefined ? part.children : [part.message]
    for (let i = inner.length - 1; i >= 0; i--)
      waiting.push({ part: inner[i]!, path: `${path}.${i}`, level: level + 1 })
  }
  return { paths, complete }
}

export function partFacts(message: Buffer, part: Part, path: string, name?: string): PartFacts {
  const range = { start: part.bodyStart, end: part.end, encoding: part.encoding }
  const filename = part.filename === undefined || part.filename === '' ? (name ?? '') : safeFilename(part.filename)
  return {
    ...range,
    path,
    contentType: part.contentType,
    charset: part.charset,
    filename,
    size: part.type === 'multipart' ? 0 : decodedSize(message, range),
    contentId: part.contentId ?? '',
    viewable: viewable(part.contentType, filename),
    kind: attachmentKind(part.contentType, filename),
  }
}

/** A message within a message: RFC 2046 §5.2.1, RFC 6532 §3.7. */
export const MESSAGE_TYPE = /^message\/(?:rfc822|global)$/

/** Types that browsers show as images, and nothing else with them. */
export const IMAGE_TYPES: ReadonlySet<string> = new Set(
  ['avif', 'webp', 'gif', 'png', 'jpeg', 'apng', 'svg+xml'].map(name => `image/${name}`),
)

const ZIP_TYPE = /^application\/(?:x-)?zip(?:-compressed)?$/

function viewable(contentType: string, filename: string): Viewable {
  if (IMAGE_TYPES.has(contentType)) return 'image'
  if (contentType === 'application/pdf') return 'pdf'
  if (MESSAGE_TYPE.test(contentType)) return 'message'
  if (ZIP_TYPE.test(contentType) || (contentType === 'application/octet-stream' && /\.zip$/i.test(filename)))
    return 'zip'
  return /^(?:text|message)\//.test(contentType) ? 'text' : 'none'
}
