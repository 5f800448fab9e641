// What people type and paste as recipients, mailto: URLs, and what is looked at before sending.
import { describe, expect, it } from 'vitest'
import { formatTyped, inQuotes, parseTyped, splitAddresses } from '../web/compose/addresses.ts'
import { emptySubject, forgottenFile, warningsOf } from '../web/compose/checks.ts'
import { parseMailto } from '../web/compose/mailto.ts'
import { fieldTime, fieldValue, presets } from '../web/compose/schedule.ts'

describe('addresses', () => {
  it.each([
    ['a@x.test', ['a@x.test']],
    ['a@x.test, b@x.test;c@x.test\r\nd@x.test', ['a@x.test', 'b@x.test', 'c@x.test', 'd@x.test']],
    ['"Doe, Jo" <jo@x.test>, b@x.test', ['"Doe, Jo" <jo@x.test>', 'b@x.test']],
    ['"a \\" , b" <a@x.test>,c@x.test', ['"a \\" , b" <a@x.test>', 'c@x.test']],
    ['Team: a@x.test, "B, C" <b@x.test>;, d@x.test', ['a@x.test', '"B, C" <b@x.test>', 'd@x.test']],
    ['Ann "Bee, Cee" Dee <a@x.test>, b@x.test', ['Ann "Bee, Cee" Dee <a@x.test>', 'b@x.test']],
    ['Ann "Bee <a@x.test>, b@x.test\nC "D <c@x.test>', ['Ann "Bee <a@x.test>', 'b@x.test', 'C "D <c@x.test>']],
    ['nobody:;', []],
    ['O"Neil <o@x.test>, p@x.test', ['O"Neil <o@x.test>', 'p@x.test']],
    ['<a,b@x.test>', ['<a,b@x.test>']],
    [' , ;\n', []],
    // What is never closed ends with its line.
    ['<a@x.test\nb@x.test', ['<a@x.test', 'b@x.test']],
    ['"Ann <a@x.test>\nb@x.test', ['"Ann <a@x.test>', 'b@x.test']],
    ['Ann\tB <a@x.test>\x00', ['Ann B <a@x.test>']],
    ['a@[192.0.2.1], b@[IPv6:2001:db8::1]', ['a@[192.0.2.1]', 'b@[IPv6:2001:db8::1]']],
  ])('splits %j', (text, wanted) => expect(splitAddresses(text)).toEqual(wanted))

  it.each([
    ['"Bee, ', true],
    ['Ann "Bee, ', true],
    ['Ann "Bee \\" , ', true],
    ['Ann "Bee, Cee" Dee', false],
    ['O"Neil <o@x.test>', false],
    ['a@x.test', false],
  ])('%j goes on in quotes: %j', (text, wanted) => expect(inQuotes(text)).toBe(wanted))

  it('cuts what is longer than a line', () => {
    expect(splitAddresses('x'.repeat(20_000)).map(e => e.length)).toEqual([1_000])
  })

  it.each([
    ['a@x.test', { name: '', address: 'a@x.test' }],
    [' <a@x.test> ', { name: '', address: 'a@x.test' }],
    ['Ann "Bee, Cee" Dee <a@x.test>', { name: 'Ann "Bee, Cee" Dee', address: 'a@x.test' }],
    ['Ann B. <a@x.test>', { name: 'Ann B.', address: 'a@x.test' }],
    ['"Doe, \\"Jo\\"" <jo@x.test>', { name: 'Doe, "Jo"', address: 'jo@x.test' }],
    ['"odd local"@x.test', { name: '', address: '"odd local"@x.test' }],
    ['grüße@bücher.test', { name: '', address: 'grüße@bücher.test' }],
    ['a@[192.0.2.1]', { name: '', address: 'a@[192.0.2.1]' }],
    ['"a@b.test" <c@x.test>', { name: 'a@b.test', address: 'c@x.test' }],
    ['', undefined],
    ['<>', undefined],
    ['Ann <>', undefined],
    ['ann', undefined],
    ['a@b@c', undefined],
    ['a @x.test', undefined],
    ['a@x.test <', undefined],
    ['a@x.test, b@x.test', undefined],
    ['<a@x.test', undefined],
    [`${'a'.repeat(320)}@x.test`, undefined],
  ])('reads %j', (text, wanted) => expect(parseTyped(text)).toEqual(wanted))

  it('is not held up by what is no address', () => {
    const started = performance.now()
    expect(parseTyped(`a${' '.repeat(200_000)}b`)).toBeUndefined()
    expect(parseTyped(`"${'\\a'.repeat(100_000)}`)).toBeUndefined()
    splitAddresses('<'.repeat(200_000))
    expect(performance.now() - started).toBeLessThan(1_000)
  })

  it.each([
    [{ name: '', address: 'a@x.test' }, 'a@x.test'],
    [{ name: 'Ann B.', address: 'a@x.test' }, 'Ann B. <a@x.test>'],
    [{ name: 'Doe, Jo', address: 'jo@x.test' }, '"Doe, Jo" <jo@x.test>'],
    [{ name: 'a"\\b', address: 'a@x.test' }, '"a\\"\\\\b" <a@x.test>'],
    [{ name: 'Ann\r\nBcc: x@x.test', address: 'a@x.test' }, '"Ann Bcc: x@x.test" <a@x.test>'],
    [{ name: '\n', address: 'a@x.test' }, 'a@x.test'],
  ])('writes %j', (box, wanted) => {
    expect(formatTyped(box)).toBe(wanted)
    expect(splitAddresses(wanted)).toEqual([wanted])
    expect(parseTyped(wanted)?.address).toBe(box.address)
  })
})

describe('mailto', () => {
  const nothing = { to: [], cc: [], bcc: [], subject: '', text: '' }
  it.each([
    ['mailto:a@x.test', { to: ['a@x.test'] }],
    ['MAILTO:a@x.test,b@x.test', { to: ['a@x.test', 'b@x.test'] }],
    [
      'mailto:?to=a@x.test&cc=b@x.test,c@x.test&bcc=d@x.test',
      { to: ['a@x.test'], cc: ['b@x.test', 'c@x.test'], bcc: ['d@x.test'] },
    ],
    ['mailto:%22odd%2C%20one%22@x.test', { to: ['"odd, one"@x.test'] }],
    ['mailto:a@x.test?subject=a%20b+c&body=x%0D%0Ay', { to: ['a@x.test'], subject: 'a b+c', text: 'x\ny' }],
    ['mailto:a@x.test?Subject=1&SUBJECT=2', { to: ['a@x.test'], subject: '2' }],
    ['mailto:a@x.test?subject=a%0D%0ABcc:%20evil@x.test', { to: ['a@x.test'], subject: 'a Bcc: evil@x.test' }],
    ['mailto:a%0Ab@x.test', { to: ['a b@x.test'] }],
    ['mailto:a@x.test?attach=/etc/passwd&from=b@x.test&x-header=1', { to: ['a@x.test'] }],
    ['mailto:a@x.test?body=%E0%A4%A', { to: ['a@x.test'], text: '%E0%A4%A' }],
    ['mailto:a@x.test?body=a%00%1Bb%09c', { to: ['a@x.test'], text: 'ab\tc' }],
    ['mailto:a@x.test?subject=x#fragment', { to: ['a@x.test'], subject: 'x' }],
    ['mailto:', {}],
    ['mailto:?&=&subject', {}],
  ])('reads %j', (url, wanted) => expect(parseMailto(url)).toEqual({ ...nothing, ...wanted }))

  it('takes only as much as a message has room for', () => {
    const many = parseMailto(`mailto:${'a@x.test,'.repeat(20_000)}?cc=${'b@x.test,'.repeat(20_000)}`)
    expect(many.to).toHaveLength(1_000)
    expect(parseMailto(`mailto:?subject=${'x'.repeat(5_000)}`).subject).toHaveLength(998)
  })
})

describe('checks', () => {
  const message = { from: '', to: [], cc: [], bcc: [], subject: 's', text: '', attachments: [] }
  it.each([
    ['the file is attached', true],
    ['See ATTACHMENT.', true],
    ['siehe Anhang', true],
    ['voir pièce jointe', true],
    ['ci-joint', true],
    ['添付します', true],
    ['во вложении', true],
    ['reattached unattachable', false],
    ['> see the attachment', false],
    ['hello\n-- \nThis mail and its attachments are private', false],
    ['fyi\n\n---- Forwarded Message ----\n\nsee attachment', false],
    ['', false],
  ])('a text %j may speak of a file: %j', (text, found) => {
    expect(forgottenFile.check({ ...message, text }) !== undefined).toBe(found)
    const attachments = [{ filename: 'a', size: 1 }]
    expect(forgottenFile.check({ ...message, text, attachments })).toBeUndefined()
  })

  it('asks about an empty subject, and survives a check that fails', () => {
    const broken = {
      id: 'x.broken',
      check: () => {
        throw new Error('broken')
      },
    }
    const told = { id: 'x.told', check: () => ({ text: 'told' }) }
    expect(warningsOf([broken, emptySubject, told], { ...message, subject: ' ' })).toEqual([
      { id: 'compose.subject', text: 'There is no subject.', ask: true },
      { id: 'x.told', text: 'told', ask: false },
    ])
  })
})

describe('times to send at', () => {
  const at = (text: string): number => new Date(text).getTime()
  // A Thursday, a Sunday, a Monday.
  it.each([
    ['2026-11-26T16:45', ['2026-11-26T17:45', '2026-11-27T09:00', '2026-11-27T16:45', '2026-11-30T09:00']],
    ['2026-11-29T23:30', ['2026-11-30T00:30', '2026-11-30T09:00', '2026-11-30T23:30', '2026-11-30T09:00']],
    ['2026-11-30T08:00', ['2026-11-30T09:00', '2026-12-01T09:00', '2026-12-01T08:00', '2026-12-07T09:00']],
  ])('from %s', (from, wanted) => expect(presets(at(from)).map(p => fieldValue(p.at))).toEqual(wanted))

  it('reads what a field has', () => {
    expect(fieldTime(fieldValue(at('2026-02-03T04:05')))).toBe(at('2026-02-03T04:05'))
    expect(fieldTime('')).toBeNull()
    expect(fieldTime('soon')).toBeNull()
  })
})
