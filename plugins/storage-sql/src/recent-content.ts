// Content that was just stored: what comes in is mostly delivered within moments, and a read connection has to find the pages
// of what was written since its last query all over again. Content never changes, and its ids are not used again.

/** Bytes that are kept of all of it. */
export const RECENT_BYTES: number = 2 * 1024 * 1024

export class RecentContent {
  /** In the order it came. */
  readonly #all = new Map<number, Buffer>()
  #bytes = 0

  /** Once it is committed. */
  add(id: number, bytes: Buffer): void {
    if (this.#all.has(id)) return
    this.#all.set(id, bytes)
    this.#bytes += held(bytes)
    for (const oldest of this.#all.keys()) {
      if (this.#bytes <= RECENT_BYTES) return
      this.delete(oldest)
    }
  }

  get(id: number): Buffer | undefined {
    return this.#all.get(id)
  }

  delete(id: number): void {
    const bytes = this.#all.get(id)
    if (bytes === undefined) return
    this.#all.delete(id)
    this.#bytes -= held(bytes)
  }
}

/** A view keeps all that it is a view of. */
function held(bytes: Buffer): number {
  return bytes.buffer.byteLength
}
