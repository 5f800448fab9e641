// How a v0 request comes: a form field `request` with JSON, url-encoded or multipart (then with files beside it), or the JSON
// itself as application/json.
import { decodeBody, decodeText, type Part, parseParameters, parseStructure } from '@mox/plugin-sdk/mail'
import { MAX_FILES } from '../limits.ts'
import { ApiError } from '../send/error.ts'
import type { RequestFile } from '../send/message.ts'
import { parseJson } from '../web/body.ts'

export interface Decoded {
  readonly value: unknown
  /** Files of a multipart form, in order, by form field. */
  readonly files: { readonly field: FileField; readonly file: RequestFile }[]
}

const FILE_FIELDS = ['alternativefile', 'inlinefile', 'attachedfile'] as const
export type FileField = (typeof FILE_FIELDS)[number]

/** Throws `protocol`. `contentType` as the header has it. */
export function decodeRequest(contentType: string, body: Buffer): Decoded {
  const { value: type } = parseParameters(contentType)
  if (type === 'application/json') return { value: parseJson(body.toString()), files: [] }
  if (type === 'application/x-www-form-urlencoded') {
    return { value: json(new URLSearchParams(body.toString()).get('request')), files: [] }
  }
  if (type === 'multipart/form-data') return multipart(contentType, body)
  throw new ApiError(
    'protocol',
    'send the request as application/x-www-form-urlencoded or multipart/form-data with the field "request", or as application/json',
  )
}

function json(text: string | null): unknown {
  if (text === null || text === '') throw new ApiError('protocol', 'the form field "request" is missing')
  return parseJson(text)
}

/** RFC 7578: read with the same bounded parser as mail. */
function multipart(contentType: string, body: Buffer): Decoded {
  const head = Buffer.from(`Content-Type: ${contentType.replace(/[\r\n]/g, ' ')}\r\n\r\n`, 'latin1')
  const bytes = Buffer.concat([head, body])
  const form = parseStructure(bytes, { depth: 1 })
  if (form.problems.some(problem => problem !== 'no-parts') || form.children.length === 0)
    throw new ApiError('protocol', 'the multipart form cannot be read')
  let request: string | null = null
  const files: Decoded['files'] = []
  for (const part of form.children) {
    const name = formName(part)
    const field = FILE_FIELDS.find(known => known === name)
    if (name === 'request') request ??= decodeText(bytes, part)
    else if (field === undefined)
      throw new ApiError('protocol', 'unknown form field; files are alternativefile, inlinefile and attachedfile')
    // A browser sends an empty part for a file input that nothing was chosen for.
    else if ((part.filename ?? '') !== '' || part.size > 0) files.push({ field, file: formFile(bytes, part) })
  }
  if (files.length > MAX_FILES) throw new ApiError('protocol', `at most ${MAX_FILES} files`)
  return { value: json(request), files }
}

function formName(part: Part): string {
  const { value, params } = parseParameters(part.head.get('content-disposition') ?? '')
  return value === 'form-data' ? (params.get('name') ?? '') : ''
}

function formFile(bytes: Buffer, part: Part): RequestFile {
  const name = part.filename ?? ''
  return {
    name: name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1),
    contentType: part.head.get('content-type') ?? '',
    contentId: part.head.get('content-id') ?? '',
    data: Buffer.from(decodeBody(bytes, part)),
  }
}
