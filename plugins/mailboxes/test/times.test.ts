// Times of receipt that no calendar has: imported, or given by a program.
import { deepStrictEqual } from 'node:assert'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'vitest'
import { type Harness, openHarness } from './support/harness.ts'

let h: Harness
let dir: string
beforeEach(async () => {
  h = await openHarness()
  dir = await mkdtemp(join(tmpdir(), 'mox-times-'))
})
afterEach(async () => {
  await h.close()
  await rm(dir, { recursive: true })
})

test('are kept as the nearest that can be shown', async () => {
  const store = await h.mailboxes.store('alice')
  for (const [name, text] of [
    ['early', 'From a Thu Jan  1 00:00:00 1960\nSubject: early\n\nbody\n'],
    ['dated', 'From a\nSubject: dated\nDate: Mon, 1 Jan 1601 00:00:00 +0000\n\nbody\n'],
  ] as const) {
    const path = join(dir, `${name}.mbox`)
    await writeFile(path, text)
    await store.import(path, { mailbox: 'Times' })
  }
  for (const receivedAt of [9e15, 1.5, -1e300])
    await store.append({ mailbox: 'Times', content: Buffer.from(`Subject: ${receivedAt}\r\n\r\n`), receivedAt })
  const { messages } = await store.list({ scope: { mailbox: 'Times' }, limit: 10 })
  deepStrictEqual(
    messages.map(({ subject, receivedAt }) => [subject, receivedAt]),
    [
      ['9000000000000000', 253_402_300_799_999],
      ['1.5', 1],
      ['-1e+300', 0],
      ['dated', 0],
      ['early', 0],
    ],
  )
})
