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
  /** A file of unknown size. For tar, which has sizes first, the content is read twice. */
  stream(path: string, modified: number, content: () => AsyncIterable<Buffer>): Promise<void>
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
  const folder = (name: string, modified: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const head = { name, size: 0, type: 'directory', mode: FOLDER_MODE, mtime: new Date(modified) } as const
      tar.entry(head, err => (err ? reject(err) : resolve()))
    })
  const file = (
    name: string,
    modified: number,
    size: number,
    chunks: readonly Buffer[] | AsyncIterable<Buffer>,
  ): Promise<void> =>
    new Promise((resolve, reject) => {
      const head = { name, size, type: 'file', mode: FILE_MODE, mtime: new Date(modified) } as const
      const stream = tar.entry(head, err => (err ? reject(err) : resolve()))
      pipeline(Readable.from(chunks), stream, err => {
        if (err) reject(err)
      })
    })
  return {
    output: output as AsyncIterable<Buffer>,
    folder,
    file: (path, modified, chunks) => {
      const some = chunks.filter(chunk => chunk.length > 0)
      return file(
        path,
        modified,
        some.reduce((sum, chunk) => sum + chunk.length, 0),
        some,
      )
    },
    stream: async (path, modified, content) => {
      let size = 0
      for await (const chunk of content()) size += chunk.length
      await file(path, modified, size, content())
    },
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
    stream: (path, modified, content) => zip.stream(path, modified, content()),
    finish: () => zip.finish(),
    fail: error => void zip.output.destroy(asError(error)),
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
