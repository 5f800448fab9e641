// Frames of the control socket: one JSON object per line, of bounded size. Whoever sends something else is told once
// and cut off. An answer is one frame; a result of kind "bytes" is followed by frames { chunk: base64 } and, when it was
// complete, { end: true }.

/** Bytes of one request, without its line end. */
export const REQUEST_LIMIT: number = 1024 * 1024
/** Bytes of one answer. */
export const ANSWER_LIMIT: number = 256 * 1024 * 1024
/** Raised when the frames change their meaning. */
export const PROTOCOL = 1

/** The other side sent something that is no frame. */
export class FrameError extends Error {
  override readonly name = 'FrameError'
}

export function encodeFrame(value: object): string {
  return `${JSON.stringify({ mox: PROTOCOL, ...value })}\n`
}

/** Puts frames together from chunks. */
export class FrameReader {
  readonly #limit: number
  #chunks: Buffer[] = []
  #size = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** The frames that end in this chunk. Throws a FrameError; the reader is of no use then. */
  push(chunk: Buffer): Record<string, unknown>[] {
    const frames: Record<string, unknown>[] = []
    let start = 0
    for (let lf = chunk.indexOf(0x0a); lf >= 0; lf = chunk.indexOf(0x0a, start)) {
      this.#keep(chunk.subarray(start, lf))
      frames.push(parseFrame(Buffer.concat(this.#chunks)))
      this.#chunks = []
      this.#size = 0
      start = lf + 1
    }
    this.#keep(chunk.subarray(start))
    return frames
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#size += bytes.length
    if (this.#size > this.#limit) throw new FrameError(`a frame of more than ${this.#limit} bytes`)
    this.#chunks.push(bytes)
  }
}

function parseFrame(bytes: Buffer): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(bytes.toString())
  } catch {
    throw new FrameError('a frame that is not JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new FrameError('a frame that is no object')
  return value as Record<string, unknown>
}
