// What core's own commands work on, looked up when a command runs; and small helpers they share.
import {
  type Attempt,
  type Mailboxes,
  type MessageNotes,
  type QueueControl,
  type Storage,
  UsageError,
} from '@mox/plugin-sdk'
import { type Path, pathToString } from '@mox/plugin-sdk/mail'

export interface CommandDeps {
  readonly storage: Storage
  /** Undefined without a plugin for local mail. */
  readonly mailboxes: Mailboxes | undefined
  /** What plugins add to the story of a message. */
  readonly notes: readonly MessageNotes[]
  readonly queue: QueueControl
  now(): number
}

/** "2026-03-01T08:05:09Z"; '' for undefined. */
export function formatTime(ms: number | undefined): string {
  return ms === undefined ? '' : new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z')
}

/** "<>" for the null reverse-path. */
export const formatReverse = (path: Path | null): string => (path === null ? '<>' : pathToString(path))

/** "250 2.0.0 ok": what the last attempt said; '' before the first. */
export function lastReply(results: readonly Attempt[]): string {
  const last = results.at(-1)
  return last === undefined ? '' : formatAttemptReply(last)
}

export function formatAttemptReply(attempt: Attempt): string {
  const code = attempt.code === 0 ? '' : String(attempt.code)
  return [code, attempt.enhanced, attempt.text.replaceAll('\n', ' ')].filter(part => part !== '').join(' ')
}

/** An id from the command line. */
export function parseId(text: string, what: string): number {
  const id = /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined
  if (id === undefined) throw new UsageError(`${JSON.stringify(text)} is no ${what}; it is a number such as 12`)
  return id
}
