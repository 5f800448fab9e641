import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { viewQuery } from '../src/api/model.ts'
import { formOf, lastDays, nextState, type SearchForm, textOf } from '../web/search/form.ts'
import { highlight, highlightTerms } from '../web/search/highlight.ts'
import { format, isRefine, mailboxView, parse, refined, searchView } from '../web/search/query.ts'
import { forgetSearches, recentSearches, rememberSearch } from '../web/search/recent.ts'

const NOW = new Date(2023, 6, 14, 12, 0)

test.each([
  ['hello world', 'hello world'],
  ['  hello   "big  world" -no', 'hello "big  world" -no'],
  ['from:ann f:bob to:"c d" subject:x', 'f:ann f:bob t:"c d" s:x'],
  ['s:x f:ann word mb:Inbox submb:', 'mb:Inbox submb: word f:ann s:x'],
  ['mb: x', 'mb: x'],
  ['mb:"My box/b"', 'mb:"My box/b"'],
  ['-f:ann -l:$junk l:\\Seen', '-f:ann -l:$junk l:\\seen'],
  ['a:zip -a:pdf', 'a:archive -a:pdf'],
  ['h:List-Id h:X-Y:"a b" h:x:y:z', 'h:list-id h:x-y:"a b" h:x:y:z'],
  ['start:2023-7-1 end:2023-7-2', 'start:2023-07-01 end:2023-07-02'],
  ['start:2023-7-1T10:30 end:10:05', 'start:2023-07-01T10:30 end:2023-07-14T10:05'],
  [
    'sentend:2023-7-2 file:"a b" -file:x has:html -has:text start:10:05',
    'start:2023-07-14T10:05 sentend:2023-07-02 file:"a b" -file:x has:html -has:text',
  ],
  ['has:attachment', 'a:any'],
  ['minsize:1024kb maxsize:1.5gb', 'minsize:1mb maxsize:1.5gb'],
  ['minsize:1000b', 'minsize:1000b'],
  ['http://x unknown:tag', 'http://x unknown:tag'],
  ['"from:ann" "-x" "a""b"', '"from:ann" "-x" "a""b"'],
  ['start:nonsense a:nonsense minsize:5', 'start:nonsense a:nonsense minsize:5'],
  ['"not ended', '"not ended"'],
  ['f:"say ""hi"""', 'f:"say ""hi"""'],
  ['--x', '--x'],
])('%s is written %s', (text, canonical) => {
  expect(format(parse(text, NOW))).toBe(canonical)
  expect(parse(canonical, NOW)).toEqual(parse(text, NOW))
})

const token = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.constantFrom(
      '',
      'f:',
      'to:',
      's:',
      'l:',
      'a:',
      'h:',
      'h:x:',
      'mb:',
      'submb:',
      'start:',
      'end:',
      'minsize:',
      'sentstart:',
      'sentend:',
      'file:',
      'has:',
      'q:',
    ),
    fc.constantFrom(
      '',
      'x',
      '"',
      '"a b"',
      '"a""b"',
      'any',
      'html',
      '2023-7-1',
      '2023-10-29',
      '0:00',
      '10:30',
      '3mb',
      '-y',
      'a:b',
    ),
  )
  .map(parts => parts.join(''))

test('whatever is typed: the canonical form means the same, and so do the fields', () => {
  fc.assert(
    fc.property(fc.array(token, { maxLength: 6 }), tokens => {
      const text = tokens.join(' ')
      const read = parse(text, NOW)
      const canonical = format(read)
      expect(parse(canonical, NOW)).toEqual(read)
      expect(format(parse(canonical, NOW))).toBe(canonical)
      const through = textOf(formOf(text, NOW), NOW)
      expect(textOf(formOf(through, NOW), NOW)).toBe(through)
      expect(viewQuery.safeParse(searchView(read, { order: 'newest', threads: true, refine: '' })).success).toBe(true)
    }),
    { numRuns: 500, seed: 1 },
  )
})

describe('views', () => {
  const shown = { order: 'newest', threads: true, refine: '' } as const
  test.each([
    ['x', 'usual'],
    ['mb: x', 'all'],
    ['mb:Inbox x', { mailbox: 'Inbox' }],
    ['mb:Inbox submb: x', { mailbox: 'Inbox', below: true }],
  ])('the scope of %s', (text, scope) => {
    expect(searchView(parse(text, NOW), shown)).toEqual({
      scope,
      filter: { words: [{ text: 'x', not: false, phrase: false }] },
      ...{ order: 'newest', threads: true },
    })
  })

  test('of a mailbox', () => {
    expect(mailboxView(3, shown)).toEqual({ scope: { mailbox: 3 }, order: 'newest', threads: true })
    expect(mailboxView(3, { ...shown, refine: 'unread' }).filter).toEqual({ labels: [{ text: '\\seen', not: true }] })
  })

  test('refining adds to the search, but takes the place of its attachments', () => {
    const { filter } = parse('l:$junk a:pdf', NOW)
    expect(refined(filter, 'label:work').labels).toEqual([
      { text: '$junk', not: false },
      { text: 'work', not: false },
    ])
    expect(refined(filter, 'attachments').attachments).toEqual([{ kind: 'any', not: false }])
    expect(refined(filter, 'read').labels?.[1]).toEqual({ text: '\\seen', not: false })
    expect(refined(filter, 'flagged').labels?.[1]).toEqual({ text: '\\flagged', not: false })
    expect(refined(filter, '')).toBe(filter)
  })

  test('what was stored is looked at', () => {
    expect(['', 'read', 'label:x', 'label:', 'other', 3].map(isRefine)).toEqual([true, true, true, false, false, false])
  })
})

describe('the form', () => {
  const form = (text: string): SearchForm => formOf(text, NOW)

  test('shows what was typed', () => {
    const shown = form(
      'mb:Inbox submb: hi -"the end" f:ann s:"a b" start:2023-7-1 end:2023-7-2T10:00 a:pdf l:\\seen -l:$junk l:work h:x:y maxsize:2mb sentstart:2023-7-3 file:plan -has:html',
    )
    expect(shown).toMatchObject({
      ...{ mailbox: 'Inbox', below: true, words: 'hi -"the end"', from: 'ann', to: '', subject: '"a b"' },
      received: { startDate: '2023-07-01', startTime: '', endDate: '2023-07-02', endTime: '10:00' },
      sent: { startDate: '2023-07-03', startTime: '', endDate: '', endTime: '' },
      ...{ attachments: 'pdf', files: 'plan', bodies: new Map([['html', 'not']]) },
      ...{ labels: 'work', headers: [{ name: 'x', value: 'y' }], minSize: '', maxSize: '2mb' },
    })
    expect([...shown.flags]).toEqual([
      ['\\seen', 'must'],
      ['$junk', 'not'],
    ])
  })

  test('words in it are never tags', () => {
    expect(textOf({ ...form(''), words: 'from:ann -a:pdf' }, NOW)).toBe('"from:ann" -"a:pdf"')
  })

  test('what is not complete is left out', () => {
    const odd = { ...form(''), minSize: 'x', maxSize: '5', headers: [{ name: '', value: 'v' }] }
    const incomplete = { ...odd, received: { ...odd.received, startTime: '9' } }
    expect(textOf(incomplete, NOW)).toBe('maxsize:5mb')
  })

  test('buttons', () => {
    expect((['', 'must', 'not'] as const).map(nextState)).toEqual(['must', 'not', ''])
    expect(textOf(lastDays(form('end:2020-1-1 x'), 31, NOW), NOW)).toBe('x start:2023-06-13')
  })
})

describe('highlighting', () => {
  const marked = (text: string, search: string) =>
    highlight(text, highlightTerms(parse(search, NOW).filter))
      .map(p => (p.hit ? `[${p.text}]` : p.text))
      .join('')

  test.each([
    ['Hello world', 'wor', 'Hello [wor]ld'],
    ['sword word', 'word', 'sword [word]'],
    ['Crème Brûlée', 'creme brulee', '[Crème] [Brûlée]'],
    ['cre\u0300me', 'creme', '[cre\u0300me]'],
    ['a  big\nworld', '"big world"', 'a  [big\nworld]'],
    ['1+1 (x)', '1+1', '[1+1] (x)'],
    ['東京都', '京', '東[京]都'],
    ['no', '-no f:no', 'no'],
    ['word words', 'word words', '[word] [words]'],
    ['straße 😀 x', 'x', 'straße 😀 [x]'],
    ['', 'x', ''],
  ])('%j for %j', (text, search, expected) => {
    expect(marked(text, search)).toBe(expected)
  })

  test('the pieces are the text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 40 }),
        fc.string({ unit: 'binary', maxLength: 3 }),
        (text, term) => {
          const pieces = highlight(text, [{ text: term, not: false, phrase: false }])
          expect(pieces.map(p => p.text).join('')).toBe(text)
        },
      ),
      { seed: 1 },
    )
  })
})

test('recent searches: newest first, each once, ten of them; nonsense is none', () => {
  const map = new Map<string, string>()
  const storage = {
    getItem: (k: string) => map.get(k) ?? null,
    setItem: (k: string, v: string) => void map.set(k, v),
    removeItem: (k: string) => void map.delete(k),
  } as unknown as Storage
  for (let i = 0; i < 12; i++) rememberSearch(`q${i}`, storage)
  rememberSearch('q5', storage)
  rememberSearch('', storage)
  rememberSearch('x'.repeat(2_001), storage)
  expect(recentSearches(storage)).toEqual(['q5', 'q11', 'q10', 'q9', 'q8', 'q7', 'q6', 'q4', 'q3', 'q2'])
  map.set('webmail-recent-searches', '[1,"",{"a":1},"ok"]')
  expect(recentSearches(storage)).toEqual(['ok'])
  map.set('webmail-recent-searches', 'nonsense')
  expect(recentSearches(storage)).toEqual([])
  forgetSearches(storage)
  expect(map.size).toBe(0)
})
