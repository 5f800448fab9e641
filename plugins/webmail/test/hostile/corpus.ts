// Messages of our own making that try everything against who reads them, by class. Whatever runs calls alert(), whatever is
// loaded comes from a host below c.test: neither must ever happen.
import { ACTIVE } from './active.ts'
import { MARKUP } from './markup.ts'
import { STRUCTURE } from './structure.ts'
import { STYLES } from './styles.ts'

/** Name and HTML, or a whole message as bytes. */
export type Row = readonly [name: string, content: string | Buffer]

export interface HostileMessage {
  /** "script/plain" */
  readonly name: string
  readonly bytes: Buffer
}

export const CLASSES: Readonly<Record<string, readonly Row[]>> = { ...ACTIVE, ...STYLES, ...MARKUP, ...STRUCTURE }

export const CORPUS: readonly HostileMessage[] = Object.entries(CLASSES).flatMap(([name, rows]) =>
  rows.map(([row, content]) => ({ name: `${name}/${row}`, bytes: messageOf(content) })),
)

function messageOf(content: string | Buffer): Buffer {
  if (Buffer.isBuffer(content)) return content
  return Buffer.from(
    `From: m@c.test\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n${content}\r\n`,
  )
}
