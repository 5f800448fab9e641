// Reads a zip archive for tests, with another reader than the writer's own.
import { buffer } from 'node:stream/consumers'
import { type Entry, fromBuffer, type ZipFile } from 'yauzl'

export interface ZippedFile {
  readonly name: string
  readonly stored: boolean
  readonly bytes: Buffer
}

export async function readZip(archive: Buffer): Promise<ZippedFile[]> {
  const zip = await new Promise<ZipFile>((resolve, reject) =>
    fromBuffer(archive, { lazyEntries: true }, (error, file) => (error ? reject(error) : resolve(file))),
  )
  const files: ZippedFile[] = []
  for (;;) {
    const entry = await new Promise<Entry | undefined>((resolve, reject) => {
      zip.once('entry', resolve)
      zip.once('end', () => resolve(undefined))
      zip.once('error', reject)
      zip.readEntry()
    })
    zip.removeAllListeners()
    if (entry === undefined) return files
    const bytes = await new Promise<Buffer>((resolve, reject) =>
      zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(buffer(stream)))),
    )
    files.push({ name: entry.fileName, stored: entry.compressionMethod === 0, bytes })
  }
}
