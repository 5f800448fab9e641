// Content that is made to take long to read. Without a bound each of these takes minutes to days, beyond the time of a test.
import { ok, strictEqual } from 'node:assert'
import { parseHeader } from '@mox/plugin-sdk/mail'
import { test } from 'vitest'
import { isTracker } from '../src/server/content/images.ts'
import { HTML_LENGTH } from '../src/server/content/limits.ts'
import { bodyDocument } from '../src/server/content/pages.ts'
import { sanitise } from '../src/server/content/sanitise.ts'
import { listAddress, unsubscribeWay } from '../src/server/content/unsubscribe-header.ts'

const MANY = HTML_LENGTH - 1_000

test('list fields', () => {
  const head = (name: string, value: string) => parseHeader(Buffer.from(`${name}: ${value}\r\n\r\n`))
  strictEqual(unsubscribeWay(head('List-Unsubscribe', `<${' '.repeat(200_000)}x`)), null)
  strictEqual(unsubscribeWay(head('List-Unsubscribe', '<'.repeat(200_000))), null)
  strictEqual(listAddress(head('List-Post', `<${' '.repeat(200_000)}x`)), '')
  strictEqual(unsubscribeWay(head('List-Unsubscribe', '< https://a.test/\r\n x >'))?.target, 'https://a.test/x')
})

test('links in a text', () => {
  const text = `http://${'.'.repeat(1_500_000)}x and http://a.test/x_(y)).`
  const html = bodyDocument({
    kind: 'texts',
    images: [],
    texts: [{ path: '0', text, truncated: false, alternate: false }],
  })
  ok(html.includes('>http://a.test/x_(y)</a>).'))
})

test.each([
  ['the address of a link', `<a href="x${' '.repeat(MANY)}y">x</a>`],
  ['the address of an image', `<img src="x${' '.repeat(MANY)}y">`],
  ['the width of an image', `<img width="1${' '.repeat(MANY)}x" src="https://x.example/">`],
  ['the style of an image', `<img style="opacity:${'0'.repeat(MANY)}x" src="https://x.example/">`],
  ['styles', `<p style="width:${'a'.repeat(9_900)}">x</p>`.repeat(90)],
])('%s', (_, html) => {
  ok(!sanitise(html, { image: () => undefined }).html.includes('example'))
})

test('what hides an image is seen all the same', () => {
  for (const style of ['opacity:0', 'opacity: 0.00;', 'opacity:0%', 'width:1px;height:1px', 'display:none'])
    strictEqual(isTracker({ style }), true, style)
  for (const width of ['1', ' 1px ', '0']) strictEqual(isTracker({ width, height: '1' }), true, width)
  strictEqual(isTracker({ style: 'opacity:0.5', width: '10' }), false)
})
