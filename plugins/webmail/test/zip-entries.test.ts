// Zip archives as attachments: what is listed and taken out, of sound archives and of hostile ones.
import { deepStrictEqual, ok, strictEqual } from 'node:assert'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { deflateRawSync } from 'node:zlib'
import { ZipWriter } from '@mox/plugin-sdk/io'
import { test } from 'vitest'
import { calls } from '../src/api/calls.ts'
import { ZIP_ENTRIES, ZIP_ENTRY_BYTES, ZIP_NAME_LENGTH } from '../src/server/content/limits.ts'
import { listZip, readZipEntry } from '../src/server/content/read-zip.ts'

const DATE = Date.UTC(2026, 1, 3, 4, 5, 6)

async function zipOf(files: readonly (readonly [name: string, content: string | Buffer])[]): Promise<Buffer> {
  const zip = new ZipWriter()
  const written = buffer(zip.output)
  for (const [name, content] of files) await zip.stream(name, DATE, Readable.from([Buffer.from(content)]))
  await zip.finish()
  return await written
}

interface Made {
  readonly name: Buffer
  readonly content: Buffer
  readonly method?: number
  readonly flags?: number
  /** As the archive says. */
  readonly size?: number
  readonly extra?: Buffer
}

/** An archive of one file by hand, for what no writer makes. */
function made({ name, content, method = 0, flags = 0, size = content.length, extra = Buffer.alloc(0) }: Made): Buffer {
  const common = Buffer.alloc(26)
  common.writeUInt16LE(20, 0)
  common.writeUInt16LE(flags, 2)
  common.writeUInt16LE(method, 4)
  common.writeUInt32LE(content.length, 14)
  common.writeUInt32LE(size, 18)
  common.writeUInt16LE(name.length, 22)
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, name, content])
  const listed = Buffer.from(common)
  listed.writeUInt16LE(extra.length, 24)
  const central = Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), listed, Buffer.alloc(14), name, extra])
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06')
  end.writeUInt16LE(1, 8)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(local.length, 16)
  return Buffer.concat([local, central, end])
}

const names = async (archive: Buffer): Promise<string[] | undefined> =>
  (await listZip(archive))?.entries.map(entry => entry.name)

test('times and sizes that cannot be', async () => {
  const field = (id: number, data: Buffer): Buffer => {
    const head = Buffer.alloc(4)
    head.writeUInt16LE(id, 0)
    head.writeUInt16LE(data.length, 2)
    return Buffer.concat([head, data])
  }
  const unix = Buffer.alloc(5)
  unix[0] = 1
  unix.writeInt32LE(-86_400, 1)
  const ntfs = Buffer.alloc(32)
  ntfs.writeUInt16LE(1, 4)
  ntfs.writeUInt16LE(24, 6)
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(2n ** 63n)
  const file = { name: Buffer.from('a.txt'), content: Buffer.from('x'), method: 8 }
  for (const more of [
    { extra: field(0x5455, unix) },
    { extra: field(0x000a, ntfs) },
    { extra: field(1, size), size: 0xffff_ffff },
  ]) {
    const listed = await listZip(made({ ...file, ...more }))
    strictEqual(calls.zipEntries.result.safeParse(listed).success, true, JSON.stringify(listed))
    strictEqual(listed?.entries.length, 1)
  }
})

test('names, sizes, times; folders are left out', async () => {
  const archive = await zipOf([
    ['a/', ''],
    ['a/b.txt', 'text'],
    ['ü.png', Buffer.alloc(300)],
  ])
  deepStrictEqual(await listZip(archive), {
    entries: [
      { index: 1, name: 'a/b.txt', size: 4, modified: DATE, readable: true, encrypted: false },
      { index: 2, name: 'ü.png', size: 300, modified: DATE, readable: true, encrypted: false },
    ],
    more: false,
  })
  const entry = await readZipEntry(archive, 1)
  deepStrictEqual([entry?.name, Buffer.from(entry?.bytes ?? []).toString()], ['a/b.txt', 'text'])
  strictEqual(await readZipEntry(archive, 3), null)
})

test('what is no archive, or a damaged one', async () => {
  const archive = await zipOf([['a', 'text']])
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.from('PK'),
    Buffer.alloc(1_000, 1),
    archive.subarray(0, -5),
    archive.subarray(9),
  ]) {
    const listing = await listZip(bytes)
    ok(listing === null || listing.entries.length <= 1)
    strictEqual(await readZipEntry(bytes, 0), null)
  }
})

test('names that would mislead', async () => {
  const check = async (name: Buffer | string, expected: string): Promise<void> =>
    deepStrictEqual(await names(made({ name: Buffer.from(name), content: Buffer.from('x') })), [expected])
  await check('../../etc/passwd', '../../etc/passwd')
  await check('a\u202egnp.exe', 'a\ufffdgnp.exe')
  await check('a\nb\0', 'a\ufffdb\ufffd')
  await check(Buffer.from([0x61, 0xff]), 'aÿ')
  await check('x'.repeat(ZIP_NAME_LENGTH + 1), 'x'.repeat(ZIP_NAME_LENGTH))
})

test('what cannot be taken out alone', async () => {
  const check = async (fields: Partial<Made>, readable: boolean, got: string | null): Promise<void> => {
    const archive = made({ name: Buffer.from('a'), content: Buffer.from('text'), ...fields })
    const [entry] = (await listZip(archive))?.entries ?? []
    strictEqual(entry?.readable, readable)
    const found = await readZipEntry(archive, 0)
    strictEqual(found === null ? null : Buffer.from(found.bytes).toString(), got)
  }
  await check({}, true, 'text')
  await check({ method: 8, content: deflateRawSync('text'), size: 4 }, true, 'text')
  await check({ flags: 1, content: Buffer.alloc(16), size: 4 }, false, null)
  await check({ method: 12 }, false, null)
  // More or less than it says, and far more than one may take out.
  await check({ method: 8, content: deflateRawSync(Buffer.alloc(10_000_000)), size: 5 }, true, null)
  await check({ method: 8, content: deflateRawSync('text'), size: 5 }, true, null)
  await check(
    { method: 8, content: deflateRawSync(Buffer.alloc(ZIP_ENTRY_BYTES + 1)), size: ZIP_ENTRY_BYTES + 1 },
    false,
    null,
  )
})

test('very many files', async () => {
  const listing = await listZip(await zipOf(Array.from({ length: ZIP_ENTRIES + 1 }, (_, i) => [`${i}`, ''] as const)))
  deepStrictEqual([listing?.entries.length, listing?.more], [ZIP_ENTRIES, true])
})
