// From the shapes of v1 to a request of the sender.
import type { z } from 'zod'
import { ApiError } from '../send/error.ts'
import { EMPTY_REQUEST, type Request, type RequestAddress, type RequestFile } from '../send/message.ts'
import type * as schemas from './schemas.ts'

export type SendRequest = z.output<typeof schemas.sendRequest>
type Address = z.output<typeof schemas.address>
type Attachment = z.output<typeof schemas.attachment>

export function toRequest(r: SendRequest): Request {
  const files = (disposition: 'attachment' | 'inline') =>
    (r.attachments ?? []).filter(file => (file.disposition ?? 'attachment') === disposition).map(toFile)
  return {
    ...EMPTY_REQUEST,
    ...{ from: r.from === undefined ? [] : [toAddress(r.from)], to: all(r.to), cc: all(r.cc), bcc: all(r.bcc) },
    ...{ replyTo: all(r.replyTo), messageId: r.messageId ?? '', references: r.references ?? [], date: time(r.date) },
    ...{ subject: r.subject ?? '', text: r.text ?? '', html: r.html ?? '' },
    ...{
      extra: new Map(Object.entries(r.extra ?? {})),
      headers: (r.headers ?? []).map(h => [h.name, h.value] as const),
    },
    ...{ inlineFiles: files('inline'), attachedFiles: files('attachment'), requireTls: r.requireTls },
    ...{ futureRelease: time(r.sendAt), saveSent: r.saveSent ?? false, stream: r.stream ?? '' },
    unsubscribe: r.unsubscribe ?? false,
  }
}

/** The sender's places in the words of v1: "attachedFiles.0.data" is "attachments.2.content". */
export function translate(error: ApiError, { attachments = [] }: SendRequest): ApiError {
  const { code, message, path, retryAfter } = error
  if (path === undefined) return error
  const [field = '', index, part] = path
  const disposition = field === 'attachedFiles' ? 'attachment' : field === 'inlineFiles' ? 'inline' : undefined
  let place = path
  if (field === 'futureRelease') place = ['sendAt']
  else if (disposition !== undefined) {
    const own = attachments
      .map((file, i) => ({ file, i }))
      .filter(({ file }) => (file.disposition ?? 'attachment') === disposition)
    const at = typeof index === 'number' ? [own[index]?.i ?? index] : []
    place = [
      'attachments',
      ...at,
      ...(part === undefined ? [] : [part === 'data' ? 'content' : part === 'name' ? 'filename' : part]),
    ]
  }
  // The text names the part, or what it is part of.
  const prefix = (names: readonly (string | number)[]): string => names.slice(0, 2).join('.')
  const text = message.replaceAll(path.join('.'), place.join('.')).replaceAll(prefix(path), prefix(place))
  return new ApiError(code, text, { path: place, cause: error, ...(retryAfter === undefined ? {} : { retryAfter }) })
}

function all(list: readonly Address[] | undefined): RequestAddress[] {
  return (list ?? []).map(toAddress)
}

function toAddress(given: Address): RequestAddress {
  return typeof given === 'string' ? { name: '', address: given } : { name: given.name ?? '', address: given.address }
}

function toFile({ filename = '', contentType = '', content, contentId = '' }: Attachment): RequestFile {
  return { name: filename, contentType, contentId, data: content }
}

function time(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text)
}
