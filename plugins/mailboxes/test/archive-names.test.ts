// Names of mailboxes and keywords that an archive could take for something else: a round trip keeps them.
import { deepStrictEqual } from 'node:assert'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MailStore } from '@mox/plugin-sdk'
import { afterEach, beforeEach, test } from 'vitest'
import { verifyAfterEach } from '../src/testing.ts'
import { type Harness, openHarness } from './support/harness.ts'

let h: Harness
let store: MailStore
let dir: string
beforeEach(async () => {
  h = await openHarness()
  store = await h.mailboxes.store('alice')
  dir = await mkdtemp(join(tmpdir(), 'mox-archives-'))
})
afterEach(async () => {
  await h.close()
  await rm(dir, { recursive: true })
})
verifyAfterEach(afterEach, () => h.mailboxes)

test('names that mean something in a path, and keywords with commas', async () => {
  const names = [
    'cur',
    'new/child',
    'X/tmp',
    'back\\slash',
    '.hidden',
    '.a..b',
    '100%',
    '%63ur',
    'x.mbox',
    'mox-export.json',
  ]
  const subject = (name: string): string => `of ${name}`
  for (const name of names) {
    if ((await store.mailbox(name)) === undefined) await store.create(name)
    await store.append({
      ...{ mailbox: name, keywords: ['a,b', 'c,', 'd'] },
      content: Buffer.from(`Subject: ${subject(name)}\r\n\r\n`),
    })
  }
  for (const [format, archive] of [
    ['maildir', 'tgz'],
    ['maildir', 'zip'],
    ['mbox', 'tar'],
  ] as const) {
    const path = join(dir, `names.${archive}`)
    await writeFile(path, store.export({ format, archive }))
    const other = await openHarness(['bob'])
    try {
      const bob = await other.mailboxes.store('bob')
      deepStrictEqual(await bob.import(path), { added: names.length, duplicates: 0, skipped: 0 })
      for (const name of names) {
        const box = await bob.mailbox(name)
        const [message] = await bob.messages(box?.id ?? 0, { limit: 2 })
        deepStrictEqual([name, message?.subject, message?.keywords], [name, subject(name), ['a,b', 'c,', 'd']])
      }
    } finally {
      await other.close()
    }
  }
})
