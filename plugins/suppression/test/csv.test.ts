// The CSV reader and writer: RFC 4180, limits, formulas.
import { deepStrictEqual, throws } from 'node:assert'
import { test } from 'vitest'
import { CsvError, CsvReader, csvLine, FIELDS, plainCell, RECORD_LENGTH } from '../src/csv.ts'

function read(text: string, chunk: number): string[][] {
  const reader = new CsvReader()
  const records = []
  for (let i = 0; i < text.length; i += chunk) records.push(...reader.push(text.slice(i, i + chunk)))
  const last = reader.finish()
  return [...records, ...(last === undefined ? [] : [last])].map(({ fields }) => [...fields])
}

test('records', () => {
  const check = (text: string, expected: string[][] | RegExp) => {
    for (const chunk of [1, 3, text.length + 1])
      if (expected instanceof RegExp)
        throws(
          () => read(text, chunk),
          (e: unknown) => e instanceof CsvError && expected.test(e.message),
        )
      else deepStrictEqual(read(text, chunk), expected, JSON.stringify(text))
  }
  check('', [])
  check('a', [['a']])
  check('a,b\r\n', [['a', 'b']])
  check('a,b\nc,d\n', [
    ['a', 'b'],
    ['c', 'd'],
  ])
  check('a\r\n\r\n\nb', [['a'], ['b']])
  check(',\n', [['', '']])
  check('a,\r\n', [['a', '']])
  check('"a,b","c""d","e\r\nf",""', [['a,b', 'c"d', 'e\r\nf', '']])
  check('ü,☺\n', [['ü', '☺']])
  check('a\nb"c\n', /^line 2 has a quote inside a field/)
  check('"a"b\n', /text after a closing quote/)
  check('a\rb\n', /carriage return without/)
  check('a\n"b\n', /^line 2 has a quote that is not closed/)
})

test('limits', () => {
  const fits = 'x'.repeat(RECORD_LENGTH - 1)
  deepStrictEqual(read(`${fits}\n`, 1_000), [[fits]])
  throws(() => read(`${fits}x\n`, 1_000), /line 1 has a record of more than 8192 characters/)
  throws(() => read(`a\n"${'\n'.repeat(RECORD_LENGTH)}`, 1_000), /line 2 has a record of more/)
  deepStrictEqual(read(','.repeat(FIELDS - 1), 10), [new Array(FIELDS).fill('')])
  throws(() => read(','.repeat(FIELDS), 10), /more than 64 fields/)
})

test('cells that are no formulas', () => {
  const check = (cell: string, line: string) => {
    deepStrictEqual(csvLine([cell, '1']), `${line},1\r\n`)
    const [record] = read(csvLine([cell, '1']), 100)
    deepStrictEqual(plainCell(record?.[0] ?? ''), cell, 'comes back as it was')
  }
  check('', '')
  check('bob@example.com', 'bob@example.com')
  check('@example.com', "'@example.com")
  check('=1+1@example.com', "'=1+1@example.com")
  check('+x', "'+x")
  check('-x', "'-x")
  check('\tx', "'\tx")
  check("'=x", "''=x")
  check("o'hara", "o'hara")
  check('=a"b', '"\'=a""b"')
  check('a\r\nb', '"a\r\nb"')
})
