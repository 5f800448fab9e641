// mbox files: "From " lines between messages, ">From " inside of them (RFC 4155, mboxrd). Read as they come, line by line, a
// message at a time; nothing throws. Messages that are too large are passed by and told.

/** Bytes of a message in an import. */
export const IMPORT_MESSAGE_BYTES: number = 100 * 1024 * 1024

/** Lines end as in the file. */
export interface MboxMessage {
  /** Undefined when it has more than IMPORT_MESSAGE_BYTES. */
  readonly chunks: readonly Buffer[] | undefined
  /** Of the "From " line, milliseconds since the epoch. */
  readonly receivedAt: number | undefined
}

const FROM = Buffer.from('From ')
const QUOTED = /^>+From /
/** Bytes gathered from lines before they become one chunk. */
const CHUNK_BYTES = 65_536

export async function* readMbox(source: AsyncIterable<Buffer>): AsyncGenerator<MboxMessage> {
  let rest: Buffer[] = []
  let restBytes = 0
  let message: Gatherer | undefined
  let blank = true
  function* take(line: Buffer): Generator<MboxMessage> {
    if (blank && line.subarray(0, 5).equals(FROM)) {
      if (message !== undefined) yield message.end()
      message = new Gatherer(fromTime(line.toString('latin1', 0, Math.min(line.length, 300))))
      blank = false
      return
    }
    blank = line.length <= 2 && (line[0] === 0x0a || (line[0] === 0x0d && line[1] === 0x0a))
    message?.line(line)
  }
  for await (const chunk of source) {
    let at = 0
    for (let lf = chunk.indexOf(0x0a); lf >= 0; lf = chunk.indexOf(0x0a, at)) {
      const line = chunk.subarray(at, lf + 1)
      yield* take(restBytes === 0 ? line : Buffer.concat([...rest, line]))
      rest = []
      restBytes = 0
      at = lf + 1
    }
    if (at < chunk.length && restBytes <= IMPORT_MESSAGE_BYTES) {
      rest.push(chunk.subarray(at))
      restBytes += chunk.length - at
    }
  }
  if (restBytes > 0) yield* take(Buffer.concat(rest))
  if (message !== undefined) yield message.end()
}

class Gatherer {
  readonly #receivedAt: number | undefined
  #chunks: Buffer[] = []
  #lines: Buffer[] = []
  #pending = 0
  #bytes = 0
  /** The empty line before the next "From " belongs to neither. */
  #held: Buffer | undefined

  constructor(receivedAt: number | undefined) {
    this.#receivedAt = receivedAt
  }

  line(line: Buffer): void {
    if (this.#held !== undefined) this.#add(this.#held)
    this.#held = undefined
    if (line.length <= 2 && (line[0] === 0x0a || line[1] === 0x0a)) this.#held = line
    else this.#add(line[0] === 0x3e && QUOTED.test(line.toString('latin1', 0, 1_000)) ? line.subarray(1) : line)
  }

  end(): MboxMessage {
    // A message without a body still has the empty line that ends its header.
    if (this.#held !== undefined && !this.#hasBody) this.#add(this.#held)
    this.#flush()
    const chunks = this.#bytes > IMPORT_MESSAGE_BYTES ? undefined : this.#chunks
    return { chunks, receivedAt: this.#receivedAt }
  }

  #hasBody = false

  #add(line: Buffer): void {
    if (line.length <= 2 && (line[0] === 0x0a || line[1] === 0x0a)) this.#hasBody = true
    this.#bytes += line.length
    if (this.#bytes > IMPORT_MESSAGE_BYTES) {
      this.#chunks = []
      this.#lines = []
      return
    }
    this.#lines.push(line)
    this.#pending += line.length
    if (this.#pending >= CHUNK_BYTES) this.#flush()
  }

  #flush(): void {
    if (this.#lines.length > 0) this.#chunks.push(Buffer.concat(this.#lines))
    this.#lines = []
    this.#pending = 0
  }
}

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec'

/** "From a@b.test Thu Jan  1 10:00:00 2026", with or without a zone, in UTC (RFC 4155, Appendix A). */
export function fromTime(line: string): number | undefined {
  const found =
    /\s[A-Z][a-z]{2}\s+([A-Z][a-z]{2})\s+(\d{1,2})\s+(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\s+[A-Z]{1,5})?(?:\s+([+-]\d{4}))?\s+(\d{4})(?:\s+([+-]\d{4}))?\s*$/.exec(
      line,
    )
  if (found === null) return undefined
  const [, month = '', day, hour, minute, second = '0', before, year, after] = found
  const index = MONTHS.indexOf(month)
  if (index < 0 || index % 3 !== 0) return undefined
  const zone = before ?? after ?? '+0000'
  const minutes = (zone.startsWith('-') ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3)))
  const time = Date.UTC(Number(year), index / 3, Number(day), Number(hour), Number(minute), Number(second))
  return time - minutes * 60_000
}

/** "Thu Jan  1 10:00:00 2026" in UTC. */
export function formatFromTime(time: number): string {
  const [day, date = '', month, year, clock] = new Date(time).toUTCString().replace(',', '').split(' ')
  return `${day} ${month} ${String(Number(date)).padStart(2, ' ')} ${clock} ${year}`
}

/** Lines with LF, "From " at the start of one quoted. For one chunk that ends with a line end, or is the last one. */
export function mboxLines(chunk: Buffer): Buffer {
  const text = chunk.toString('latin1').replace(/\r\n/g, '\n')
  return Buffer.from(text.replace(/^(>*From )/gm, '>$1'), 'latin1')
}
