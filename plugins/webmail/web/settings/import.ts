// Uploads a file of messages. The answer is a stream of lines of JSON that say how far it is: how many messages a mailbox got,
// what was left out, and the end.
import { errorOf, send } from '../lib/api.ts'

export interface ImportProgress {
  /** Messages added so far, by mailbox. */
  readonly counts: ReadonlyMap<string, number>
  /** What was left out or is not as it should be; the first ones. */
  readonly problems: readonly string[]
  readonly result: { readonly added: number; readonly duplicates: number; readonly skipped: number } | undefined
}

export const NOTHING_YET: ImportProgress = { counts: new Map(), problems: [], result: undefined }

/** Characters that a line of the answer may have. */
const LINE = 100_000
/** Problems that are shown. */
const PROBLEMS = 20

export async function importFile(
  file: File,
  mailboxId: number,
  signal: AbortSignal,
  progress: (now: ImportProgress) => void,
): Promise<void> {
  const response = await send(`import?mailbox=${mailboxId}`, { method: 'POST', body: file }, signal)
  if (!response.ok || response.body === null) throw await errorOf(response)
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let now = NOTHING_YET
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    const lines = (rest + value).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > LINE) throw new Error('the server answered something else')
    for (const line of lines) now = withLine(now, line)
    progress(now)
  }
  if (now.result === undefined) throw new Error('the import ended early; start it again, what is there is left out')
}

/** What a line adds to what is known. A line that says that it failed is thrown. */
export function withLine(now: ImportProgress, line: string): ImportProgress {
  if (line.trim() === '') return now
  const event = JSON.parse(line) as Readonly<Record<string, unknown>>
  const number = (name: string): number => (typeof event[name] === 'number' ? event[name] : 0)
  const text = typeof event['text'] === 'string' ? event['text'] : ''
  switch (event['kind']) {
    case 'count':
      return { ...now, counts: new Map([...now.counts, [String(event['mailbox']), number('messages')]]) }
    case 'problem':
      return now.problems.length >= PROBLEMS ? now : { ...now, problems: [...now.problems, text] }
    case 'done':
      return {
        ...now,
        result: { added: number('added'), duplicates: number('duplicates'), skipped: number('skipped') },
      }
    case 'failed':
      throw new Error(text)
    default:
      return now
  }
}

/** In words. */
export function progressText({ counts, result }: ImportProgress): string {
  const so = [...counts.values()].reduce((sum, n) => sum + n, 0)
  if (result === undefined) return `${so.toLocaleString()} messages added…`
  const parts = [
    `${result.added.toLocaleString()} messages added`,
    result.duplicates > 0 ? `${result.duplicates.toLocaleString()} were there already` : [],
    result.skipped > 0 ? `${result.skipped.toLocaleString()} left out` : [],
  ]
  return `Done: ${parts.flat().join(', ')}`
}
