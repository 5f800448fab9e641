// HTML of mail as it is shown: rows by what they try, and the whole hostile corpus against what may ever come out.
import { deepStrictEqual, ok, strictEqual } from 'node:assert'
import { describe, test } from 'vitest'
import { safeStyle } from '../src/server/content/css.ts'
import {
  HTML_LENGTH,
  HTML_NESTING,
  STYLE_DECLARATIONS,
  STYLE_LENGTH,
  URL_LENGTH,
} from '../src/server/content/limits.ts'
import { boundNesting } from '../src/server/content/nesting.ts'
import { read } from '../src/server/content/read.ts'
import { linkUrl, sanitise } from '../src/server/content/sanitise.ts'
import { CORPUS } from './hostile/corpus.ts'

const PNG = 'data:image/png;base64,AA=='
const image = (id: string): string | undefined => (id === 'logo' ? PNG : undefined)
const everywhere = { external: (url: string): string => url, image }
const shown = (html: string, external = false): string => sanitise(html, external ? everywhere : { image }).html
const LINK = 'target="_blank" rel="noopener noreferrer"'

test('elements and attributes', () => {
  const check = (html: string, expected: string) => strictEqual(shown(html), expected, html)
  check('<b>ok</b> &amp; text', '<b>ok</b> &amp; text')
  check('<script>alert(1)</script>x', 'x')
  check('<style>b{color:red}</style><b>x</b>', '<b>x</b>')
  check('<p onclick="alert(1)" id=a name=b class=c data-x=1>x</p>', '<p>x</p>')
  check('<svg><script>alert(1)</script></svg>x', 'x')
  check('<math><mi>x</mi></math>y', 'y')
  check('<iframe src="https://a.test"></iframe><object data=a></object><embed src=a>x', 'x')
  check('<form action="https://a.test"><input name=a><b>x</b></form>', '<b>x</b>')
  check('<meta http-equiv=refresh content="0;url=https://a.test"><base href="https://a.test/">x', 'x')
  check('<!-- comment --><!doctype html><?php x ?>x', 'x')
  check(
    '<body bgcolor="#fff" style="color:red"><p>x</p></body>',
    '<div bgcolor="#fff" style="color: red"><p>x</p></div>',
  )
  check('<td colspan=2 width="10%" align=center>x</td>', '<td colspan="2" width="10%" align="center">x</td>')
  check('<td width="1;expression(1)">x</td>', '<td>x</td>')
  check('<table role=presentation><tr><td>x', '<table role="presentation"><tr><td>x</td></tr></table>')
  check('<div role=alert>x</div></div></div>', '<div>x</div>')
  check('<p title="&quot;&gt;&lt;b">x</p>', '<p title="&quot;&gt;&lt;b">x</p>')
})

test('links', () => {
  const check = (href: string, expected: string | undefined) => strictEqual(linkUrl(href), expected, href)
  check('https://a.test/x?y=1#z', 'https://a.test/x?y=1#z')
  check(' HTTP://A.test ', 'http://a.test/')
  check('//a.test/x', 'https://a.test/x')
  check('mailto:a@b.test?subject=x', 'mailto:a@b.test?subject=x')
  check('tel:+49 30-1', 'tel:+49 30-1')
  check('ht\ntps://a.test/', 'https://a.test/')
  for (const bad of [
    'javascript:alert(1)',
    'java\tscript:alert(1)',
    'data:text/html,x',
    'cid:a',
    'file:///x',
    '/x',
    '#x',
    '',
  ])
    check(bad, undefined)
  check('https://bank.test@a.test/', undefined)
  check('https://', undefined)
  check(`https://a.test/${'a'.repeat(URL_LENGTH - 15)}`, `https://a.test/${'a'.repeat(URL_LENGTH - 15)}`)
  check(`https://a.test/${'a'.repeat(URL_LENGTH - 14)}`, undefined)
  strictEqual(shown('<a href="https://a.test/" ping=x>x</a>'), `<a href="https://a.test/" ${LINK}>x</a>`)
  strictEqual(shown('<a href="javascript:1">x</a>'), '<a>x</a>')
})

test('images', () => {
  const check = (html: string, inside: string, outside = inside, hasExternal = inside !== outside) => {
    const result = sanitise(html, { image })
    deepStrictEqual([result.html, result.remote.length > 0], [inside, hasExternal], html)
    strictEqual(shown(html, true), outside, html)
  }
  check('<img src="cid:logo" alt=x>', `<img alt="x" src="${PNG}" />`)
  check('<img src=" CID:logo">', `<img src="${PNG}" />`)
  check('<img src="cid:other">', '<img alt="" />')
  check('<img src="https://t.test/p">', '<img alt="" />', '<img src="https://t.test/p" />')
  check('<img src="//t.test/p">', '<img alt="" />', '<img src="https://t.test/p" />')
  check('<img srcset="https://t.test/p 1x">', '<img alt="" />')
  check('<img src="data:image/png;base64,AA==">', '<img alt="" />')
  check('<td background="cid:logo">x</td>', `<td style="background-image: url(&quot;${PNG}&quot;)">x</td>`)
  check(
    '<td background="http://t.test/a\'b)c">x</td>',
    '<td>x</td>',
    '<td style="background-image: url(&quot;http://t.test/a%27b%29c&quot;)">x</td>',
  )
  check('<p style="background:url(http://t.test/)">x</p>', '<p style="background: none">x</p>')
})

test('styles', () => {
  const check = (style: string, expected: string) => strictEqual(safeStyle(style, image), expected, style)
  check('color: red; WIDTH:3px', 'color: red; width: 3px')
  check('font-family: "Fira Sans", \'ＭＳ\', serif', 'font-family: "Fira Sans", \'ＭＳ\', serif')
  check('font-family:"a;b";color:red', 'font-family:"a;b"; color: red'.replace(':"', ': "'))
  check('color:rgba(1, 2, 3, .5);width:calc(100% - 3px)', 'color: rgba(1, 2, 3, .5); width: calc(100% - 3px)')
  check('color: red !important', 'color: red !important')
  check('background: #fff url("cid:logo") no-repeat', `background: #fff url("${PNG}") no-repeat`)
  check('background-image:url( CID:logo )', `background-image: url("${PNG}")`)
  check('background: #fff url(http://t.test/x?a=1;b) no-repeat', 'background: #fff none no-repeat')
  check('list-style: url(cid:other)', 'list-style: none')
  check('color: /* x; y */ red', 'color: red')
  check('color: red /* open', 'color: red')
  for (const bad of [
    ...['position: fixed', 'z-index: 1', 'content: "x"', 'behavior: url(x)', '-moz-binding: url(cid:logo)', '--x: 1'],
    ...['color: \\72 ed', 'background: \\75rl(x)', 'width: expression(alert(1))', 'background: image-set("x" 1x)'],
    ...[
      'color: url(cid:logo',
      'color: var(--x)',
      'color: attr(x)',
      'cursor: url(cid:logo)',
      'color: <b>',
      'color: a@b',
    ],
    ...['background: u/**/rl(http://t.test)', 'font-family: "open', 'color', ': red', '{color: red}', 'color: }'],
  ])
    ok(!/url|fixed|expression|var|binding|<|@|\\|\{|\}|image-set|attr|open|x"/.test(safeStyle(bad, image)), bad)
  const many = 'color:red;'.repeat(STYLE_DECLARATIONS + 1)
  strictEqual(safeStyle(many, image).split(';').length, STYLE_DECLARATIONS)
  const long = (n: number) => `${' '.repeat(n - 9)}color:red;width:3px`
  strictEqual(safeStyle(long(STYLE_LENGTH), image), 'color: red')
})

test('nesting is bounded before the sanitiser', () => {
  const check = (html: string, most: number, expected: string) => strictEqual(boundNesting(html, most), expected, html)
  check('<b><i>x</i></b>', 2, '<b><i>x</i></b>')
  check('<b><i>x</i></b>', 1, '<b>x</b>')
  check('<b><b><b>x</b></b></b>', 2, '<b><b>x</b></b>')
  check('<p>1<p>2<p>3', 1, '<p>1<p>2<p>3')
  check('<ul><li>1<li>2</ul>', 2, '<ul><li>1<li>2</ul>')
  check('<b><br><img><i>x</i></b>', 2, '<b><br><img><i>x</i></b>')
  check('<!-- <b><b><b> --><b>x</b>', 1, '<!-- <b><b><b> --><b>x</b>')
  check('<b title="<i>"><i>x', 1, '<b title="<i>">x')
  check('<title><b><b></title><b>x', 1, '<title><b><b></title><b>x')
  check('a < b <b>', 1, 'a < b <b>')
  check('</b></b><b>x', 1, '</b></b><b>x')
  check('<b', 1, '<b')
  const deep = (n: number) => `${'<b>'.repeat(n)}x${'</b>'.repeat(n)}`
  strictEqual(shown(deep(HTML_NESTING)), deep(HTML_NESTING))
  strictEqual(shown(deep(HTML_NESTING + 1)), deep(HTML_NESTING))
})

test('length is bounded, and said to be', () => {
  const result = (n: number) => sanitise('a'.repeat(n), { image })
  deepStrictEqual([result(HTML_LENGTH).html.length, result(HTML_LENGTH).truncated], [HTML_LENGTH, false])
  deepStrictEqual([result(HTML_LENGTH + 1).html.length, result(HTML_LENGTH + 1).truncated], [HTML_LENGTH, true])
})

describe('bombs end soon', () => {
  // The sanitiser alone takes from 10 s to minutes for most of them.
  const check = (name: string, html: string) =>
    test(name, { timeout: 20_000 }, () => {
      const began = performance.now()
      sanitise(html, { image })
      ok(performance.now() - began < 10_000, `${performance.now() - began} ms`)
    })
  check('open elements', '<div>'.repeat(200_000))
  check('formatting', '<b><i>'.repeat(160_000))
  check('tables', '<table><tr><td>'.repeat(66_000))
  check('comments', '<!-- '.repeat(200_000))
  check('open quotes', '<p a="'.repeat(160_000))
  check('open functions in a style', `<p style="${'a:url('.repeat(160_000)}">`)
  check('ends of other elements', '<div>'.repeat(100_000) + '</b>'.repeat(100_000))
})

const ELEMENT = /<(\/?)([a-z0-9]+)((?: [a-z]+(?:="[^"<>]*")?)*)( ?\/?)>/g
const ATTRIBUTE = / ([a-z]+)="([^"]*)"/g
const NEVER =
  /^(?:script|style|svg|math|iframe|object|embed|form|input|button|select|textarea|link|meta|base|template|video|audio|noscript|title|xmp|plaintext|details|dialog|area|map)$/

describe('nothing hostile comes out of the sanitiser', () => {
  for (const { name, bytes } of CORPUS)
    test(name, () => {
      const body = read(bytes, { kind: 'body', mode: 'html', sanitised: true })
      if (body.kind !== 'html') return
      // Every "<" of the output is of a tag that we know.
      strictEqual(body.html.replace(ELEMENT, '').includes('<'), false, body.html)
      for (const [, , element = '', attributes = ''] of body.html.matchAll(ELEMENT)) {
        ok(!NEVER.test(element), element)
        for (const [, attribute = '', value = ''] of attributes.matchAll(ATTRIBUTE)) {
          ok(!/^(?:on|id$|name$|class$|srcset$|data|background$|action|form)/.test(attribute), attribute)
          if (attribute === 'href') ok(/^(?:https?|mailto|tel):/.test(value), value)
          else if (attribute === 'src') ok(/^data:image\/[a-z+]+;base64,[\w+/=]*$/.test(value), value)
          else if (attribute === 'style') {
            ok(!/position|expression|binding|behavior|@|\\/.test(value), value)
            ok(!/url\((?!&quot;data:image\/)/.test(value), value)
          }
        }
      }
    })
})
