// Searches as people type them.
import { deepStrictEqual, strictEqual } from 'node:assert'
import { test } from 'vitest'
import {
  type MessageFilter,
  parseSearch,
  SEARCH_CONDITIONS,
  SEARCH_QUERY_LENGTH,
  type SearchQuery,
} from '../../src/mail/index.ts'

const options = {
  today: { year: 2026, month: 3, day: 31 },
  time: (year: number, month: number, day: number, hour: number, minute: number) =>
    Date.UTC(year, month - 1, day, hour, minute),
}
const parse = (text: string): SearchQuery => parseSearch(text, options)
const word = (text: string, not = false, phrase = false) => ({ text, not, phrase })

test('conditions', () => {
  const check = (text: string, expected: MessageFilter, scope: Partial<SearchQuery> = {}) =>
    deepStrictEqual(parse(text), { filter: expected, mailbox: undefined, below: false, ...scope })
  check('', {})
  check(' \t ', {})
  check('hello  World', { words: [word('hello'), word('World')] })
  check('-hello "two words" -"not ""these"""', {
    words: [word('hello', true), word('two words', false, true), word('not "these"', true, true)],
  })
  check('"open to the end', { words: [word('open to the end', false, true)] })
  check('""', {})
  check('-', {})
  check('unknown:tag "from:quoted"', { words: [word('unknown:tag'), word('from:quoted', false, true)] })
  check('unknown:"two words"', { words: [word('unknown:two words', false, true)] })
  check('f:ann -from:"Bob B" t:x@y.test -s:re subject:"a b"', {
    from: [
      { text: 'ann', not: false },
      { text: 'Bob B', not: true },
    ],
    to: [{ text: 'x@y.test', not: false }],
    subject: [
      { text: 're', not: true },
      { text: 'a b', not: false },
    ],
  })
  check('from:', { words: [word('from:')] })
  check('l:$Forwarded -label:\\Seen', {
    labels: [
      { text: '$forwarded', not: false },
      { text: '\\seen', not: true },
    ],
  })
  check('a:any -a:zip attachments:PDF a:what', {
    attachments: [
      { kind: 'any', not: false },
      { kind: 'archive', not: true },
      { kind: 'pdf', not: false },
    ],
    words: [word('a:what')],
  })
  check('file:plan -file:"old plan" has:HTML -has:text has:attachment has:what file:', {
    files: [
      { text: 'plan', not: false },
      { text: 'old plan', not: true },
    ],
    bodies: [
      { kind: 'html', not: false },
      { kind: 'text', not: true },
    ],
    attachments: [{ kind: 'any', not: false }],
    words: [word('has:what'), word('file:')],
  })
  check('h:List-Id h:X-A:b:c header:"X-B: two words" h:X-C:"three ""more"" words" h:', {
    headers: [
      { name: 'list-id', value: '' },
      { name: 'x-a', value: 'b:c' },
      { name: 'x-b', value: 'two words' },
      { name: 'x-c', value: 'three "more" words' },
    ],
    words: [word('h:')],
  })
  check('mb:Archive/2025 submb: x', { words: [word('x')] }, { mailbox: 'Archive/2025', below: true })
  check('mailbox:"With space"', {}, { mailbox: 'With space' })
  check('mb:', {}, { mailbox: '' })
  check('-mb:x', { words: [word('mb:x', true)] })
  check('minsize:10kb maxsize:1.5M', { minSize: 10_240, maxSize: 1_572_864 })
  check('minsize:0b maxsize:2GB', { minSize: 0, maxSize: 2 ** 31 })
  check('minsize:10 maxsize:xkb', { words: [word('minsize:10'), word('maxsize:xkb')] })
})

test('times', () => {
  const check = (text: string, field: 'start' | 'end', expected: string | null) => {
    const { filter } = parse(`${field}:${text}`)
    strictEqual(filter[field] === undefined ? null : new Date(filter[field]).toISOString(), expected)
    const sent = parse(`sent${field}:${text}`).filter[field === 'start' ? 'sentStart' : 'sentEnd']
    strictEqual(sent, filter[field])
  }
  check('2023-7-1', 'start', '2023-07-01T00:00:00.000Z')
  check('2023-12-31', 'end', '2024-01-01T00:00:00.000Z')
  check('2023-07-01T9:05', 'end', '2023-07-01T09:05:00.000Z')
  check('10:30', 'start', '2026-03-31T10:30:00.000Z')
  for (const bad of [
    '',
    'T',
    '2023',
    '2023-13-1',
    '2023-1-32',
    '24:00',
    '10:60',
    '2023-1-1T',
    '2023-1-110:30',
    'T10:30',
  ])
    check(bad, 'start', null)
})

test('limits', () => {
  const many = (n: number) => parse('a '.repeat(n)).filter.words?.length
  deepStrictEqual([many(SEARCH_CONDITIONS), many(SEARCH_CONDITIONS + 1)], [SEARCH_CONDITIONS, SEARCH_CONDITIONS])
  const long = (n: number) => parse('x'.repeat(n)).filter.words?.[0]?.text.length
  deepStrictEqual(
    [long(SEARCH_QUERY_LENGTH), long(SEARCH_QUERY_LENGTH + 1)],
    [SEARCH_QUERY_LENGTH, SEARCH_QUERY_LENGTH],
  )
})
