import { expect, test } from 'vitest'
import { type Rendered, render, renderBytes } from '../src/cli/render.ts'

const rows = (rows: Record<string, unknown>[], more = false, next?: string): Rendered => ({
  kind: 'rows',
  columns: ['id', 'to'],
  rows,
  more,
  ...(next === undefined ? {} : { next }),
})

function check(result: Rendered, expected: string, columns?: number): void {
  expect(render(result, { json: false, columns })).toBe(expected)
}

test('tables', () => {
  check(rows([]), 'none\n')
  check(
    rows([
      { id: 1, to: 'a@b' },
      { id: 200, to: 'longer@example.org' },
    ]),
    ' id  to\n  1  a@b\n200  longer@example.org\n',
  )
  check(rows([{ id: 1, to: 'x' }], true), 'id  to\n 1  x\n1 shown, there are more; see --limit\n')
  check(
    rows([{ id: 1, to: 'x' }], true, '--after 5.1'),
    'id  to\n 1  x\n1 shown, there are more; see --limit, or go on with --after 5.1\n',
  )
  check(
    rows([
      { id: 1, to: undefined },
      { id: 2, to: null },
    ]),
    'id  to\n 1\n 2\n',
  )
  check(
    rows([
      { id: 'x', to: ['a', 'b'] },
      { id: 1, to: { a: 1 } },
    ]),
    'id  to\nx   a, b\n1   {"a":1}\n',
  )
})

test('nothing in a table controls the terminal', () => {
  check(rows([{ id: 1, to: '\u001b[2J\r\nx\u202e' }]), 'id  to\n 1  \\u001b[2J\\r\\nx\\u202e\n')
})

test('tables fit the terminal', () => {
  const wide = rows([{ id: 1234567890, to: 'somebody.with.a.long.name@example.org' }])
  check(wide, '        id  to\n1234567890  somebody.with.a.long.name@example.org\n', 80)
  check(wide, '        id  to\n1234567890  somebody.with…\n', 26)
  check(wide, '    id  to\n12345…  someb…\n', 10)
})

test('wide and combining characters keep the columns', () => {
  const result: Rendered = {
    kind: 'rows',
    columns: ['a', 'b'],
    rows: [
      { a: '日本', b: 1 },
      { a: 'e\u0301', b: 2 },
      { a: '😀', b: 3 },
    ],
  }
  check(result, 'a     b\n日本  1\ne\u0301     2\n😀    3\n')
})

test('values, text and JSON', () => {
  check({ kind: 'value', value: { a: '\u009b' } }, '{\n  "a": "\\u009b"\n}\n')
  check({ kind: 'text', text: 'a\u001b\n\tb' }, 'a\\u001b\n\tb\n')
  check({ kind: 'text', text: '' }, '')
  expect(render(rows([{ id: 1, to: 'x', hidden: 2 }]), { json: true, columns: 5 })).toBe(
    '[\n  {\n    "id": 1,\n    "to": "x",\n    "hidden": 2\n  }\n]\n',
  )
})

test('bytes on a terminal', async () => {
  async function* chunks() {
    yield Buffer.from('a\u001b\tb\r\ncaf\u00e9'.slice(0, -1))
    yield Buffer.from([0xc3])
    yield Buffer.from([0xa9, 0x0d])
    yield Buffer.from([0x0a, 0xff])
  }
  let out = ''
  for await (const text of renderBytes(chunks())) out += text
  expect(out).toBe('a\\u001b\tb\ncafé\n\ufffd')
})
