// Runs the load generator in a process of its own. Rejects with its error, or when it ends without an answer.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { HttpJob, IdleJob, LoadJob, LoadResult } from './jobs.ts'

const LOAD = fileURLToPath(new URL('./load.ts', import.meta.url))

/** Sends messages; the generator is gone when this resolves. */
export async function load(job: LoadJob | HttpJob): Promise<LoadResult> {
  const child = start()
  try {
    return await answer(child, job)
  } finally {
    child.kill('SIGKILL')
  }
}

/** Opens idle sessions and keeps them while `work` runs. */
export async function withIdleSessions<T>(job: IdleJob, work: () => Promise<T>): Promise<T> {
  const child = start()
  try {
    await answer(child, job)
    return await work()
  } finally {
    child.kill('SIGKILL')
  }
}

function start(): ChildProcess {
  return fork(LOAD, { execArgv: ['--conditions=mox-source'], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
}

async function answer(child: ChildProcess, job: LoadJob | HttpJob | IdleJob): Promise<LoadResult> {
  child.send(job)
  return await new Promise((resolve, reject) => {
    child.once('message', message => {
      const { result, error } = message as { result?: LoadResult; error?: string }
      if (result === undefined) reject(new Error(error ?? 'no result'))
      else resolve(result)
    })
    child.once('exit', code => reject(new Error(`the load generator ended with ${code}`)))
  })
}
