// Uploads a file of messages; the answer is a stream of lines of JSON that say how far it is.
import { errorOf, send } from '../lib/api.ts'

export interface ImportProgress {
  readonly messages: number
  /** Were there already. */
  readonly skipped: number
  readonly done: boolean
}

/** Characters that a line of the answer may have. */
const LINE = 10_000

export async function importFile(
  file: File,
  mailbox: string,
  signal: AbortSignal,
  progress: (now: ImportProgress) => void,
): Promise<void> {
  const query = new URLSearchParams({ mailbox, name: file.name })
  const response = await send(`import?${query}`, { method: 'POST', body: file }, signal)
  if (!response.ok || response.body === null) throw await errorOf(response)
  let rest = ''
  let last: ImportProgress = { messages: 0, skipped: 0, done: false }
  for await (const piece of piecesOf(response.body.pipeThrough(new TextDecoderStream()))) {
    const lines = (rest + piece).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > LINE) throw new Error('the server answered something else')
    for (const line of lines) {
      last = readLine(line) ?? last
      progress(last)
    }
  }
  if (!last.done) throw new Error('the import ended early; start it again to go on, what is there is left out')
}

async function* piecesOf(stream: ReadableStream<string>): AsyncGenerator<string> {
  const reader = stream.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    yield value
  }
}

/** A line with an error is thrown. */
export function readLine(line: string): ImportProgress | undefined {
  if (line.trim() === '') return undefined
  const value = JSON.parse(line) as { messages?: unknown; skipped?: unknown; done?: unknown; error?: unknown }
  if (typeof value.error === 'string') throw new Error(value.error)
  const number = (n: unknown): number => (typeof n === 'number' ? n : 0)
  return { messages: number(value.messages), skipped: number(value.skipped), done: value.done === true }
}
