// Runs the load generator, and what measures a large queue, in processes of their own. Rejects with their error, or when
// they end without an answer.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { removeDir, tempDir } from '../kit/temp.ts'
import type { HttpJob, IdleJob, LoadJob, LoadResult, QueueFigures, TableFigures, TableJob } from './jobs.ts'

const LOAD = fileURLToPath(new URL('./load.ts', import.meta.url))
const QUEUE = fileURLToPath(new URL('./queue.ts', import.meta.url))
const HISTORY = fileURLToPath(new URL('./history.ts', import.meta.url))

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

/** Seconds of the filling. */
export interface Filled {
  readonly seconds: number
}

/** Fills a queue with so many recipients and measures it. */
export async function largeQueue(recipients: number): Promise<QueueFigures & Filled> {
  return await largeTable<QueueFigures>(QUEUE, recipients)
}

/** The same with a history. */
export async function largeHistory(recipients: number): Promise<TableFigures & Filled> {
  return await largeTable<TableFigures>(HISTORY, recipients)
}

async function largeTable<F extends TableFigures>(file: string, recipients: number): Promise<F & Filled> {
  const dir = await tempDir()
  const run = async (step: TableJob['step']): Promise<F> => {
    const child = start(file)
    try {
      const job: TableJob = { step, dir, recipients }
      return await answer<F>(child, job)
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
