// Takes from a message what lists and search need. Small messages at once; large ones in a process of its own with limits of
// time and memory, so that none keeps the event loop or ends the program. A message that it fails on is known by its beginning.
import type { Clock, Log } from '@mox/plugin-sdk'
import { Confined } from '@mox/plugin-sdk/io'
import { type MessageDigest, messageDigest } from '@mox/plugin-sdk/mail'

/** Larger messages go to the process. */
export const INLINE_OCTETS: number = 32 * 1024
export const DIGEST_MS = 5_000
const DIGEST_MIB = 256
const MODULE = new URL(import.meta.url.endsWith('.ts') ? './digest-process.ts' : './digest-process.js', import.meta.url)

export class Digester {
  readonly #log: Log
  readonly #process: Confined<Uint8Array, MessageDigest>
  /** One message at a time. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(clock: Clock, log: Log) {
    this.#log = log
    this.#process = new Confined(MODULE, { ms: DIGEST_MS, mib: DIGEST_MIB }, clock)
  }

  /** Never rejects. */
  async digest(id: number, bytes: Buffer): Promise<MessageDigest> {
    if (bytes.length <= INLINE_OCTETS) return messageDigest(bytes)
    const result = this.#last.then(async () => {
      try {
        return await this.#process.ask(bytes)
      } catch (err) {
        this.#log.warn({ err, id }, 'message could not be read for search, only its beginning is')
        return messageDigest(bytes.subarray(0, INLINE_OCTETS))
      }
    })
    this.#last = result
    return await result
  }

  close(): void {
    this.#process.close()
  }
}
