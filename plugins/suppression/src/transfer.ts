// The list as a CSV file: to look at, to edit, to bring along from another sender. Both ways are streams of bounded records. An
// import takes what it can, in units of work of bounded size, and says which lines it could not take and why.
import { createReadStream, createWriteStream } from 'node:fs'
import { stat, unlink } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { TextDecoder } from 'node:util'
import { type NewSuppression, type SuppressionCause, type SuppressionEntry, UsageError } from '@mox/plugin-sdk'
import { CsvError, CsvReader, type CsvRecord, csvLine, plainCell } from './csv.ts'
import type { SuppressionList } from './list.ts'

/** Bytes of a file to import. */
export const FILE_BYTES: number = 512 * 1024 * 1024
/** Records in one unit of work. */
export const BATCH = 200
/** Problems that are told; the others are counted. */
export const PROBLEMS = 20

export const CAUSES: readonly SuppressionCause[] = ['manual', 'import', 'bounce', 'dsn', 'complaint', 'unsubscribe']
const COLUMNS = ['account', 'stream', 'address', 'cause', 'reason', 'code', 'enhanced', 'created', 'expires'] as const

export interface TransferDeps {
  readonly list: SuppressionList
  readonly now: () => number
  /** One unit of work. */
  readonly write: <T>(work: () => Promise<T>) => Promise<T>
  /** Whether there is such an account. */
  readonly knowsAccount: (name: string) => Promise<boolean>
}

/** For records that do not say themselves. */
export interface ImportDefaults {
  /** '' for all accounts; undefined: each record must say. */
  readonly account: string | undefined
  readonly stream: string
  readonly expiresAt: number | undefined
}

export interface ImportResult {
  readonly added: number
  readonly known: number
  readonly refused: number
  /** The first PROBLEMS of them, with their lines. */
  readonly problems: readonly string[]
}

export async function importFile(deps: TransferDeps, path: string, defaults: ImportDefaults): Promise<ImportResult> {
  const result = { added: 0, known: 0, refused: 0, problems: [] as string[] }
  let columns: ReadonlyMap<string, number> | undefined
  const accounts = new Map<string, boolean>()
  const take = async (record: CsvRecord): Promise<void> => {
    const read = await readRecord(deps, record, columns ?? new Map(), defaults, accounts)
    if (typeof read === 'string') {
      if (result.refused++ < PROBLEMS) result.problems.push(`line ${record.line}: ${read}`)
    } else if ((await deps.list.add(read, 'import')) === undefined) result.known++
    else result.added++
  }
  try {
    for await (const records of batches(path)) {
      const body = columns === undefined ? records.slice(1) : records
      columns ??= header(records[0])
      await deps.write(async () => {
        for (const record of body) await take(record)
      })
    }
  } catch (error) {
    if (error instanceof CsvError)
      throw new UsageError(`${path}: ${error.message}; ${result.added} records before it were added`)
    throw error
  }
  if (columns === undefined) throw new UsageError(`${path} is empty; the first line must name the columns`)
  return result
}

async function* batches(path: string): AsyncGenerator<CsvRecord[]> {
  const size = await sizeOf(path)
  if (size > FILE_BYTES) throw new UsageError(`${path} has more than ${FILE_BYTES} bytes; split it`)
  const reader = new CsvReader()
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let waiting: CsvRecord[] = []
  for await (const chunk of createReadStream(path)) {
    waiting.push(...reader.push(decode(decoder, chunk as Buffer)))
    for (; waiting.length >= BATCH; waiting = waiting.slice(BATCH)) yield waiting.slice(0, BATCH)
  }
  waiting.push(...reader.push(decode(decoder, undefined)))
  const last = reader.finish()
  if (last !== undefined) waiting.push(last)
  if (waiting.length > 0) yield waiting
}

async function sizeOf(path: string): Promise<number> {
  try {
    const found = await stat(path)
    // A pipe or device might never end.
    if (!found.isFile()) throw new UsageError(`${path} is no file`)
    return found.size
  } catch (error) {
    throw fileError(path, 'read', error)
  }
}

/** `chunk` undefined: the end. */
function decode(decoder: TextDecoder, chunk: Buffer | undefined): string {
  try {
    return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true })
  } catch {
    throw new CsvError('the file is not UTF-8')
  }
}

function header(record: CsvRecord | undefined): ReadonlyMap<string, number> {
  const names = (record?.fields ?? []).map(name => name.trim().toLowerCase())
  const columns = new Map(names.map((name, index) => [name === 'email' ? 'address' : name, index]))
  if (!columns.has('address'))
    throw new CsvError(`line 1 must name the columns, one of them "address"; others are ${COLUMNS.join(', ')}`)
  return columns
}

async function readRecord(
  deps: TransferDeps,
  { fields }: CsvRecord,
  columns: ReadonlyMap<string, number>,
  defaults: ImportDefaults,
  accounts: Map<string, boolean>,
): Promise<NewSuppression | string> {
  const cell = (name: (typeof COLUMNS)[number]): string | undefined => {
    const index = columns.get(name)
    return index === undefined ? undefined : plainCell((fields[index] ?? '').trim())
  }
  const account = cell('account') ?? defaults.account
  if (account === undefined) return 'no column "account"; give --account NAME, or --account - for all accounts'
  if (account !== '') {
    if (!accounts.has(account)) accounts.set(account, await deps.knowsAccount(account))
    if (accounts.get(account) !== true) return `there is no account ${JSON.stringify(account.slice(0, 100))}`
  }
  const stream = cell('stream') ?? defaults.stream
  if (stream.length > 100) return 'the stream has more than 100 characters'
  const expires = cell('expires') ?? ''
  const expiresAt = expires === '' ? defaults.expiresAt : Date.parse(expires)
  if (Number.isNaN(expiresAt)) return 'the expiry is no time such as 2030-01-31T00:00:00Z'
  if (expiresAt !== undefined && expiresAt <= deps.now()) return 'it has expired'
  const code = Number(cell('code') ?? '')
  const enhanced = cell('enhanced') ?? ''
  const cause = CAUSES.find(known => known === cell('cause')) ?? 'import'
  const entry = { account, stream, address: cell('address') ?? '', cause, reason: cell('reason') ?? '' }
  try {
    deps.list.listed(entry.address)
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
  return {
    ...entry,
    ...(Number.isInteger(code) && code >= 400 && code <= 599 ? { code } : {}),
    ...(/^[45]\.\d{1,3}\.\d{1,3}$/.test(enhanced) ? { enhanced } : {}),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }
}

/** Makes a new file; returns how many entries it has. */
export async function exportFile(
  pages: (after: number) => Promise<readonly SuppressionEntry[]>,
  path: string,
): Promise<number> {
  let count = 0
  async function* lines(): AsyncGenerator<string> {
    yield csvLine(COLUMNS)
    for (let after = 0; ; ) {
      const entries = await pages(after)
      const last = entries.at(-1)
      if (last === undefined) return
      yield entries.map(exportLine).join('')
      count += entries.length
      after = last.id
    }
  }
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 })
  let opened = false
  file.once('open', () => {
    opened = true
  })
  try {
    await pipeline(Readable.from(lines()), file)
  } catch (error) {
    if (opened) await unlink(path)
    throw fileError(path, 'write', error)
  }
  return count
}

function exportLine(entry: SuppressionEntry): string {
  const time = (ms: number | undefined): string => (ms === undefined ? '' : new Date(ms).toISOString())
  const { account, stream, address, cause, reason, code, enhanced, createdAt, expiresAt } = entry
  const numbers = [code === undefined ? '' : String(code), enhanced ?? '']
  return csvLine([account, stream, address, cause, reason, ...numbers, time(createdAt), time(expiresAt)])
}

function fileError(path: string, doing: 'read' | 'write', error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException
  switch (code) {
    case 'ENOENT':
      return new UsageError(doing === 'read' ? `there is no file ${path}` : `there is no directory for ${path}`)
    case 'EEXIST':
      return new UsageError(`${path} is there already; name a file that is not`)
    case 'EACCES':
    case 'EPERM':
      return new UsageError(`the server may not ${doing} ${path}; use a directory of the user that runs it`)
    default:
      return error
  }
}
