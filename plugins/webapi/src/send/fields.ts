// Checks of single values of a request. Whatever could end a header line is an error here, never repaired: a caller that
// lets strangers fill in a field is told, and no second header or recipient comes of it.
import type { ComposeFile, Mailbox } from '@mox/plugin-sdk/compose'
import { isFieldName, isToken, type Path, parseAddress, parseParameters } from '@mox/plugin-sdk/mail'
import {
  MAX_EXTRA,
  MAX_EXTRA_KEY,
  MAX_EXTRA_KEYS,
  MAX_EXTRA_VALUE,
  MAX_FILES,
  MAX_HEADER_VALUE,
  MAX_HEADERS,
  MAX_MESSAGE_ID,
  MAX_NAME,
  MAX_REFERENCES,
  MAX_STREAM,
} from '../limits.ts'
import { ApiError } from './error.ts'
import type { Request, RequestAddress, RequestFile } from './message.ts'

type FieldPath = readonly (string | number)[]

const CONTROL = /[\x00-\x1f\x7f\x80-\x9f\u2028\u2029]/

/** Refuses control characters, tab included, and more than `limit` characters. */
export function plainText(value: string, path: FieldPath, limit: number): string {
  if (CONTROL.test(value)) throw new ApiError('user', `${path.join('.')} must not have control characters`, { path })
  if (value.length > limit)
    throw new ApiError('user', `${path.join('.')} must have at most ${limit} characters`, { path })
  return value.toWellFormed()
}

export function mailbox({ name, address }: RequestAddress, path: FieldPath): Mailbox {
  const parsed = parseAddress(address)
  if (!parsed.ok)
    throw new ApiError('badAddress', `${path.join('.')}: not a mail address: ${parsed.error}`, {
      path: [...path, 'address'],
    })
  return { name: plainText(name, [...path, 'name'], MAX_NAME), path: parsed.path }
}

export function mailboxes(list: readonly RequestAddress[], field: string): Mailbox[] {
  return list.map((entry, i) => mailbox(entry, [field, i]))
}

/** The fields that the composer, the queue or the next hops write; a second one would contradict them. */
const RESERVED =
  /^(?:from|sender|to|cc|bcc|reply-to|subject|date|message-id|in-reply-to|references|mime-version|content-.*|received|return-path|delivered-to|dkim-signature|arc-.*|resent-.*|authentication-results|received-spf)$/i

export function header([name, value]: readonly [string, string], path: FieldPath): readonly [string, string] {
  if (!isFieldName(name) || !isToken(name) || name.length > MAX_NAME)
    throw new ApiError('user', `${path.join('.')}: not a header field name`, { path })
  if (RESERVED.test(name))
    throw new ApiError('user', `${path.join('.')}: the header field ${name} cannot be set this way`, { path })
  return [name, plainText(value, path, MAX_HEADER_VALUE)]
}

export function headers(request: Request): (readonly [string, string])[] {
  atMost(request.headers.length, MAX_HEADERS, 'headers')
  return request.headers.map((entry, i) => header(entry, ['headers', i]))
}

export function messageId(given: string, smtputf8: boolean): string {
  plainText(given, ['messageId'], MAX_MESSAGE_ID)
  const good = smtputf8 ? /^<[^<>\s]+>$/ : /^<[\x21-\x3b\x3d\x3f-\x7e]+>$/
  if (!good.test(given))
    throw new ApiError('malformedMessageID', 'the message-id must be one <id@domain> in angle brackets', {
      path: ['messageId'],
    })
  return given
}

export function references(list: readonly string[], smtputf8: boolean): string[] {
  atMost(list.length, MAX_REFERENCES, 'references')
  for (const [i, entry] of list.entries()) {
    plainText(entry, ['references', i], MAX_MESSAGE_ID)
    if (!smtputf8 && /[^\x20-\x7e]/.test(entry))
      throw new ApiError('user', `references.${i} must be ASCII`, { path: ['references', i] })
  }
  return list.filter(entry => entry.trim() !== '')
}

/** Line ends become CRLF, and the last line has one. */
export function body(text: string, path: string): string {
  if (text === '') return ''
  if (text.includes('\0')) throw new ApiError('user', `${path} must not have NUL characters`, { path: [path] })
  const lines = /\r/.test(text) ? text.replace(/\r\n?/g, '\n') : text
  const ended = lines.endsWith('\n') ? lines : `${lines}\n`
  return ended.replaceAll('\n', '\r\n').toWellFormed()
}

/** Strict base64 (RFC 4648 §4); line breaks are allowed. */
export function base64(text: string, path: FieldPath): Buffer {
  const joined = /\s/.test(text) ? text.replace(/[\r\n\t ]+/g, '') : text
  if (joined.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(joined))
    throw new ApiError('user', `${path.join('.')} is not base64`, { path })
  return Buffer.from(joined, 'base64')
}

export function files(list: readonly RequestFile[], field: string): ComposeFile[] {
  atMost(list.length, MAX_FILES, field)
  return list.map((file, i) => {
    const path = [field, i]
    const contentId = plainText(file.contentId, [...path, 'contentId'], MAX_MESSAGE_ID).replace(/^<(.*)>$/, '$1')
    if (!/^[\x21-\x3b\x3d\x3f-\x7e]*$/.test(contentId))
      throw new ApiError('user', `${path.join('.')}.contentId must be like <id@domain>`, {
        path: [...path, 'contentId'],
      })
    const data = typeof file.data === 'string' ? base64(file.data, [...path, 'data']) : file.data
    const name = plainText(file.name, [...path, 'name'], MAX_NAME)
    return { name, contentType: contentType(file.contentType, [...path, 'contentType']), contentId, data }
  })
}

function contentType(given: string, path: FieldPath): string {
  const text = plainText(given, path, MAX_NAME).trim()
  if (text === '') return ''
  const { value } = parseParameters(text)
  const [type = '', subtype = '', ...rest] = value.split('/')
  if (rest.length > 0 || !isToken(type) || !isToken(subtype) || type === 'multipart' || /[^\x20-\x7e]/.test(text))
    throw new ApiError('user', `${path.join('.')} must be a media type of a single part, such as image/png`, { path })
  return text
}

/** The submitter's own data; a null prototype, since its keys come from outside. */
export function extra(given: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  const path = ['extra']
  atMost(given.size, MAX_EXTRA_KEYS, 'extra')
  const out = Object.create(null) as Record<string, string>
  let total = 0
  for (const [key, value] of given) {
    const [keySize, valueSize] = [Buffer.byteLength(key), Buffer.byteLength(value)]
    if (key === '' || keySize > MAX_EXTRA_KEY || CONTROL.test(key) || key === '__proto__')
      throw new ApiError('user', `extra: a key must be plain text of 1 to ${MAX_EXTRA_KEY} bytes`, { path })
    if (valueSize > MAX_EXTRA_VALUE)
      throw new ApiError('user', `extra: a value must have at most ${MAX_EXTRA_VALUE} bytes`, { path })
    total += keySize + valueSize
    out[key] = value
  }
  if (total > MAX_EXTRA) throw new ApiError('user', `extra must have at most ${MAX_EXTRA} bytes in all`, { path })
  return out
}

export function stream(name: string): string {
  if (name !== '' && (!/^[a-z0-9-]+$/.test(name) || name.length > MAX_STREAM))
    throw new ApiError('user', `stream must be 1 to ${MAX_STREAM} lower-case letters, digits and dashes`, {
      path: ['stream'],
    })
  return name
}

function atMost(count: number, limit: number, field: string): void {
  if (count > limit) throw new ApiError('user', `${field} must have at most ${limit} entries`, { path: [field] })
}

export function isAscii(path: Path): boolean {
  return /^[\x00-\x7f]*$/.test(path.localpart)
}
