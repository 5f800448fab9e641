import { parseStructure, textParts } from '@mox/plugin-sdk/mail'
import { describe, expect, test } from 'vitest'
import { FRAME_POLICY, safeHtml } from '../src/html.ts'

function shown(html: string, image?: { id: string; type: string }): string {
  const attachment =
    image === undefined
      ? ''
      : `--b\r\nContent-Type: ${image.type}\r\nContent-ID: <${image.id}>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw==\r\n`
  const bytes = Buffer.from(
    `Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n${html}\r\n${attachment}--b--\r\n`,
  )
  const { html: part, attachments } = textParts(parseStructure(bytes))
  const page = safeHtml(bytes, part!, attachments)
  return page.slice(page.indexOf('<body>') + 6, page.lastIndexOf('</body>')).trim()
}

describe('hostile HTML', () => {
  function check(html: string, expected: string): void {
    test(html.slice(0, 70), () => expect(shown(html)).toBe(expected))
  }
  check('<b>ok</b> text', '<b>ok</b> text')
  check('<script>alert(1)</script>x', 'x')
  check('<p onclick="alert(1)">x</p>', '<p>x</p>')
  check('<a href="javascript:alert(1)">x</a>', '<a rel="noopener noreferrer" target="_blank">x</a>')
  check('<a href="https://a.test/">x</a>', '<a href="https://a.test/" rel="noopener noreferrer" target="_blank">x</a>')
  check('<img src="https://track.test/p.gif" alt="hi">', '<img alt="hi" />')
  check('<img src="data:image/svg+xml,<svg onload=alert(1)>">', '<img alt="[image]" />')
  check('<img src=x onerror=alert(1)>', '<img alt="[image]" />')
  check('<svg><script>alert(1)</script></svg>x', 'x')
  check('<math><mi xlink:href="javascript:alert(1)">x</mi></math>', 'x')
  check('<iframe src="https://a.test"></iframe>x', 'x')
  check('<form action="https://a.test"><input name=a></form>x', 'x')
  check('<meta http-equiv="refresh" content="0;url=https://a.test">x', 'x')
  check('<base href="https://a.test/">x', 'x')
  check('<style>@import "https://a.test"</style>x', 'x')
  check('<div style="background:url(https://a.test);color:red">x</div>', '<div style="color:red">x</div>')
  check('<div style="position:fixed;width:10px">x</div>', '<div style="width:10px">x</div>')
  check('<div style="color:expression(alert(1))">x</div>', '<div>x</div>')
  check('<link rel=stylesheet href="https://a.test">x', 'x')
  check('<object data="https://a.test"></object><embed src="https://a.test">x', 'x')
})

test('an image of the message is shown inline, others are not', () => {
  expect(shown('<img src="cid:logo">', { id: 'logo', type: 'image/png' })).toBe(
    '<img src="data:image/png;base64,iVBORw==" />',
  )
  expect(shown('<img src="cid:other">', { id: 'logo', type: 'image/png' })).toBe('<img alt="[image]" />')
  expect(shown('<img src="cid:logo">', { id: 'logo', type: 'image/svg+xml' })).toBe('<img alt="[image]" />')
})

test('ten thousand open elements end soon and stay bounded', () => {
  expect(shown('<div>'.repeat(10_000)).length).toBeLessThan(10_000)
})

test('the policy of the frame is sufficient alone', () => {
  expect(FRAME_POLICY).toContain("default-src 'none'")
  expect(FRAME_POLICY).toContain('; sandbox allow-popups allow-popups-to-escape-sandbox;')
  expect(FRAME_POLICY).not.toMatch(/script-src|https?:/)
})
