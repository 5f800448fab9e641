// Standard output and input of this process.
import { createInterface } from 'node:readline'
import { UsageError } from '@mox/plugin-sdk'
import type { Terminal } from './types.ts'

/** Characters of a secret that is typed or piped in. */
export const SECRET_LIMIT = 4096

export function processTerminal(): Terminal {
  // Whoever reads our output may have enough of it: `mox queue dump 5 | head`.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
  return {
    stdout: text => void process.stdout.write(text),
    bytes: chunk =>
      new Promise((resolve, reject) => {
        process.stdout.write(chunk, error => (error ? reject(error) : resolve()))
      }),
    stderr: text => void process.stderr.write(text),
    columns: process.stdout.isTTY ? process.stdout.columns : undefined,
    secret: async prompt => (process.stdin.isTTY ? await typed(prompt) : await nextLine(prompt)),
  }
}

let lines: AsyncIterator<string> | undefined

async function nextLine(prompt: string): Promise<string> {
  lines ??= createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]()
  const { value, done } = await lines.next()
  if (done === true || value === '') throw new UsageError(`${prompt} is missing: write it to standard input`)
  return checked(value, prompt)
}

function checked(value: string, prompt: string): string {
  if (value.length > SECRET_LIMIT) throw new UsageError(`${prompt} has more than ${SECRET_LIMIT} characters`)
  return value
}

/** Reads keys one by one, so that the terminal shows none of them. */
async function typed(prompt: string): Promise<string> {
  const { stdin, stderr } = process
  stderr.write(`${prompt}: `)
  stdin.setRawMode(true)
  stdin.setEncoding('utf8')
  try {
    let text = ''
    for await (const chunk of stdin.iterator({ destroyOnReturn: false }) as AsyncIterable<string>)
      for (const key of chunk) {
        if (key === '\r' || key === '\n' || key === '\u0004') {
          if (text === '') throw new UsageError(`${prompt} is empty; nothing was changed`)
          return checked(text, prompt)
        }
        if (key === '\u0003') throw new UsageError('interrupted; nothing was changed')
        text = key === '\u007f' || key === '\b' ? [...text].slice(0, -1).join('') : text + key
      }
    throw new UsageError(`${prompt} is missing`)
  } finally {
    stdin.setRawMode(false)
    stdin.pause()
    stderr.write('\n')
  }
}
