// Says where a config file, or a file it imports, is wrong: file, line, the line itself, and the fix where it is known.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { escapeControl, shorten } from '../base/text.ts'

interface Place {
  readonly file: string
  readonly line: number
}

export async function explainImportError(error: unknown, path: string): Promise<string> {
  if (!(error instanceof Error)) return `${path}: threw ${String(error)}`
  const code = (error as NodeJS.ErrnoException).code
  const place =
    code === 'ERR_MODULE_NOT_FOUND' || code === 'ERR_PACKAGE_PATH_NOT_EXPORTED'
      ? await importPlace(error.message, path)
      : (stackPlace(error.stack ?? '', path) ?? (error.name === 'SyntaxError' ? await checkedPlace(path) : undefined))
  const source = place === undefined ? undefined : await sourceLine(place)
  const where = place === undefined ? path : `${place.file}:${place.line}`
  return [`${where}: ${firstLine(error)}`, ...(source === undefined ? [] : [`    ${source}`]), ...fixes(error)].join(
    '\n',
  )
}

function firstLine(error: Error): string {
  const text = error.message.split('\n', 1)[0] ?? ''
  const plain = error.name === 'UsageError' || (error as NodeJS.ErrnoException).code !== undefined
  return escapeControl(plain ? text : `${error.name}: ${text}`)
}

function fixes(error: Error): string[] {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX')
    return ['  Node runs TypeScript by removing the types; write this without enum, namespace and parameter properties']
  const name = /Cannot find package '([^']+)'/.exec(error.message)?.[1]
  if (code === 'ERR_MODULE_NOT_FOUND' && name !== undefined) return [`  install it: npm install ${name}`]
  return []
}

/**
 * "file.ts:6" at the start of a line of its own, as for syntax errors, or the first frame in a file that is no module
 * of Node.
 */
function stackPlace(stack: string, path: string): Place | undefined {
  const own = /^((?:file:\/\/|\/|[A-Za-z]:\\)[^\n]*?):(\d+)$/m.exec(stack)
  const frames = [...stack.matchAll(/^ +at (?:.*\()?((?:file:\/\/|\/|[A-Za-z]:\\)[^()\n]*?):(\d+):\d+\)?$/gm)]
  const found = own ?? frames.find(frame => filePath(frame[1] ?? '') === path) ?? frames[0]
  if (found === undefined || found === null) return undefined
  const file = filePath(found[1] ?? '')
  return file === undefined ? undefined : { file, line: Number(found[2]) }
}

function filePath(text: string): string | undefined {
  if (!text.startsWith('file://')) return isAbsolute(text) ? text.replace(/\?.*$/, '') : undefined
  const url = URL.parse(text)
  return url === null ? undefined : fileURLToPath(url)
}

/** The line of the import that found nothing. */
async function importPlace(message: string, path: string): Promise<Place | undefined> {
  const file = filePath(/ imported from (\S.*)$/m.exec(message)?.[1] ?? path) ?? path
  const wanted = /(?:package|module) '([^']+)'/.exec(message)?.[1] ?? /subpath '\.?([^']+)'/.exec(message)?.[1]
  const needle = isAbsolute(wanted ?? '') ? (wanted?.split(/[\\/]/).at(-1) ?? '') : wanted
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n')
  const line =
    needle === undefined ? -1 : lines.findIndex(text => /\b(?:import|from)\b/.test(text) && text.includes(needle))
  return line < 0 ? undefined : { file, line: line + 1 }
}

/** Syntax errors in JavaScript come without a place; Node's own checker prints one. */
async function checkedPlace(path: string): Promise<Place | undefined> {
  const failed: unknown = await promisify(execFile)(process.execPath, ['--check', path], { timeout: 10_000 }).catch(
    e => e,
  )
  return stackPlace(String((failed as { stderr?: unknown }).stderr ?? ''), path)
}

async function sourceLine(place: Place): Promise<string | undefined> {
  const lines = (await readFile(place.file, 'utf8').catch(() => '')).split('\n')
  const text = lines[place.line - 1]?.trim()
  return text === undefined || text === '' ? undefined : shorten(escapeControl(text), 160)
}
