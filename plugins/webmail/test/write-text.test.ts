// Texts that a message begins with, rich text as plain text and back, signatures, answers.
import { describe, expect, it } from 'vitest'
import { isForward } from '../src/api/subject.ts'
import { recipientsOf, subjectOf } from '../web/compose/answer.ts'
import { htmlOf, type TextNode, textOf } from '../web/compose/html-text.ts'
import { canonical, choicesOf, fromForAnswer, isOwn } from '../web/compose/identity.ts'
import { beginAnswer, beginForward, beginNew, cut, QUOTE_LENGTH, quoted } from '../web/compose/quote.ts'
import { withSignature } from '../web/compose/signature.ts'

type Child = TextNode | string
const node = (
  nodeName: string,
  children: readonly Child[],
  attributes: Readonly<Record<string, string>> = {},
): TextNode => {
  const childNodes = children.map(c => (typeof c === 'string' ? textNode(c) : c))
  const textContent = childNodes.map(c => c.textContent).join('')
  return { nodeType: 1, nodeName, childNodes, textContent, getAttribute: name => attributes[name] ?? null }
}
const textNode = (text: string): TextNode => ({ nodeType: 3, nodeName: '#text', textContent: text, childNodes: [] })
const body = (...children: Child[]): TextNode => node('BODY', children)
const div = (...children: Child[]): TextNode => node('DIV', children)
const br = node('BR', [])

/** What `htmlOf` makes, as a tree: it has only these. */
function tree(html: string): TextNode {
  const stack: { name: string; children: Child[] }[] = [{ name: 'BODY', children: [] }]
  for (const [, close, name, text] of html.matchAll(/<(\/?)(\w+)>|([^<]+)/g)) {
    const top = stack.at(-1)!
    if (text !== undefined)
      top.children.push(
        text.replaceAll('&nbsp;', '\u00a0').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
      )
    else if (name === 'br') top.children.push(br)
    else if (close === '') stack.push({ name: name!.toUpperCase(), children: [] })
    else {
      stack.pop()
      stack.at(-1)!.children.push(node(top.name, top.children))
    }
  }
  return node('BODY', stack[0]!.children)
}

describe('plain text of rich text', () => {
  it.each<[string, TextNode, string]>([
    ['lines', body(div('a'), div('b'), div(br), div('c')), 'a\nb\n\nc'],
    ['markup with line ends between', body('\n  ', div('a'), '\n  ', div('b'), '\n'), 'a\nb'],
    ['paragraphs', body(node('P', ['a']), '\n', node('P', ['b'])), 'a\n\nb'],
    ['inline', body('a ', node('B', ['b']), node('I', [' c']), '  d'), 'a b c d'],
    ['line breaks inline', body(node('B', ['a', br, ' b']), 'c'), 'a\nbc'],
    ['a link', body(node('A', ['here'], { href: 'https://x.test/a' })), 'here <https://x.test/a>'],
    ['a link that says where it leads', body(node('A', ['x.test'], { href: 'https://x.test/' })), 'x.test'],
    ['a mail link', body(node('A', ['a@x.test'], { href: 'mailto:a@x.test' })), 'a@x.test'],
    ['an image as a link', body(node('A', [node('IMG', [])], { href: 'https://x.test/' })), ''],
    [
      'a quote',
      body('so:', node('BLOCKQUOTE', [div('a'), node('BLOCKQUOTE', ['b']), div(br), div('c')]), 'd'),
      'so:\n> a\n>> b\n>\n> c\nd',
    ],
    [
      'lists',
      body(node('OL', [node('LI', ['a']), '\n', node('LI', ['b', node('UL', [node('LI', ['c'])])])])),
      '1. a\n2. b\n   * c',
    ],
    ['code', body('x', node('PRE', ['  if\n\tthen']), 'y'), 'x\n\n  if\n\tthen\n\ny'],
    ['hard spaces', body(div('\u00a0\u00a0a\u00a0b\u00a0')), '  a b'],
    ['what begins a signature', body(div('x'), div('--\u00a0'), div('A')), 'x\n-- \nA'],
    [
      'sections',
      body(node('SECTION', ['a']), node('CENTER', ['b']), node('DL', [node('DT', ['c']), node('DD', ['d'])])),
      'a\nb\nc\nd',
    ],
    [
      'tables',
      body(
        node('TABLE', [
          node('TBODY', [node('TR', [node('TH', ['a']), node('TH', ['b'])]), node('TR', [node('TD', ['c'])])]),
        ]),
      ),
      'a b\nc',
    ],
    ['nothing', body(), ''],
  ])('%s', (_, root, wanted) => expect(textOf(root)).toBe(wanted))

  it('is quick and bounded with what is hostile', () => {
    const started = performance.now()
    let deep: TextNode = div('x')
    for (let i = 0; i < 20_000; i++) deep = { ...div(), childNodes: [deep] }
    expect(textOf(body(deep, 'after'))).toBe('after')
    textOf(body(node('PRE', [`${' '.repeat(500_000)}x`])))
    expect(textOf({ ...body(), childNodes: [...Array.from({ length: 200_000 }, () => br), div('x')] })).toBe('x')
    const signs = htmlOf('>'.repeat(500_000))
    expect(signs.length).toBeLessThan(2_100_000)
    expect(signs.match(/<blockquote>/g)).toHaveLength(10)
    expect(performance.now() - started).toBeLessThan(3_000)
  })

  it.each([
    'one\ntwo\n\nthree',
    '  indented  twice\nand <b>&amp; not markup',
    'I say\n> you say\n>> they say\n> more\nend',
  ])('comes back from %j', text =>
    expect(textOf(tree(htmlOf(text)))).toBe(text.replace('\t', ' ').replace(' and <b>', 'and <b>')),
  )

  it('has no markup of the text in it', () => {
    expect(htmlOf('<img src=x onerror=alert(1)>&lt;')).toBe('<div>&lt;img src=x onerror=alert(1)&gt;&amp;lt;</div>')
  })
})

const box = (address: string, name = '') => ({ name, address })
const domains = [
  { name: 'x.test', separators: ['+', '--'], caseSensitive: false },
  { name: 'case.test', separators: [], caseSensitive: true },
]
const identities = [box('me@x.test', 'Me'), box('Other@case.test'), box('@whole.test', 'Whole')]

describe('whose an address is', () => {
  it.each([
    ['me@x.test', true],
    ['ME@X.TEST', true],
    ['me+list@x.test', true],
    ['me--a+b@x.test', true],
    ['+me@x.test', false],
    ['you@x.test', false],
    ['Other@CASE.test', true],
    ['other@case.test', false],
    ['any@whole.test', true],
    ['any@notwhole.test', false],
    ['me@x.test.evil.test', false],
    ['', false],
  ])('%s', (address, own) => expect(isOwn(address, identities, domains)).toBe(own))

  it('compares without suffix and case', () => expect(canonical('A+b--c@X.test', domains)).toBe('a@x.test'))

  const message = {
    from: [box('ann@remote.test')],
    to: [] as ReturnType<typeof box>[],
    cc: [] as ReturnType<typeof box>[],
  }
  it.each([
    ['to one of ours', { to: [box('me@x.test')] }, 'My name <me@x.test>'],
    ['with its suffix', { to: [box('me+shop@x.test')] }, 'My name <me+shop@x.test>'],
    ['of a whole domain', { to: [box('shop@whole.test')] }, 'Whole <shop@whole.test>'],
    ['as a copy', { to: [box('z@z.test')], cc: [box('Other@case.test')] }, 'Other@case.test'],
    ['to two of ours', { to: [box('me@x.test'), box('shop@whole.test')] }, undefined],
    ['to none of ours', { to: [box('z@z.test')] }, undefined],
    ['written by us', { from: [box('Other@case.test')], to: [box('z@z.test')] }, 'Other@case.test'],
  ])('is answered from, %s', (_, fields, wanted) => {
    const names = new Map([['me@x.test', 'My name']])
    expect(fromForAnswer({ ...message, ...fields }, identities, domains, names)).toBe(wanted)
  })

  it('is offered, but for whole domains', () => {
    expect(choicesOf(identities, new Map([['me@x.test', 'A, B']]), undefined)).toEqual([
      '"A, B" <me@x.test>',
      'Other@case.test',
    ])
    expect(choicesOf(identities, new Map(), 'any@whole.test')[0]).toBe('any@whole.test')
    expect(choicesOf(identities, new Map(), 'Me <me@x.test>')).toHaveLength(2)
  })
})

describe('whom an answer goes to', () => {
  const original = {
    ...{
      from: [box('ann@z.test', 'Ann')],
      replyTo: [] as ReturnType<typeof box>[],
      bcc: [] as ReturnType<typeof box>[],
    },
    to: [box('me@x.test'), box('bob@z.test'), box('Bob@z.test')],
    ...{ cc: [box('cy@z.test', 'Cy, C.'), box('ann@z.test'), box('me+x@x.test')], listAddress: '' },
  }
  const none = { to: [], cc: [], bcc: [] }
  it.each([
    ['reply', {}, { to: ['Ann <ann@z.test>'] }],
    ['reply', { replyTo: [box('list@z.test'), box('')] }, { to: ['list@z.test'] }],
    ['reply', { from: [box('me@x.test')] }, { to: ['me@x.test', 'bob@z.test'] }],
    ['reply', { from: [] }, {}],
    ['replyAll', {}, { to: ['Ann <ann@z.test>', 'bob@z.test'], cc: ['"Cy, C." <cy@z.test>'] }],
    [
      'replyAll',
      { bcc: [box('dan@z.test'), box('bob@z.test')] },
      { to: ['Ann <ann@z.test>', 'bob@z.test'], cc: ['"Cy, C." <cy@z.test>'], bcc: ['dan@z.test'] },
    ],
    ['replyAll', { from: [box('me@x.test')], to: [box('me@x.test')], cc: [] }, { to: ['me@x.test'] }],
    ['replyList', { listAddress: 'l@z.test' }, { to: ['l@z.test'] }],
    ['replyList', {}, { to: ['Ann <ann@z.test>'] }],
    ['forward', {}, {}],
  ] as const)('%s %j', (kind, fields, wanted) => {
    expect(recipientsOf(kind, { ...original, ...fields } as typeof original, identities, domains)).toEqual({
      ...none,
      ...wanted,
    })
  })

  it('takes as many as a draft has room for, and says when there are more', () => {
    const many = (count: number) => Array.from({ length: count }, (_, n) => box(`${n}@many.test`))
    const all = (count: number) =>
      recipientsOf('replyAll', { ...original, from: [box('ann@z.test')], to: many(count) }, identities, domains)
    expect(all(998)).toMatchObject({ to: { length: 999 } })
    expect(all(998).more).toBeUndefined()
    expect(all(1_000)).toMatchObject({ to: { length: 1_000 }, more: true })
  })

  it.each([
    ['reply', 'x', 'Re: x'],
    ['reply', 'RE: x', 'RE: x'],
    ['reply', ' re:x', ' re:x'],
    ['reply', 'regards', 'Re: regards'],
    ['replyAll', 'Fwd: x', 'Re: Fwd: x'],
    ['forward', 'Re: x', 'Fwd: Re: x'],
    ['forward', 'FW: x', 'FW: x'],
    ['forward', '[Fwd: x]', '[Fwd: x]'],
    ['forward', 'x (fwd) ', 'x (fwd) '],
    ['forward', '', 'Fwd: '],
  ] as const)('%s of %j', (kind, subject, wanted) => expect(subjectOf(kind, subject)).toBe(wanted))

  it('knows what is a forward', () => {
    expect(['fwd:x', 'Fw: x', 'a (FWD)'].every(isForward)).toBe(true)
    expect(['forward: x', 'x (fwd) y', ''].some(isForward)).toBe(false)
  })
})

describe('texts that one begins with', () => {
  const at = new Date(2026, 10, 26, 9, 5).getTime()
  const original = {
    ...{ from: [box('ann@z.test', 'Ann')], replyTo: [], to: [box('me@x.test', 'Me')], cc: [box('c@z.test')] },
    ...{ subject: 'Hi', date: at, receivedAt: 0, texts: [] },
  }
  it.each([
    ['a\r\n\r\n\r\n\r\nb\n', '> a\n>\n> b'],
    ['> a\n>> b', '>> a\n>>> b'],
    ['', '>'],
  ])('quotes %j', (text, wanted) => expect(quoted(text)).toBe(wanted))

  it.each([
    ['top', '', '-- \nMe', /^\n\n-- \nMe\n\nOn .*2026.* at .*, Ann wrote:\n> text\n$/, 0],
    ['auto', '', '', /^\n\nOn .* wrote:\n> text\n$/, 0],
    ['auto', 'marked', 'Me', /^> marked\n\n\n\nMe\n$/, '> marked\n\n'.length],
    ['bottom', '', '', /^> text\n\n\n$/, '> text\n\n'.length],
  ] as const)('answers %s, marked %j, signature %j', (quoting, selection, signature, wanted, cursor) => {
    const begun = beginAnswer(original, 'text', { quoting, selection, signature })
    expect(begun.text).toMatch(wanted)
    expect(begun.cursor).toBe(cursor)
  })

  it('quotes nothing of an empty message, and names nobody when several wrote', () => {
    expect(beginAnswer(original, ' \n', { quoting: 'top', selection: '', signature: '' }).text).toBe('\n\n')
    const two = { ...original, from: [box('a@z.test'), box('b@z.test')] }
    expect(beginAnswer(two, 'x', { quoting: 'top', selection: '', signature: '' }).text).toBe('\n\n> x\n')
  })

  it('forwards with the fields of the original', () => {
    const { text } = beginForward({ ...original, date: null }, 'text', 'Sig')
    expect(text).toMatch(
      /^\n\nSig\n\n---- Forwarded Message ----\n\nSubject: {2}Hi\nDate: {5}.*1970.*\nFrom: {5}Ann <ann@z.test>\nTo: {7}Me <me@x.test>\nCc: {7}c@z.test\n\ntext\n$/,
    )
  })

  it.each([
    ['x\n'.repeat(1_000_000), /^x\nx\n/],
    ['x'.repeat(2_000_000), /^xxx/],
    [`${'x'.repeat(999)}\n`.repeat(300), /x\n\[The rest/],
  ])('leaves out the rest of a long text, and says so', (text, wanted) => {
    expect(cut(text)).toMatch(wanted)
    expect(cut(text)).toMatch(/\n\[The rest is left out\..*\]$/)
    const many = { ...original, to: Array.from({ length: 1_000 }, (_, n) => box(`${n}@z.test`, 'N'.repeat(300))) }
    const options = { quoting: 'top', selection: '', signature: '' } as const
    for (const begun of [beginAnswer(many, text, options), beginForward(many, text, '')])
      expect(begun.text.length).toBeLessThan(QUOTE_LENGTH + 50_000)
    expect(beginForward(many, 'x', '').text).toMatch(/^To: .* <\d+@z\.test>, …$/m)
    expect(cut('short\n')).toBe('short\n')
  })

  it('begins with a signature', () => {
    expect(beginNew('')).toEqual({ text: '', cursor: 0 })
    expect(beginNew('Me\n\n', 'asked')).toEqual({ text: 'asked\n\nMe\n', cursor: 5 })
  })

  it.each([
    ['a new text', '\n\nOld\n', 'Old', 'New', '\n\nNew\n'],
    ['signs that mean something in a replacement', 'x\n\nOld\n', 'Old', '$& $1', 'x\n\n$& $1\n'],
    [
      'above a quote with the same words',
      '\n\nOld\n\nOn Monday, Ann wrote:\n> Old',
      'Old',
      'New',
      '\n\nNew\n\nOn Monday, Ann wrote:\n> Old',
    ],
    ['below a quote', '> a\n\n\nOld\n', 'Old', 'New', '> a\n\n\nNew\n'],
    ['one that was changed by hand', 'x\n\nOlder', 'Oldest', 'New', 'x\n\nOlder'],
    ['none before, in a new text', 'x', '', 'New', 'x\n\nNew\n'],
    [
      'none before, above a quote',
      'x\n\nOn Monday, Ann wrote:\n> a',
      '',
      'New',
      'x\n\nNew\n\nOn Monday, Ann wrote:\n> a',
    ],
    ['none before, below a quote', '> a\n\n\n', '', 'New', '> a\n\nNew\n'],
    ['none after', 'x\n\nOld\n', 'Old', '', 'x\n\n'],
    ['the same', 'x', 'Old', 'Old\n', 'x'],
  ])('changes the signature: %s', (_, text, before, after, wanted) =>
    expect(withSignature(text, before, after)).toBe(wanted),
  )
})
