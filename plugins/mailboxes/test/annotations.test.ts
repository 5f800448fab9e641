// Annotations: keys, values, limits, what the change log says, and that they go with their mailbox.
import { deepStrictEqual, rejects, strictEqual } from 'node:assert'
import { MailboxError, type MailStore } from '@mox/plugin-sdk'
import { afterEach, beforeEach, test } from 'vitest'
import { ANNOTATION_OCTETS, ANNOTATIONS, KEY_LENGTH } from '../src/annotations.ts'
import { ANNOTATION } from '../src/schema.ts'
import { verifyAfterEach } from '../src/testing.ts'
import { type Harness, openHarness } from './support/harness.ts'

let h: Harness
let store: MailStore
beforeEach(async () => {
  h = await openHarness()
  store = await h.mailboxes.store('alice')
})
afterEach(() => h.close())
verifyAfterEach(afterEach, () => h.mailboxes)

const list = async (mailbox: string) => (await store.annotations(mailbox)).map(a => [a.key, a.value])

test('set, change, remove', async () => {
  const start = await store.modseq()
  const inbox = (await store.mailbox('Inbox'))?.id
  await store.annotate('inbox', [
    { key: '/Private/Comment', value: 'mine' },
    { key: '/shared/vendor/x/y', value: Buffer.from([0, 255]) },
  ])
  await store.annotate('', [{ key: '/private/comment', value: 'account' }])
  deepStrictEqual(await list('Inbox'), [
    ['/private/comment', 'mine'],
    ['/shared/vendor/x/y', Buffer.from([0, 255])],
  ])
  deepStrictEqual(await list(''), [['/private/comment', 'account']])
  deepStrictEqual(await (await h.mailboxes.store('bob')).annotations(''), [])
  await store.annotate('Inbox', [{ key: '/private/comment', value: 'mine' }])
  strictEqual(await store.modseq(), start + 2)
  await store.annotate('Inbox', [
    { key: '/private/comment', value: null },
    { key: '/private/other', value: null },
    { key: '/shared/vendor/x/y', value: '' },
  ])
  deepStrictEqual(await list('Inbox'), [['/shared/vendor/x/y', '']])
  const { changes } = await store.changesSince(start, 100)
  deepStrictEqual(
    changes.map(change => change.kind === 'annotation' && [change.modseq - start, change.mailboxId, change.key]),
    [
      [1, inbox, '/private/comment'],
      [1, inbox, '/shared/vendor/x/y'],
      [2, 0, '/private/comment'],
      [3, inbox, '/private/comment'],
      [3, inbox, '/shared/vendor/x/y'],
    ],
  )
})

test('they follow a mailbox that is renamed and go with one that is removed', async () => {
  await store.create('a')
  await store.annotate('a', [{ key: '/private/comment', value: 'x' }])
  await store.rename('a', 'b')
  deepStrictEqual(await list('b'), [['/private/comment', 'x']])
  await store.remove('b')
  deepStrictEqual(await h.storage.db(ANNOTATION), [])
  await rejects(list('b'), MailboxError)
  await rejects(store.annotate('b', []), MailboxError)
})

test('what is refused changes nothing', async () => {
  const check = async (key: string, value: string, problem: string | null) => {
    const result = await store
      .annotate('', [
        { key: '/private/first', value: 'x' },
        { key, value },
      ])
      .then(
        () => null,
        (err: unknown) => (err instanceof MailboxError ? err.problem : err),
      )
    deepStrictEqual([key.slice(0, 30), result, (await list('')).length], [key.slice(0, 30), problem, problem ? 0 : 2])
    await store.annotate('', [
      { key: '/private/first', value: null },
      ...(problem === null ? [{ key, value: null }] : []),
    ])
  }
  const key = (n: number) => `/private/${'x'.repeat(n - 9)}`
  await check(key(KEY_LENGTH), '', null)
  await check(key(KEY_LENGTH + 1), '', 'name')
  for (const bad of [
    '',
    '/private',
    '/private/',
    '/other/a',
    'private/a',
    '/private//a',
    '/private/a*',
    '/private/%',
    '/private/ä',
    '/private/a b',
  ])
    await check(bad, '', 'name')
  await check('/private/a', 'x'.repeat(ANNOTATION_OCTETS), null)
  await check('/private/a', 'x'.repeat(ANNOTATION_OCTETS + 1), 'limit')
  const many = (n: number) => Array.from({ length: n }, (_, i) => ({ key: `/private/${i}`, value: '' }))
  await rejects(store.annotate('', many(ANNOTATIONS + 1)), MailboxError)
  await store.annotate('Inbox', many(ANNOTATIONS))
  await rejects(store.annotate('', many(1)), MailboxError)
})
