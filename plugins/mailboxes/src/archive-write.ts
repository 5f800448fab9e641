// Tar, tgz and zip archives that are made while they are read: writing waits for the reader.
import { pipeline, Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import { ZipWriter } from '@mox/plugin-sdk/io'
import { pack } from 'tar-stream'

export interface ArchiveWriter {
  /** Ends after finish(); fails after fail(). */
  readonly output: AsyncIterable<Buffer>
  folder(path: string, modified: number): Promise<void>
  file(path: string, modified: number, chunks: readonly Buffer[]): Promise<void>
  /** A file of unknown size; only zip has those. */
  stream(path: string, modified: number, content: AsyncIterable<Buffer>): Promise<void>
  finish(): Promise<void>
  fail(error: unknown): void
}

const FILE_MODE = 0o600
const FOLDER_MODE = 0o700

export function archiveWriter(kind: 'tar' | 'tgz' | 'zip'): ArchiveWriter {
  return kind === 'zip' ? zipWriter() : tarWriter(kind === 'tgz')
}

function tarWriter(compressed: boolean): ArchiveWriter {
  const tar = pack()
  const output: unknown = compressed ? pipeline(tar, createGzip(), () => {}) : tar
  const entry = (name: string, modified: number, chunks: readonly Buffer[] | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      const size = chunks?.reduce((sum, chunk) => sum + chunk.length, 0) ?? 0
      const type = chunks === undefined ? 'directory' : 'file'
      const mode = chunks === undefined ? FOLDER_MODE : FILE_MODE
      const done = (err?: Error | null): void => (err ? reject(err) : resolve())
      const stream = tar.entry({ name, size, type, mode, mtime: new Date(modified) }, done)
      if (chunks === undefined) return
      pipeline(Readable.from(chunks.filter(chunk => chunk.length > 0)), stream, err => {
        if (err) reject(err)
      })
    })
  return {
    output: output as AsyncIterable<Buffer>,
    folder: (path, modified) => entry(path, modified, undefined),
    file: (path, modified, chunks) => entry(path, modified, chunks),
    stream: () => Promise.reject(new Error('a tar archive needs the size of a file first')),
    finish: async () => tar.finalize(),
    fail: error => void tar.destroy(asError(error)),
  }
}

function zipWriter(): ArchiveWriter {
  const zip = new ZipWriter()
  return {
    output: zip.output as AsyncIterable<Buffer>,
    folder: (path, modified) => zip.folder(path, modified),
    file: (path, modified, chunks) => zip.file(path, modified, chunks),
    stream: (path, modified, content) => zip.stream(path, modified, content),
    finish: () => zip.finish(),
    fail: error => void zip.output.destroy(asError(error)),
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
