// The MIME structure of a message for programs: what each part is and how large, without its content. Bounded whatever the
// message says of itself.
import { VIEW_PARAMETER_LENGTH, VIEW_STRUCTURE_TEXT } from './limits.ts'
import type { Part } from './mime.ts'
import { decodeBody } from './mime-text.ts'

export interface MessageStructure {
  /** "text/plain", in lower case. */
  readonly contentType: string
  /** Names in lower case. */
  readonly contentTypeParams: ReadonlyMap<string, string>
  /** With angle brackets; '' when not given. */
  readonly contentId: string
  /** "attachment", "inline", or '' when not given. */
  readonly contentDisposition: string
  /** As given by the sender, decoded; '' when not given. Never a name for the file system. */
  readonly filename: string
  /** Octets with the transfer encoding undone; 0 for a multipart. */
  readonly decodedSize: number
  readonly parts: readonly MessageStructure[]
}

/** `bytes`: what `part` was parsed from. */
export function messageStructure(bytes: Buffer, part: Part): MessageStructure {
  return new StructureWriter(bytes).describe(part)
}

class StructureWriter {
  readonly #bytes: Buffer
  #left = VIEW_STRUCTURE_TEXT

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  describe(part: Part): MessageStructure {
    const params = new Map<string, string>()
    for (const [name, value] of part.params) {
      if (this.#left <= 0) break
      params.set(this.#take(name), this.#take(value))
    }
    return {
      contentType: this.#take(part.contentType),
      contentTypeParams: params,
      contentId: part.contentId === undefined ? '' : `<${this.#take(part.contentId)}>`,
      contentDisposition: this.#take(part.disposition),
      filename: this.#take(part.filename ?? ''),
      decodedSize: part.type === 'multipart' ? 0 : decodeBody(this.#bytes, part).length,
      parts: part.children.map(child => this.describe(child)),
    }
  }

  #take(text: string): string {
    const taken = text.slice(0, Math.max(0, Math.min(VIEW_PARAMETER_LENGTH, this.#left)))
    this.#left -= taken.length
    return taken
  }
}
