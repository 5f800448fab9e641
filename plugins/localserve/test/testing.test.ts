// The parts of the test client that need no server: filters, composing, and links.
import assert from 'node:assert/strict'
import { parseStructure } from '@mox/plugin-sdk/mail'
import { test } from 'vitest'
import type { MessageDetail, MessageSummary } from '../src/api-types.ts'
import { type MessageFilter, matches, mayMatch } from '../src/testing/filter.ts'
import { compose, linksOf } from '../src/testing/message.ts'

const message = {
  ...{ subject: 'Welcome aboard', kind: 'submission', states: { delivered: 1, failed: 1 }, text: 'Your code: 1234' },
  ...{ html: '<p>Your <b>code</b></p>' },
  recipientDetails: [
    { address: 'ann@x.test', state: 'delivered', attempts: [], trace: [] },
    { address: 'bob@x.test', state: 'failed', attempts: [], trace: [] },
  ],
} as unknown as MessageDetail & MessageSummary

test('filters', () => {
  const check = (filter: MessageFilter, expected: boolean): void =>
    assert.equal(mayMatch(message, filter) && matches(message, filter), expected, JSON.stringify(filter))
  check({}, true)
  check({ subject: /aboard$/ }, true)
  check({ subject: /nobody/ }, false)
  check({ text: 'CODE: 12' }, true)
  check({ text: /<b>code/ }, true)
  check({ text: /\d{5}/ }, false)
  check({ kind: 'delivery' }, false)
  check({ state: 'failed' }, true)
  check({ state: 'held' }, false)
  check({ to: 'ANN@x.test', state: 'delivered' }, true)
  check({ to: 'ann@x.test', state: 'failed' }, false)
  check({ where: ({ text }) => text === '' }, false)
  const sticky = /code/g
  check({ text: sticky }, true)
  check({ text: sticky }, true)
})

test('composing', () => {
  const types = (draft: Parameters<typeof compose>[0]): string[] => {
    const root = parseStructure(compose(draft))
    assert.deepEqual(root.problems, [])
    return [root, ...root.children].map(({ contentType }) => contentType)
  }
  assert.deepEqual(types({ to: 'a@x.test' }), ['text/plain'])
  assert.deepEqual(types({ to: 'a@x.test', html: '<p>' }), ['text/html'])
  assert.deepEqual(types({ to: ['a@x.test', 'b@x.test'], text: 'ä'.repeat(100), html: '<p>' }), [
    ...['multipart/alternative', 'text/plain', 'text/html'],
  ])
  assert.equal(compose({ to: 'a@x.test', raw: 'as it is' }).toString(), 'as it is')
  assert.throws(() => compose({ to: 'a@x.test', headers: { 'X A': '' } }), TypeError)
})

test('links', () => {
  const check = (html: string, text: string, ...expected: string[]): void =>
    assert.deepEqual(linksOf({ html, text }), expected)
  check('', 'see https://a.test/x?y=1. Or (http://b.test/)!', 'https://a.test/x?y=1', 'http://b.test/')
  check('<a class="b" href="https://a.test/?a=1&amp;b=2">x</a>', 'https://a.test/?a=1&b=2', 'https://a.test/?a=1&b=2')
  check("<a href='mailto:x@y.test'>x</a><a name=top>y</a>", '')
  check('', '')
})
