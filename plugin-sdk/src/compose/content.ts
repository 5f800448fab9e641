// The MIME content of a message: mixed (attached files) > related (inline files) > alternative (bodies), each level only
// where it is needed. nodemailer's composer writes parts and boundaries; it gets buffers and checked values only, and may
// neither read files nor fetch URLs.
import type MailComposer from 'nodemailer/lib/mail-composer'
import type { Random } from '../services/base.ts'
import { type ComposeDraft, ComposeError, type ComposeFile } from './message.ts'

type Node = ReturnType<MailComposer['compile']>

/** A leaf, or a multipart with its parts. */
type Tree =
  | { readonly kind: 'leaf'; readonly leaf: Leaf }
  | { readonly kind: 'multi'; readonly type: string; readonly parts: readonly Tree[] }

interface Leaf {
  readonly contentType: string
  readonly encoding: string
  readonly content: Buffer
  readonly disposition?: 'inline' | 'attachment'
  readonly name?: string
  readonly contentId?: string
}

/** Octets of a line that need no quoted-printable. */
const PLAIN_LINE = 76
/** RFC 5322 §2.1.1. */
const LONGEST_LINE = 998
const CLOSED = { disableFileAccess: true, disableUrlAccess: true } as const

/**
 * The header section `head`, the Content-* fields and the content; CRLF line ends. Throws a ComposeError for a file of a
 * message type that cannot be sent as one.
 */
export async function composeMessage(head: string, draft: ComposeDraft, random: Random): Promise<Buffer> {
  const tree = treeOf(draft)
  if (tree.kind === 'leaf' && asIs(tree.leaf)) return rawPart(tree.leaf, head)
  const top = tree.kind === 'leaf' ? tree.leaf : { contentType: tree.type, content: Buffer.alloc(0), encoding: '' }
  // Loaded when first needed: most messages are plain text.
  const { default: Composer } = await import('nodemailer/lib/mail-composer')
  const composer = new Composer({
    ...CLOSED,
    baseBoundary: random.id(),
    alternatives: [
      {
        contentType: top.contentType,
        content: top.content,
        ...(top.encoding === '' ? {} : { contentTransferEncoding: top.encoding }),
      },
    ],
  })
  const root = composer.compile()
  if (tree.kind === 'multi') addParts(root, tree.parts)
  return Buffer.concat([Buffer.from(head), withoutMessageFields(await root.build())])
}

function addParts(parent: Node, parts: readonly Tree[]): void {
  for (const part of parts) {
    if (part.kind === 'multi') addParts(parent.createChild(part.type, CLOSED), part.parts)
    else addLeaf(parent, part.leaf)
  }
}

function addLeaf(parent: Node, leaf: Leaf): void {
  const { contentType, encoding, content, disposition, name, contentId } = leaf
  if (asIs(leaf)) return void parent.createChild('text/plain', CLOSED).setRaw(rawPart(leaf))
  const child = parent.createChild(contentType, { ...CLOSED, ...(name === undefined ? {} : { filename: name }) })
  child.setHeader('Content-Transfer-Encoding', encoding)
  if (disposition !== undefined) child.setHeader('Content-Disposition', disposition)
  if (contentId !== undefined) child.setHeader('Content-Id', `<${contentId}>`)
  child.setContent(content)
}

/** Text that is sent as its bytes are; the composer would encode what is not plain ASCII. */
function asIs({ contentType, encoding, name }: Leaf): boolean {
  return name === undefined && /^text\//.test(contentType) && /^[78]bit$/.test(encoding)
}

function rawPart({ contentType, encoding, content }: Leaf, head: string = ''): Buffer {
  const fields = `${head}Content-Type: ${contentType}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`
  return Buffer.concat([Buffer.from(fields), content])
}

function treeOf(draft: ComposeDraft): Tree {
  const bodies = [
    ...(draft.text === '' ? [] : [body('text/plain', draft.text)]),
    ...(draft.html === '' ? [] : [body('text/html', draft.html)]),
    ...draft.alternativeFiles.map(f => fileLeaf(f, 'inline')),
  ]
  const alternative = level('multipart/alternative', bodies)
  const related = level('multipart/related', [alternative, ...draft.inlineFiles.map(f => fileLeaf(f, 'inline'))])
  return level('multipart/mixed', [related, ...draft.attachedFiles.map(f => fileLeaf(f, 'attachment'))])
}

function level(type: string, parts: readonly Tree[]): Tree {
  const [only] = parts
  return parts.length === 1 && only !== undefined ? only : { kind: 'multi', type, parts }
}

/** RFC 2045 §6: quoted-printable for long lines, else as the bytes are. */
function body(type: string, text: string): Tree {
  const content = Buffer.from(text)
  const ascii = content.length === text.length
  const long = longestLine(content) > PLAIN_LINE
  const encoding = long ? 'quoted-printable' : ascii ? '7bit' : '8bit'
  return { kind: 'leaf', leaf: { contentType: `${type}; charset=${ascii ? 'us-ascii' : 'utf-8'}`, encoding, content } }
}

function longestLine(content: Buffer): number {
  let longest = 0
  for (let from = 0; from < content.length; ) {
    const lf = content.indexOf(0x0a, from)
    const end = lf < 0 ? content.length : lf
    longest = Math.max(longest, end - from - (content[end - 1] === 0x0d ? 1 : 0))
    from = end + 1
  }
  return longest
}

function fileLeaf(file: ComposeFile, disposition: 'inline' | 'attachment'): Tree {
  const contentType = file.contentType === '' ? (sniff(file.data) ?? '') : file.contentType
  const { content, encoding } = /^message\//i.test(contentType)
    ? message(file)
    : { content: file.data, encoding: 'base64' }
  const named = { ...(file.name === '' ? {} : { name: file.name }) }
  const id = file.contentId === '' ? {} : { contentId: file.contentId }
  // Without a type and a name to guess it from, it is just bytes.
  const type = contentType === '' && file.name === '' ? 'application/octet-stream' : contentType
  return { kind: 'leaf', leaf: { contentType: type, encoding, content, disposition, ...named, ...id } }
}

/** RFC 2046 §5.2.1: an enclosed message is not encoded, so it must be lines that can be sent as they are. */
function message({ data, name }: ComposeFile): { readonly content: Buffer; readonly encoding: string } {
  const content = Buffer.from(data.toString('latin1').replace(/\r\n?|\n/g, '\r\n'), 'latin1')
  if (content.includes(0) || longestLine(content) > LONGEST_LINE)
    throw new ComposeError(
      `the file ${JSON.stringify(name)} cannot be sent as a message: it has NUL bytes or lines over ${LONGEST_LINE} bytes; give it the type application/octet-stream`,
    )
  return { content, encoding: content.some(byte => byte > 0x7f) ? '8bit' : '7bit' }
}

const MAGIC: readonly (readonly [start: string, type: string])[] = [
  ['\x89PNG\r\n\x1a\n', 'image/png'],
  ['\xff\xd8\xff', 'image/jpeg'],
  ['GIF87a', 'image/gif'],
  ['GIF89a', 'image/gif'],
  ['%PDF-', 'application/pdf'],
  ['PK\x03\x04', 'application/zip'],
  ['\x1f\x8b\x08', 'application/gzip'],
]

/** The type by its first bytes, where they are unmistakable. */
function sniff(data: Buffer): string | undefined {
  const start = data.toString('latin1', 0, 16)
  if (/^RIFF.{4}WEBP/s.test(start)) return 'image/webp'
  return MAGIC.find(([magic]) => start.startsWith(magic))?.[1]
}

const CONTENT_FIELD = /^Content-(?:Type|Transfer-Encoding):/i

/** Keeps the fields of the content; the composer's own Date, Message-ID and the like are not used. */
function withoutMessageFields(built: Buffer): Buffer {
  const end = built.indexOf('\r\n\r\n')
  const fields = built.toString('latin1', 0, end).split(/\r\n(?![ \t])/)
  // Content-Type first, as the parts have it.
  const kept = fields.filter(field => CONTENT_FIELD.test(field)).map(field => `${field}\r\n`)
  kept.sort().reverse()
  return Buffer.concat([Buffer.from(`${kept.join('')}\r\n`, 'latin1'), built.subarray(end + 4)])
}
