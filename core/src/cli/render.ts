// What a command returned, as text: aligned tables that fit the terminal, JSON, or the text itself. Nothing in it can
// control the terminal, bytes that are shown there included.
import { StringDecoder } from 'node:string_decoder'
import type { CommandResult } from '@mox/plugin-sdk'
import { escapeControl } from '../base/text.ts'

/** Columns that a table keeps for each column whatever the width of the terminal. */
const NARROWEST = 6

export interface RenderOptions {
  readonly json: boolean
  /** Undefined: as wide as it is. */
  readonly columns: number | undefined
}

export type Rendered = Exclude<CommandResult, { readonly kind: 'bytes' }>

export function render(result: Rendered, options: RenderOptions): string {
  if (result.kind === 'text') return withNewline(escapeControl(result.text, '\n\t'))
  if (result.kind === 'value') return `${toJson(result.value)}\n`
  if (options.json) return `${toJson(result.rows)}\n`
  if (result.rows.length === 0) return 'none\n'
  const onwards = result.next === undefined ? 'see --limit' : `see --limit, or go on with ${result.next}`
  const more = result.more === true ? `${result.rows.length} shown, there are more; ${onwards}\n` : ''
  return table(result.columns, result.rows, options.columns) + more
}

/** Bytes for a terminal: as UTF-8 text, line ends as lines. */
export async function* renderBytes(chunks: AsyncIterable<Buffer>): AsyncIterable<string> {
  const decoder = new StringDecoder('utf8')
  for await (const chunk of chunks) yield escapeControl(decoder.write(chunk).replaceAll('\r', ''), '\n\t')
  yield escapeControl(decoder.end())
}

/** JSON is read by programs, but also shown on terminals. */
function toJson(value: unknown): string {
  return escapeControl(JSON.stringify(value, undefined, 2) ?? 'null', '\n')
}

const withNewline = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`)

function table(
  columns: readonly string[],
  rows: readonly Readonly<Record<string, unknown>>[],
  available: number | undefined,
): string {
  const cells = rows.map(row => columns.map(name => cell(row[name])))
  const widths = columns.map((name, i) => Math.max(width(name), ...cells.map(row => width(row[i]!))))
  if (available !== undefined) shrink(widths, available - 2 * (columns.length - 1))
  const right = columns.map(name => rows.every(row => typeof row[name] === 'number'))
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, i) => pad(cut(text, widths[i]!), widths[i]!, right[i] === true))
      .join('  ')
      .trimEnd() + '\n'
  return line(columns) + cells.map(line).join('')
}

function cell(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (Array.isArray(value) && value.every(v => typeof v !== 'object')) return escapeControl(value.join(', '))
  return escapeControl(typeof value === 'object' ? JSON.stringify(value) : String(value))
}

/** Takes columns from the widest until the table fits, or all are narrow. */
function shrink(widths: number[], available: number): void {
  let excess = widths.reduce((sum, w) => sum + w, 0) - available
  while (excess > 0) {
    const widest = Math.max(...widths)
    if (widest <= NARROWEST) return
    const at = widths.indexOf(widest)
    const second = Math.max(NARROWEST, ...widths.filter((_, i) => i !== at && widths[i]! < widest))
    const step = Math.max(1, Math.min(excess, widest - second))
    widths[at] = widest - step
    excess -= step
  }
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u

/** Columns a character takes on a terminal. */
function columnsOf(character: string): number {
  if (/\p{M}|[\u200b-\u200d]/u.test(character)) return 0
  return WIDE.test(character) ? 2 : 1
}

function width(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  let sum = 0
  for (const character of text) sum += columnsOf(character)
  return sum
}

function cut(text: string, limit: number): string {
  if (width(text) <= limit) return text
  let out = ''
  let used = 1
  for (const character of text) {
    used += columnsOf(character)
    if (used > limit) break
    out += character
  }
  return `${out}…`
}

function pad(text: string, to: number, right: boolean): string {
  const space = ' '.repeat(Math.max(0, to - width(text)))
  return right ? space + text : text + space
}
