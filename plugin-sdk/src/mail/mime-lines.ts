// Line counts of parts, which nest and so share their bytes: one pass over the message counts them all.
import type { PartDraft } from './mime.ts'

const LF = 0x0a
const WINDOW = 64 * 1024

/** Sets `lines` of every part from its body's range. A last line without line end counts. */
export function setLines(bytes: Buffer, parts: readonly PartDraft[]): void {
  const offsets = [...new Set(parts.flatMap(part => [part.bodyStart, part.end]))].sort((a, b) => a - b)
  const before = new Map<number, number>()
  let count = 0
  let at = offsets[0] ?? 0
  for (const offset of offsets) {
    count += countNewlines(bytes, at, offset)
    before.set(offset, count)
    at = offset
  }
  for (const part of parts) {
    const partial = part.size > 0 && bytes[part.end - 1] !== LF ? 1 : 0
    part.lines = (before.get(part.end) ?? 0) - (before.get(part.bodyStart) ?? 0) + partial
  }
}

function countNewlines(bytes: Buffer, from: number, to: number): number {
  let count = 0
  for (let start = from; start < to; start += WINDOW) {
    const text = bytes.toString('latin1', start, Math.min(start + WINDOW, to))
    for (let lf = text.indexOf('\n'); lf >= 0; lf = text.indexOf('\n', lf + 1)) count++
  }
  return count
}
