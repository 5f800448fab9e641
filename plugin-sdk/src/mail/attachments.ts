// What the parts of a message are to a reader: the texts, the HTML, attachments and their kinds, whether it is signed or
// encrypted. RFC 2046, RFC 1847, RFC 3462, RFC 8551 §3.2. Lenient; nothing throws.
import type { AttachmentKind } from './attachment-kind.ts'
import type { Part } from './mime.ts'

export type { AttachmentKind }

export interface PartRoles {
  /** Shown one after the other. */
  readonly texts: readonly Part[]
  /** The first text/html that is no attachment. */
  readonly html?: Part
  /** Those that stand in a multipart/mixed first. */
  readonly attachments: readonly Part[]
  readonly signed: boolean
  readonly encrypted: boolean
}

const TYPES: ReadonlyMap<string, AttachmentKind> = new Map<string, AttachmentKind>([
  ['application/pdf', 'pdf'],
  ['application/zip', 'archive'],
  ['application/gzip', 'archive'],
  ['application/x-gzip', 'archive'],
  ['application/x-tar', 'archive'],
  ['application/x-7z-compressed', 'archive'],
  ['application/vnd.rar', 'archive'],
  ['application/x-rar-compressed', 'archive'],
  ['application/vnd.oasis.opendocument.spreadsheet', 'spreadsheet'],
  ['application/vnd.ms-excel', 'spreadsheet'],
  ['application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'spreadsheet'],
  ['application/vnd.oasis.opendocument.text', 'document'],
  ['application/msword', 'document'],
  ['application/rtf', 'document'],
  ['application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'document'],
  ['application/vnd.oasis.opendocument.presentation', 'presentation'],
  ['application/vnd.ms-powerpoint', 'presentation'],
  ['application/vnd.openxmlformats-officedocument.presentationml.presentation', 'presentation'],
  ['text/calendar', 'calendar'],
  ['application/ics', 'calendar'],
])
const ENDINGS: readonly (readonly [RegExp, AttachmentKind])[] = [
  [/\.(?:jpe?g|png|gif|webp|bmp|tiff?|heic|svg|avif)$/, 'image'],
  [/\.pdf$/, 'pdf'],
  [/\.(?:zip|tar|tar\.(?:gz|bz2|xz|lz|zst)|tgz|tbz2?|txz|tlz|7z|rar)$/, 'archive'],
  [/\.(?:ods|xlsx?|csv)$/, 'spreadsheet'],
  [/\.(?:odt|docx?|rtf)$/, 'document'],
  [/\.(?:odp|pptx?)$/, 'presentation'],
  [/\.ics$/, 'calendar'],
]

/** By media type, else by the end of the file name. */
export function attachmentKind(contentType: string, filename: string | undefined): AttachmentKind {
  if (contentType.startsWith('image/')) return 'image'
  const byType = TYPES.get(contentType)
  if (byType !== undefined) return byType
  const end = (filename ?? '').slice(-20).toLowerCase()
  return ENDINGS.find(([pattern]) => pattern.test(end))?.[1] ?? 'other'
}

/** Sorts the parts of a message. `root` is as `parseStructure` gives it. */
export function partRoles(root: Part): PartRoles {
  const sorter = new PartSorter()
  const smime = /^application\/(?:x-)?pkcs7-mime$/.test(root.contentType)
  const signed = root.contentType === 'multipart/signed' || (smime && root.params.get('smime-type') === 'signed-data')
  sorter.sort(root, false, signed && root.type === 'multipart')
  return {
    texts: sorter.texts,
    ...(sorter.html === undefined ? {} : { html: sorter.html }),
    attachments: [...sorter.mixed, ...sorter.others],
    signed,
    encrypted: root.contentType === 'multipart/encrypted' || (smime && !signed),
  }
}

class PartSorter {
  readonly texts: Part[] = []
  html: Part | undefined
  readonly mixed: Part[] = []
  readonly others: Part[] = []

  /** `firstOnly`: of a signed message, what follows the signed part is its signature. */
  sort(part: Part, inMixed: boolean, firstOnly: boolean): void {
    if (part.type === 'multipart') {
      const children = firstOnly ? part.children.slice(0, 1) : part.children
      const report = part.subtype === 'report'
      for (const [index, child] of children.entries()) {
        if (report && isReportText(child, index)) this.texts.push(child)
        else this.sort(child, part.subtype === 'mixed' || report, false)
      }
    } else if (part.contentType === 'text/plain' && part.disposition !== 'attachment') this.texts.push(part)
    else if (part.contentType === 'text/html' && part.disposition !== 'attachment' && this.html === undefined)
      this.html = part
    else (inMixed ? this.mixed : this.others).push(part)
  }
}

/** RFC 3462 §3: the second part is for programs but short, the third may be just the header of what was sent. */
function isReportText(part: Part, index: number): boolean {
  if (index === 1) return /^message\/(?:global-)?(?:delivery-status|disposition-notification)$/.test(part.contentType)
  return index === 2 && /^(?:text\/rfc822-headers|message\/global-headers)$/.test(part.contentType)
}
