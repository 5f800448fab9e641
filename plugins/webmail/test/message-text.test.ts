import { expect, it, vi } from 'vitest'
import { holdsHtml, modeNotice, modeOf, modesOf, nextHtml } from '../web/message/modes.ts'
import { isOdd, stretches } from '../web/message/scripts.ts'
import { sizeText } from '../web/message/size.ts'
import {
  type Block,
  blocksOf,
  hiddenHost,
  MAX_LINKS,
  piecesOf,
  QUOTE_LEVELS,
  quoteLevel,
  webUrl,
} from '../web/message/text.ts'
import { entriesOf, journeys, kindOf } from '../web/message/trace.ts'

it.each([
  ['plain', 0],
  ['> one', 1],
  ['>> two', 2],
  ['> > >three', 3],
  ['a > b', 0],
  [' > indented', 0],
  ['>'.repeat(100), QUOTE_LEVELS],
])('%j is quoted %i times', (line, level) => {
  expect(quoteLevel(line)).toBe(level)
})

/** Blocks as text: quotes in brackets. */
function outline(blocks: readonly Block[]): string {
  return blocks
    .map(b => (b.kind === 'text' ? JSON.stringify(b.text) : `q${b.level}/${b.lines}[${outline(b.blocks)}]`))
    .join(' ')
}

it('nests quotes, and loses nothing', () => {
  const text = 'Hi\n\n> one\n>> two\n> one again\nbye\n> > last'
  expect(outline(blocksOf(text))).toBe(
    '"Hi\\n" q1/3["> one" q2/1[">> two"] "> one again"] "bye" q1/1[q2/1["> > last"]]',
  )
  expect(outline(blocksOf(''))).toBe('""')
})

const links = (text: string) => piecesOf(text).flatMap(p => (p.kind === 'text' ? [] : [p.text]))

it.each([
  ['see https://example.org/a?b=1.', ['https://example.org/a?b=1']],
  ['(https://example.org/Soup_(food)) or', ['https://example.org/Soup_(food)']],
  ['<https://example.org/>', ['https://example.org/']],
  ['“http://example.org”', ['http://example.org']],
  [
    'write to ann@example.org, or mailto:bob@example.org?subject=hi!',
    ['ann@example.org', 'mailto:bob@example.org?subject=hi'],
  ],
  ['ünï@bücher.example', ['ünï@bücher.example']],
  ['javascript:alert(1) data:text/html,x ftp://example.org', []],
  ['https:// http://', []],
  ['no@dots a@b.c x@@example.org', []],
])('finds the links of %j', (text, found) => {
  expect(links(text)).toEqual(found)
  expect(
    piecesOf(text)
      .map(p => p.text)
      .join(''),
  ).toBe(text)
})

it('only goes to the web', () => {
  expect(webUrl('https://example.org')).toBe('https://example.org/')
  expect(webUrl('javascript:alert(1)')).toBeUndefined()
  expect(webUrl('nonsense')).toBeUndefined()
})

it.each([
  ['https://example.org/x', ''],
  ['https://bank.com@evil.example/', 'evil.example'],
  ['https://аррӏе.com/', 'xn--80ak6aa92e.com'],
])('says where %s leads when that is not plain', (text, host) => {
  expect(hiddenHost(text, webUrl(text) ?? '')).toBe(host)
})

it('takes any text in a time that grows with its length', () => {
  const texts = [
    'a'.repeat(300_000),
    'a@'.repeat(150_000),
    'a.'.repeat(150_000),
    `x@${'a.'.repeat(150_000)}`,
    '>'.repeat(300_000),
  ]
  const began = performance.now()
  for (const text of texts) {
    blocksOf(text)
    piecesOf(text)
  }
  expect(performance.now() - began).toBeLessThan(5_000)
  expect(links('https://a.b/ '.repeat(MAX_LINKS + 5))).toHaveLength(MAX_LINKS)
})

const odd = (text: string) =>
  stretches(text)
    .filter(s => s.odd)
    .map(s => s.text)

it.each([
  ['paypal.com', []],
  ['pаypal.com', ['а']],
  ['аррӏе.com', ['аррӏе']],
  ['почта@пример.рф', []],
  ['пример.com', []],
  ['bücher.example', []],
  ['日本語テスト.jp', []],
  ['한국어abc', []],
  ['ｇoogle.com', ['ｇ']],
  ['Ελλάδα.gr', []],
  ['gοοgle.com', ['οο']],
])('of %j these letters are not what they seem: %j', (text, found) => {
  expect(odd(text)).toEqual(found)
  expect(isOdd(text)).toBe(found.length > 0)
  expect(
    stretches(text)
      .map(s => s.text)
      .join(''),
  ).toBe(text)
})

const BROWSER = { SecurityPolicyViolationEvent: class {}, HTMLIFrameElement: { prototype: { sandbox: '' } } }
for (const [name, value] of Object.entries(BROWSER)) vi.stubGlobal(name, value)

it('shows no HTML where the browser would not hold it', () => {
  expect(holdsHtml(BROWSER)).toBe(true)
  expect(holdsHtml({ ...BROWSER, HTMLIFrameElement: { prototype: {} } })).toBe(false)
  const { SecurityPolicyViolationEvent: _, ...old } = BROWSER
  expect([holdsHtml(old), holdsHtml({})]).toEqual([false, false])
  expect(modesOf({ ...message, texts: [] }, false)).toEqual(['text'])
  expect(modesOf(message, false)).toEqual(['text'])
  expect(modeNotice(message, false)).toMatch(/^This browser cannot hold/)
})

const texts = [{ path: '0', text: 'x', truncated: false, alternate: false }]
const message = { texts, htmlPath: '0.1', hasExternal: true, viewMode: null }

it.each([
  [message, false, 'text', ['text', 'html', 'external']],
  [message, true, 'html', ['text', 'html', 'external']],
  [{ ...message, viewMode: 'external' as const }, false, 'external', ['text', 'html', 'external']],
  [{ ...message, viewMode: 'external' as const, hasExternal: false }, false, 'html', ['text', 'html']],
  [{ ...message, texts: [] }, false, 'html', ['html', 'external']],
  [{ ...message, htmlPath: '', hasExternal: false }, true, 'text', ['text']],
  [{ ...message, texts: [], htmlPath: '', hasExternal: false }, true, 'text', ['text']],
])('shows a message in a way that it has', (shown, preferHtml, mode, modes) => {
  expect(modeOf(shown, { preferHtml })).toBe(mode)
  expect(modesOf(shown)).toEqual(modes)
})

it('goes through the kinds of HTML by a key, and says what is missing', () => {
  expect(nextHtml(message, 'text')).toBe('html')
  expect(nextHtml(message, 'html')).toBe('external')
  expect(nextHtml(message, 'external')).toBe('html')
  expect(nextHtml({ ...message, htmlPath: '' }, 'text')).toBeUndefined()
  expect(modeNotice({ ...message, texts: [] })).toBe('HTML-only message')
  expect(modeNotice({ ...message, texts: [], htmlPath: '' })).toBe('No textual content')
})

it('orders the way of a message by recipient, and puts together what passed', () => {
  const step = (recipient: string, verdict: string, text = '') => ({
    ...{ at: null, stage: 's', recipient, plugin: 'p', verdict, text, ms: null },
  })
  const steps = [
    ...[step('', 'accepted'), step('', 'pass'), step('', 'pass'), step('a@x', 'temporary', '451 later')],
    ...[step('', 'pass', 'with a word'), step('a@x', 'delivered'), step('a@x', 'pass')],
  ]
  const [whole, one] = journeys(steps)
  expect([whole?.recipient, whole?.end.text, whole?.end.kind]).toEqual(['', 'accepted', 'good'])
  expect([one?.recipient, one?.end.text, one?.steps.length]).toEqual(['a@x', 'delivered', 3])
  expect(entriesOf(whole?.steps ?? []).map(e => e.kind)).toEqual(['step', 'passed', 'step'])
  expect(['failed', 'hold', 'pass'].map(kindOf)).toEqual(['bad', 'waiting', 'plain'])
})

it.each([
  [0, '0 bytes'],
  [999, '999 bytes'],
  [1_500, '1.5 kB'],
  [999_900, '1 MB'],
  [25_000_000, '25 MB'],
])('%i bytes are %s', (bytes, text) => {
  expect(sizeText(bytes)).toBe(text)
})
