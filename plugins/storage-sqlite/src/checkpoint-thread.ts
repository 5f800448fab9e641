// Runs in the checkpoint thread: moves pages of the log into the database on a connection of its own. Each message is one
// request; an error is an answer too.
import { parentPort, workerData } from 'node:worker_threads'
import { connect } from './driver.ts'

/** What a request is answered with. Frames are pages in the log. */
export interface Moved {
  readonly frames: number
  /** Of them, in the database by now. */
  readonly moved: number
}

export type CheckpointAnswer = Moved | { readonly error: string; readonly code: string }

const connection = connect('better-sqlite3', workerData as string, false)

async function move(): Promise<Moved> {
  const row = await (await connection).prepare('pragma wal_checkpoint(passive)').get([])
  return { frames: Number(row?.['log'] ?? 0), moved: Number(row?.['checkpointed'] ?? 0) }
}

parentPort?.on('message', async (request: 'move' | 'close') => {
  if (request === 'close') {
    await (await connection).close()
    parentPort?.close()
    return
  }
  const answer: CheckpointAnswer = await move().catch((error: unknown) => ({
    error: error instanceof Error ? error.message : String(error),
    code: String((error as { code?: unknown }).code ?? ''),
  }))
  parentPort?.postMessage(answer)
})
