// What is read again of a stored message: its header section, however it is cut into chunks, and no more than that.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { HEADER_BYTES } from '@mox/plugin-sdk/mail'
import { test } from 'vitest'
import { hashOf, headOf, measure } from '../src/receive/stored.ts'

async function* chunks(text: string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text, 'latin1')
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function check(text: string, expected: string, complete: boolean): Promise<void> {
  for (const size of [1, 2, 3, 5, text.length]) {
    const head = await headOf(chunks(text, Math.max(size, 1)))
    assert.deepEqual([head.bytes.toString('latin1'), head.complete], [expected, complete])
  }
}

test('the header section ends with the first empty line', async () => {
  await check('A: b\r\n\r\nbody\r\n\r\nmore', 'A: b\r\n\r\n', true)
  await check('A: b\r\nC: d\r\n\r\n', 'A: b\r\nC: d\r\n\r\n', true)
  await check('A: b\r\n', 'A: b\r\n', false)
  await check('', '', false)
})

/** A header section of so many octets. */
const sectionOf = (octets: number): string => `A: ${'x'.repeat(octets - 7)}\r\n\r\n`

test('it is cut at its limit', async () => {
  const whole = await headOf(chunks(`${sectionOf(HEADER_BYTES)}body`, 60_000))
  assert.deepEqual([whole.bytes.length, whole.complete], [HEADER_BYTES, true])
  const cut = await headOf(chunks(`${sectionOf(HEADER_BYTES + 1)}body`, 60_000))
  assert.deepEqual([cut.bytes.length, cut.complete], [HEADER_BYTES, false])
})

test('nothing is read beyond it', async () => {
  let read = 0
  async function* counted(): AsyncGenerator<Buffer> {
    for (const text of ['A: b\r\n', '\r\nbody', 'more', 'more']) {
      read++
      yield Buffer.from(text)
    }
  }
  assert.equal((await headOf(counted())).complete, true)
  assert.equal(read, 2)
})

test('the hash is of all of it', async () => {
  const text = 'A: b\r\n\r\nbody'
  assert.deepEqual(await hashOf(chunks(text, 5)), createHash('sha256').update(text).digest())
})

test('what the queue knows is not measured again', async () => {
  const message = { size: 1234, has8bit: false }
  const measured = async (prefix: string, content: string, known = message) =>
    await measure({
      message: known as Parameters<typeof measure>[0]['message'],
      prefix: Buffer.from(prefix, 'latin1'),
      open: () => chunks(prefix + content, 4),
    })
  const plain = await measured('R: x\r\n', 'A: b\r\n\r\nb\xe4')
  assert.deepEqual([plain.size, plain.has8bit, plain.headHas8bit, plain.headComplete], [1234, false, false, true])
  assert.equal((await measured('R: x\r\n', '\r\nb', { ...message, has8bit: true })).has8bit, true)
  const utf8 = await measured('R: \xc3\xa4\r\n', 'A: b\r\n\r\n')
  assert.deepEqual([utf8.has8bit, utf8.headHas8bit], [true, true])
})
