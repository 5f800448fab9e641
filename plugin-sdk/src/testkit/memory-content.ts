// Content of memoryStorage: deduplicated by hash and reference counted like a real backend's. A writer's hash is checked,
// so that a caller that hashes something else than it writes is found out.
import { hash as digest } from 'node:crypto'
import type { ContentStore, StagedContent } from '../services/content.ts'
import type { MemoryAccess } from './memory-storage.ts'

const CHUNK = 64 * 1024

export function memoryContent(access: MemoryAccess): ContentStore {
  const staged = new WeakMap<StagedContent, Buffer>()

  const row = (id: number) => {
    const found = access.read('content').get(id)
    if (found === undefined) throw new Error(`no content ${id}`)
    return found
  }
  const addReferences = (id: number, count: number) => {
    const { hash, bytes, references } = row(id)
    if (references + count < 0) throw new Error(`content ${id} has no reference to release`)
    access.change('content').set(id, { hash, bytes, references: references + count })
  }
  async function* chunks(bytes: Buffer): AsyncIterable<Buffer> {
    for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK)
  }
  const stagedBytes = (content: StagedContent): Buffer => {
    const bytes = staged.get(content)
    if (bytes === undefined) throw new Error('content is not staged')
    return bytes
  }

  return {
    inlineLimit: 256 * 1024,
    writer: () => {
      let parts: Buffer[] = []
      let finished: StagedContent | undefined
      return {
        write: async chunk => {
          access.reach('content.write')
          parts.push(Buffer.from(chunk))
        },
        finish: async hash => {
          access.reach('content.finish')
          const bytes = Buffer.concat(parts)
          if (!digest('sha256', bytes, 'buffer').equals(hash)) throw new Error('content has another hash')
          finished = { hash, size: bytes.length }
          staged.set(finished, bytes)
          return finished
        },
        abort: async () => {
          parts = []
          if (finished !== undefined) staged.delete(finished)
        },
      }
    },
    openStaged: content => chunks(stagedBytes(content)),
    keep: async content => {
      access.reach('content.keep')
      const hash = content.hash.toString('hex')
      for (const [id, known] of access.read('content')) {
        if (known.hash !== hash) continue
        addReferences(id, 1)
        return id
      }
      const id = access.nextId()
      access.change('content').set(id, { hash, bytes: stagedBytes(content), references: 1 })
      return id
    },
    retain: async (id, count = 1) => {
      access.reach('content.retain')
      addReferences(id, count)
    },
    release: async id => addReferences(id, -1),
    open: (id, range) => chunks(row(id).bytes.subarray(range?.start, range?.end)),
    read: async (id, limit) => Buffer.from(row(id).bytes.subarray(0, limit)),
    size: async id => row(id).bytes.length,
    collect: async () => {
      access.reach('content.collect')
      const table = access.change('content')
      const unused = [...table].filter(([, { references }]) => references === 0)
      for (const [id] of unused) table.delete(id)
      return unused.length
    },
  }
}
