// A log that keeps its lines, so that a test can ask what was said.
import type { Log } from '../services/base.ts'

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error'

export interface LogLine {
  readonly level: LogLevel
  readonly text: string
  /** With the fields of the loggers above. */
  readonly fields: Readonly<Record<string, unknown>>
}

export interface CollectingLog extends Log {
  readonly lines: readonly LogLine[]
  /** "warn handler failed", one for each line of at least this level (default "trace"). */
  texts(least?: LogLevel): string[]
  clear(): void
}

const LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error']

export function collectingLog(): CollectingLog {
  const lines: LogLine[] = []
  const make = (above: object): Log => {
    const at =
      (level: LogLevel) =>
      (fields: object, text: string): void => {
        lines.push({ level, text, fields: { ...above, ...fields } })
      }
    return {
      trace: at('trace'),
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: fields => make({ ...above, ...fields }),
    }
  }
  return {
    ...make({}),
    lines,
    texts: (least = 'trace') =>
      lines
        .filter(({ level }) => LEVELS.indexOf(level) >= LEVELS.indexOf(least))
        .map(({ level, text }) => `${level} ${text}`),
    clear: () => {
      lines.length = 0
    },
  }
}
