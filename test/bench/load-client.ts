// Runs the load generator, and what measures a large queue, in processes of their own. Rejects with their error, or when
// they end without an answer.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { removeDir, tempDir } from '../kit/temp.ts'
import type {
  HttpJob,
  IdleJob,
  LoadJob,
  LoadResult,
  MailboxFigures,
  QueueFigures,
  TableFigures,
  WebmailFigures,
} from './jobs.ts'

const LOAD = fileURLToPath(new URL('./load.ts', import.meta.url))
const QUEUE = fileURLToPath(new URL('./queue.ts', import.meta.url))
const HISTORY = fileURLToPath(new URL('./history.ts', import.meta.url))
const MAILBOXES = fileURLToPath(new URL('./mailboxes.ts', import.meta.url))
const WEBMAIL = fileURLToPath(new URL('./webmail.ts', import.meta.url))

/** Sends messages; the generator is gone when this resolves. */
export async function load(job: LoadJob | HttpJob): Promise<LoadResult> {
  const child = start(LOAD)
  try {
    return await answer(child, job)
  } finally {
    child.kill('SIGKILL')
  }
}

/** Opens idle sessions and keeps them while `work` runs. */
export async function withIdleSessions<T>(job: IdleJob, work: () => Promise<T>): Promise<T> {
  const child = start(LOAD)
  try {
    await answer(child, job)
    return await work()
  } finally {
    child.kill('SIGKILL')
  }
}

/** Fills a queue with so many recipients and measures it; the seconds are those of the filling. */
export async function largeQueue(recipients: number): Promise<QueueFigures & { readonly seconds: number }> {
  return await filled<QueueFigures>(QUEUE, { recipients })
}

/** The same with a history. */
export async function largeHistory(recipients: number): Promise<TableFigures & { readonly seconds: number }> {
  return await filled<TableFigures>(HISTORY, { recipients })
}

/** Fills a mailbox with so many messages, and one that is searched, and measures their pages. */
export async function largeMailbox(messages: number): Promise<MailboxFigures & { readonly seconds: number }> {
  return await filled<MailboxFigures>(MAILBOXES, { messages })
}

/** An account of so many messages behind the webmail's streams. */
export async function webmail(messages: number): Promise<WebmailFigures & { readonly seconds: number }> {
  return await filled<WebmailFigures>(WEBMAIL, { messages })
}

async function filled<F extends object>(file: string, size: object): Promise<F & { readonly seconds: number }> {
  const dir = await tempDir()
  const run = async (step: 'fill' | 'measure'): Promise<F> => {
    const child = start(file)
    try {
      return await answer<F>(child, { step, dir, ...size })
    } finally {
      child.kill('SIGKILL')
    }
  }
  try {
    const started = performance.now()
    await run('fill')
    const seconds = (performance.now() - started) / 1000
    return { ...(await run('measure')), seconds }
  } finally {
    await removeDir(dir)
  }
}

function start(file: string): ChildProcess {
  return fork(file, { execArgv: ['--conditions=mox-source'], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
}

async function answer<R = LoadResult>(child: ChildProcess, job: object): Promise<R> {
  child.send(job)
  return await new Promise((resolve, reject) => {
    child.once('message', message => {
      const { result, error } = message as { result?: R; error?: string }
      if (result === undefined) reject(new Error(error ?? 'no result'))
      else resolve(result)
    })
    child.once('exit', code => reject(new Error(`the child process ended with ${code}`)))
  })
}
