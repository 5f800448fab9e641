// Attachments that are too large to be held in memory: they are read, encoded and written as the message is.
import type { Random } from '../services/base.ts'

/** A file to attach, read when its turn comes. */
export interface AttachedFile {
  /** '' for none. Without control characters. */
  readonly name: string
  /** A media type of a single part, checked. */
  readonly contentType: string
  /** `message`: lines of at most 998 octets with CRLF ends, sent as they are (RFC 2046 §5.2.1); else base64. */
  readonly encoding: 'base64' | '7bit' | '8bit'
  open(): AsyncIterable<Buffer>
}

/** Octets before base64 in one line of 76. */
const LINE_OCTETS = 57

/**
 * A complete message: `head` as headerSection() gives it, then multipart/mixed of `body`, which is what composeMessage('', …)
 * gives, and the files. Without files the body alone.
 */
export async function* composeWithFiles(
  head: string,
  body: Buffer,
  files: readonly AttachedFile[],
  random: Random,
): AsyncIterable<Buffer> {
  if (files.length === 0) {
    yield Buffer.concat([Buffer.from(head), body])
    return
  }
  const boundary = `=_${random.id()}`
  const separator = Buffer.from(`\r\n--${boundary}\r\n`)
  yield Buffer.from(`${head}Content-Type: multipart/mixed;\r\n boundary="${boundary}"\r\n\r\n--${boundary}\r\n`)
  yield body
  for (const file of files) {
    yield Buffer.concat([separator, Buffer.from(fileHead(file))])
    if (file.encoding === 'base64') yield* base64Lines(file.open())
    else yield* file.open()
  }
  yield Buffer.from(`\r\n--${boundary}--\r\n`)
}

function fileHead({ name, contentType, encoding }: AttachedFile): string {
  const type = `Content-Type: ${contentType}${name === '' ? '' : parameter('name', name)}`
  const disposition = `Content-Disposition: attachment${name === '' ? '' : parameter('filename', name)}`
  return `${type}\r\nContent-Transfer-Encoding: ${encoding}\r\n${disposition}\r\n\r\n`
}

/** Octets of a parameter's value in one line. */
const SEGMENT = 60

/** A parameter on lines of its own: as a quoted string, or by RFC 2231 in percent-encoded segments. */
function parameter(name: string, value: string): string {
  if (/^[\x20-\x7e]*$/.test(value) && value.length <= SEGMENT)
    return `;\r\n ${name}="${value.replace(/["\\]/g, '\\$&')}"`
  const segments: string[] = []
  let segment = "utf-8''"
  for (const character of value.toWellFormed()) {
    const encoded = /^[A-Za-z0-9._~-]$/.test(character)
      ? character
      : Array.from(Buffer.from(character), octet => `%${octet.toString(16).toUpperCase().padStart(2, '0')}`).join('')
    if (segment.length + encoded.length > SEGMENT) {
      segments.push(segment)
      segment = ''
    }
    segment += encoded
  }
  segments.push(segment)
  if (segments.length === 1) return `;\r\n ${name}*=${segment}`
  return segments.map((part, i) => `;\r\n ${name}*${i}*=${part}`).join('')
}

async function* base64Lines(source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let rest = Buffer.alloc(0)
  for await (const chunk of source) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const whole = bytes.length - (bytes.length % LINE_OCTETS)
    if (whole > 0) yield encode(bytes.subarray(0, whole))
    rest = Buffer.from(bytes.subarray(whole))
  }
  if (rest.length > 0) yield encode(rest)
}

function encode(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('base64').replace(/.{1,76}/g, '$&\r\n'))
}
