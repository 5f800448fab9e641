// MAIL and RCPT lines, and xtext.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  COMMAND_PARAMETERS,
  decodeXtext,
  encodeXtext,
  formatPath,
  parseMailCommand,
  parseRcptCommand,
} from '../../src/mail/index.ts'

/** `expected`: the path and the parameters as "K=V", or "fault: error". */
function check(line: string, expected: string, smtputf8: boolean = false): void {
  const rcpt = /^rcpt/i.test(line)
  const result = rcpt ? parseRcptCommand(line, { smtputf8 }) : parseMailCommand(line)
  const params = result.ok ? [...result.params].map(([k, v]) => (v === true ? ` ${k}` : ` ${k}=${v}`)).join('') : ''
  expect(result.ok ? formatPath(result.path) + params : `${result.fault}: ${result.error}`, line).toBe(expected)
}

test('MAIL', () => {
  check('MAIL FROM:<a@b>', '<a@b>')
  check('mail from:<>', '<>')
  check('MAIL FROM: <a@b>', '<a@b>')
  check('MAIL FROM:<a@b> SIZE=10 body=8BITMIME', '<a@b> SIZE=10 BODY=8BITMIME')
  check('MAIL FROM:<a@b>  SIZE=10  ', '<a@b> SIZE=10')
  check('MAIL FROM:<a@b> AUTH=<>', '<a@b> AUTH=<>')
  check('MAIL FROM:<"> "@b> SIZE=1', '<"> "@b> SIZE=1')
  check('MAIL FROM:<ü@b> SMTPUTF8', '<ü@b> SMTPUTF8')
  check('MAIL FROM:<ü@b>', 'path: non-ASCII localpart without SMTPUTF8')
  check('MAIL FROM:<\ufffd@b> SMTPUTF8', 'path: bad character in localpart')
  check('MAIL FROM <a@b>', 'syntax: syntax error in command')
  check('MAIL', 'syntax: syntax error in command')
  check('MAIL FROM:  <a@b>', 'path: address not in angle brackets')
  check('MAIL FROM:a@b', 'path: address not in angle brackets')
  check('MAIL FROM:<"a@b>', 'path: address not in angle brackets')
})

test('parameters', () => {
  const bad = 'parameters: syntax error in parameters'
  check('MAIL FROM:<a@b>SIZE=1', bad)
  check('MAIL FROM:<a@b> SIZE=1 size=2', bad)
  check('MAIL FROM:<a@b> SIZE=', bad)
  check('MAIL FROM:<a@b> SIZE=1=2', bad)
  check('MAIL FROM:<a@b> =1', bad)
  check('MAIL FROM:<a@b> -X', bad)
  check('MAIL FROM:<a@b> <c@d>', bad)
  check('MAIL FROM:<a@b> \0', bad)
  check('MAIL FROM:<a@b>\tSIZE=1', bad)
  check('MAIL FROM:<a@b> X=a\x7f', bad)
  check('MAIL FROM:<a@b> X=ü', 'parameters: non-ASCII parameter without SMTPUTF8')
  check('MAIL FROM:<a@b> X=ü SMTPUTF8', '<a@b> X=ü SMTPUTF8')
  const params = Array.from({ length: COMMAND_PARAMETERS }, (_, i) => ` X${i}`).join('')
  check(`MAIL FROM:<a@b>${params}`, `<a@b>${params}`)
  check(`MAIL FROM:<a@b>${params} Y`, bad)
})

test('RCPT', () => {
  check('RCPT TO:<a@b> NOTIFY=NEVER ORCPT=rfc822;a+2Bx@b', '<a@b> NOTIFY=NEVER ORCPT=rfc822;a+2Bx@b')
  check('Rcpt To:<Postmaster>', '<Postmaster>')
  check('RCPT TO:<>', 'path: empty forward-path')
  check('RCPT TO:<ü@b>', 'path: non-ASCII localpart without SMTPUTF8')
  check('RCPT TO:<ü@b>', '<ü@b>', true)
})

test('xtext', () => {
  const decodes = (text: string, expected: string | null): void => expect(decodeXtext(text), text).toBe(expected)
  decodes('', '')
  decodes('abc', 'abc')
  decodes('a+2Bb+3Dc', 'a+b=c')
  decodes('+C3+BC', 'ü')
  decodes('a+2b', null)
  decodes('a+', null)
  decodes('a=b', null)
  decodes('a b', null)
  decodes('+0D+0A', null)
  decodes('+FF', null)
  expect(encodeXtext('a+b=c ü')).toBe('a+2Bb+3Dc+20+C3+BC')
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'ab+= üé語~!') }), text => {
      expect(decodeXtext(encodeXtext(text))).toBe(text)
    }),
  )
})
