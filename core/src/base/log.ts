// Logs: pino, written to stderr as logfmt (`l=info m="text" pkg=smtp-in key=value`) or as JSON, one line per event. Warnings
// and errors are written before the call returns, other lines together a few turns of the event loop later and at exit. No
// value can forge a line: control characters are escaped, long values cut.
import type { Log } from '@mox/plugin-sdk'
import pino from 'pino'
import { escapeControl, shorten } from './text.ts'

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error'
export type LogFormat = 'logfmt' | 'json'

export interface LogOptions {
  readonly level: LogLevel
  readonly format: LogFormat
  /** Gets each line with its line end; default: standard error. */
  readonly write?: (line: string) => void
  /** Told the level of each line that is written, for the metrics. */
  readonly count?: (level: string) => void
}

/** Characters of one value in a logfmt line. */
export const VALUE_LIMIT = 4096

export function createLog(options: LogOptions): Log {
  const write = options.write ?? standardError()
  const { count } = options
  return pino(
    {
      level: options.level,
      base: null,
      messageKey: 'm',
      timestamp: options.format === 'json' ? pino.stdTimeFunctions.isoTime : false,
      formatters: { level: label => ({ l: label }) },
      serializers: { err: describeError, error: describeError },
      ...(count === undefined
        ? {}
        : {
            hooks: {
              logMethod(args, method, level) {
                count(pino.levels.labels[level] ?? 'info')
                method.apply(this, args)
              },
            },
          }),
    },
    { write: line => write(options.format === 'json' ? safeJson(line) : logfmt(line)) },
  )
}

/** Turns of the event loop in which lines are collected: a turn without work takes some microseconds. */
const COLLECT_TURNS = 8
/** Characters that are not collected any further. */
const COLLECT_LENGTH = 65_536

let shared: ((line: string) => void) | undefined

/** One writer for the process, however many logs there are. */
function standardError(): (line: string) => void {
  shared ??= makeStandardError()
  return shared
}

function makeStandardError(): (line: string) => void {
  const destination = pino.destination({ dest: 2, sync: true })
  let waiting = ''
  let turns = 0
  const flush = (): void => {
    const lines = waiting
    waiting = ''
    if (lines !== '') destination.write(lines)
  }
  const turn = (): void => {
    if (--turns > 0) setImmediate(turn)
    else flush()
  }
  process.on('exit', flush)
  return line => {
    waiting += line
    if (URGENT.test(line) || waiting.length > COLLECT_LENGTH) flush()
    else if (turns === 0) {
      turns = COLLECT_TURNS
      setImmediate(turn)
    }
  }
}

/** Levels that must be there even if the process dies at once. */
const URGENT = /^(?:\{"l":"|l=)(?:warn|error|fatal)/

/** The message with its causes; the stack as well unless the error is one that people are meant to read. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const expected = error.name === 'UsageError' || error.name === 'MailError'
  const stack = expected ? undefined : error.stack
  return { message: messageOf(error), ...(stack === undefined ? {} : { stack }) }
}

/** "outer: inner: innermost", at most five deep. */
export function messageOf(error: unknown): string {
  const parts: string[] = []
  let at: unknown = error
  for (let depth = 0; depth < 5 && at instanceof Error; depth++) {
    const code = (at as NodeJS.ErrnoException).code
    parts.push(code !== undefined && !at.message.includes(String(code)) ? `${at.message} (${code})` : at.message)
    at = at.cause
  }
  return parts.length === 0 ? String(error) : parts.join(': ')
}

/** Inside strings of JSON text these may stand as escapes; pino leaves them as they are. */
function safeJson(line: string): string {
  return escapeControl(line, '\n')
}

function logfmt(line: string): string {
  let out = ''
  for (const [key, value] of ordered(JSON.parse(line) as Record<string, unknown>)) {
    if (key === 'err' || key === 'error') out += errorFields(key, value)
    else out += ` ${fieldName(key)}=${formatValue(value)}`
  }
  return `${out.slice(1)}\n`
}

/** Level and text first, the other fields in the order they were given. */
function ordered(fields: Record<string, unknown>): [string, unknown][] {
  const { l, m, ...rest } = fields
  return [['l', l], ...(m === undefined ? [] : [['m', m] as [string, unknown]]), ...Object.entries(rest)]
}

function errorFields(key: string, value: unknown): string {
  const { message, stack } = (value ?? {}) as { message?: unknown; stack?: unknown }
  if (typeof message !== 'string') return ` ${key}=${formatValue(value)}`
  return ` ${key}=${formatValue(message)}${typeof stack === 'string' ? ` stack=${formatValue(stack)}` : ''}`
}

const fieldName = (key: string): string => key.replace(/[^\w.-]/g, '_') || '_'

/** A bare word where it can be, else in double quotes with `"`, `\` and control characters escaped. */
export function formatValue(value: unknown): string {
  const text = shorten(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''), VALUE_LIMIT)
  if (typeof value !== 'object' && /^[\w@:./,+[\]<>;*?!%&#$^~()|'-]+$/.test(text)) return text
  return `"${escapeControl(text.replace(/["\\]/g, '\\$&'))}"`
}
