// Comma-separated values, RFC 4180: a reader that takes text in chunks and holds one record at a time, and a writer whose
// cells no spreadsheet takes for a formula.

/** Characters of one record. A quote that is never closed ends here and not at the end of memory. */
export const RECORD_LENGTH = 8_192
/** Fields of one record. */
export const FIELDS = 64

export class CsvError extends Error {
  override readonly name = 'CsvError'
}

export interface CsvRecord {
  /** Line on which it starts, from 1. */
  readonly line: number
  readonly fields: readonly string[]
}

export class CsvReader {
  #fields: string[] = []
  #field = ''
  #length = 0
  #state: 'start' | 'plain' | 'quoted' | 'closed' | 'cr' = 'start'
  #line = 1
  #startLine = 1

  /** The records that end in this chunk. Throws a CsvError that names the line; the reader is of no use then. */
  push(text: string): CsvRecord[] {
    const records: CsvRecord[] = []
    for (const c of text) {
      if (this.#state === 'cr' && c !== '\n') throw this.#error('a carriage return without a line feed')
      if (++this.#length > RECORD_LENGTH) throw this.#error(`a record of more than ${RECORD_LENGTH} characters`)
      if (this.#state === 'quoted') {
        if (c === '"') this.#state = 'closed'
        else this.#field += c
        if (c === '\n') this.#line++
      } else if (c === '\n') {
        this.#line++
        const record = this.#end()
        if (record !== undefined) records.push(record)
      } else if (c === '\r') this.#state = 'cr'
      else this.#character(c)
    }
    return records
  }

  /** The last record, if the text did not end with a line end. */
  finish(): CsvRecord | undefined {
    if (this.#state === 'quoted') throw this.#error('a quote that is not closed')
    return this.#end()
  }

  #character(c: string): void {
    if (c === ',') {
      this.#next()
      this.#state = 'start'
    } else if (c === '"') {
      if (this.#state === 'plain') throw this.#error('a quote inside a field without quotes around it')
      // Twice inside quotes is one of them.
      if (this.#state === 'closed') this.#field += c
      this.#state = 'quoted'
    } else {
      if (this.#state === 'closed') throw this.#error('text after a closing quote')
      this.#field += c
      this.#state = 'plain'
    }
  }

  #next(): void {
    this.#fields.push(this.#field)
    this.#field = ''
    if (this.#fields.length >= FIELDS) throw this.#error(`more than ${FIELDS} fields`)
  }

  /** An empty line is no record. */
  #end(): CsvRecord | undefined {
    const empty = this.#fields.length === 0 && this.#field === ''
    const record = { line: this.#startLine, fields: [...this.#fields, this.#field] }
    this.#fields = []
    this.#field = ''
    this.#length = 0
    this.#state = 'start'
    this.#startLine = this.#line
    return empty ? undefined : record
  }

  #error(what: string): CsvError {
    return new CsvError(`line ${this.#startLine} has ${what}`)
  }
}

/** What spreadsheets run when a cell starts with it; and the apostrophe, which marks what we changed. */
const FORMULA = /^[=+\-@\t\r']/

/** One line with its line end. A cell that could be taken for a formula gets an apostrophe in front. */
export function csvLine(cells: readonly string[]): string {
  const written = cells.map(cell => {
    const safe = FORMULA.test(cell) ? `'${cell}` : cell
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
  })
  return `${written.join(',')}\r\n`
}

/** The cell before csvLine() made it safe. */
export function plainCell(cell: string): string {
  return cell.startsWith("'") && FORMULA.test(cell.slice(1)) ? cell.slice(1) : cell
}
