// Requests for a part of a file: RFC 9110 §14. One range; several, or one that makes no sense, are answered with everything.

export type ByteRange = { readonly start: number; readonly end: number } | 'all' | 'unsatisfiable'

/** `end` is exclusive. */
export function byteRange(header: string, size: number): ByteRange {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header.trim())
  if (match === null) return 'all'
  const [, from = '', to = ''] = match
  if (from === '' && to === '') return 'all'
  if (from === '')
    return to === '0' || size === 0 ? 'unsatisfiable' : { start: Math.max(0, size - Number(to)), end: size }
  const start = Number(from)
  if (to !== '' && Number(to) < start) return 'all'
  if (start >= size) return 'unsatisfiable'
  return { start, end: to === '' ? size : Math.min(size, Number(to) + 1) }
}

/** RFC 9110 §13.1.2: whether what the browser has is still the same. */
export function matches(ifNoneMatch: string, etag: string): boolean {
  return ifNoneMatch.split(',').some(tag => tag.trim().replace(/^W\//, '') === etag || tag.trim() === '*')
}
