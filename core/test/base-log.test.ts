import { type Log, MailError, reply, UsageError } from '@mox/plugin-sdk'
import { expect, test } from 'vitest'
import { createLog, type LogFormat, type LogLevel, messageOf, VALUE_LIMIT } from '../src/base/log.ts'
import { escapeControl, shorten } from '../src/base/text.ts'

function written(work: (log: Log) => void, format: LogFormat = 'logfmt', level: LogLevel = 'info'): string {
  let out = ''
  work(
    createLog({
      level,
      format,
      write: line => {
        out += line
      },
    }),
  )
  return out
}

test.each<[object, string]>([
  [{}, 'l=info m=hello\n'],
  [{ pkg: 'smtp-in', port: 25, tls: true }, 'l=info m=hello pkg=smtp-in port=25 tls=true\n'],
  [{ text: 'two words' }, 'l=info m=hello text="two words"\n'],
  [{ text: '' }, 'l=info m=hello text=""\n'],
  [{ text: 'a=b' }, 'l=info m=hello text="a=b"\n'],
  [{ text: 'say "hi" \\' }, 'l=info m=hello text="say \\"hi\\" \\\\"\n'],
  [{ text: 'x\r\nl=error m=forged' }, 'l=info m=hello text="x\\r\\nl=error m=forged"\n'],
  [{ text: '\u001b[31mred\u0000\u007f\u009b' }, 'l=info m=hello text="\\u001b[31mred\\u0000\\u007f\\u009b"\n'],
  [{ text: 'a\u202eb\u2028' }, 'l=info m=hello text="a\\u202eb\\u2028"\n'],
  [{ text: 'grüße' }, 'l=info m=hello text="grüße"\n'],
  [{ to: ['a@b', 'c@d'] }, 'l=info m=hello to="[\\"a@b\\",\\"c@d\\"]"\n'],
  [{ 'bad key\n': 1, none: undefined, nothing: null }, 'l=info m=hello bad_key_=1 nothing="null"\n'],
  [{ err: new UsageError('no such file') }, 'l=info m=hello err="no such file"\n'],
  [
    { err: new MailError('queue', reply(451, '4.3.0', 'later'), new Error('disk')) },
    'l=info m=hello err="451 4.3.0 later: disk"\n',
  ],
])('logfmt %j', (fields, expected) => {
  expect(written(log => log.info(fields, 'hello'))).toBe(expected)
})

test('an unexpected error has its stack, on the same line', () => {
  const out = written(log => log.error({ err: new Error('broken') }, 'oh'))
  expect(out).toMatch(/^l=error m=oh err=broken stack="Error: broken\\n {4}at /)
  expect(out.indexOf('\n')).toBe(out.length - 1)
})

test('a value at the limit and one beyond', () => {
  const value = (n: number): string =>
    written(log => log.info({ v: 'x'.repeat(n) }, 'm')).slice('l=info m=m v='.length, -1)
  expect(value(VALUE_LIMIT)).toBe('x'.repeat(VALUE_LIMIT))
  expect(value(VALUE_LIMIT + 1)).toBe(`"${'x'.repeat(VALUE_LIMIT - 1)}…"`)
})

test('levels, children and the count', () => {
  const levels: string[] = []
  let out = ''
  const log = createLog({
    level: 'debug',
    format: 'logfmt',
    write: line => (out += line),
    count: level => levels.push(level),
  })
  log.trace({}, 'no')
  log.debug({}, 'yes')
  log.child({ pkg: 'a' }).child({ pkg: 'b', hook: 'h' }).warn({ n: 1 }, 'careful')
  expect(out).toBe('l=debug m=yes\nl=warn m=careful pkg=b hook=h n=1\n')
  expect(levels).toEqual(['debug', 'warn'])
})

test('JSON: one object per line, control characters escaped', () => {
  const out = written(log => log.info({ text: 'a\u009b\u202e\nb' }, 'hello'), 'json')
  expect(out).toContain('\\u009b\\u202e\\nb')
  expect(JSON.parse(out)).toMatchObject({ l: 'info', m: 'hello', text: 'a\u009b\u202e\nb' })
})

test('messageOf follows causes, five deep, with codes', () => {
  expect(messageOf('text')).toBe('text')
  expect(messageOf(Object.assign(new Error('open'), { code: 'ENOENT' }))).toBe('open (ENOENT)')
  let error = new Error('0')
  for (let i = 1; i < 10; i++) error = new Error(String(i), { cause: error })
  expect(messageOf(error)).toBe('9: 8: 7: 6: 5')
})

test('escapeControl and shorten keep characters whole', () => {
  expect(escapeControl('a\nb\tc', '\n')).toBe('a\nb\\tc')
  expect(escapeControl('😀\ud83d')).toBe('😀\\ud83d')
  expect(shorten('abc', 3)).toBe('abc')
  expect(shorten('abcd', 3)).toBe('ab…')
  expect(shorten('a😀b', 3)).toBe('a…')
})
