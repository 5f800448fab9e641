// Reports of many makers, and what is understood of each. The samples are invented, in the forms that real servers use.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'vitest'
import { parseReport, REPORT_BYTES } from '../src/parse/report.ts'
import { DIAGNOSTIC_LENGTH, NAME_LENGTH, RECIPIENTS } from '../src/parse/types.ts'
import { addressOf, codeOf, hostOf, statusOf } from '../src/parse/values.ts'

const DIR = join(import.meta.dirname, 'samples')
const sample = (name: string): Buffer => readFileSync(join(DIR, `${name}.eml`))

/** File, kind, what is known of the message ("id": its Message-ID), and of each recipient: address action status code category. */
const SAMPLES: readonly (readonly [name: string, kind: string, about: string, recipients: readonly string[]])[] = [
  ['arf-abuse', 'complaint', 'id mx.isp.example 2030-01-01T12:00:00.000Z', ['bob@rcpt.example complained - 0 policy']],
  ['arf-not-spam', 'none', '', []],
  ['arf-redacted', 'complaint', 'id', ['bob@rcpt.example complained - 0 policy']],
  ['base64-status', 'bounce', 'id mx.sender.example', ['bob@rcpt.example failed 5.1.1 0 recipient']],
  ['exchange-delay', 'delay', 'id ex1.sender.example', ['bob@rcpt.example delayed 4.4.7 0 expired']],
  [
    'exchange-ip-literal',
    'bounce',
    'id [192.0.2.40] 2030-01-01T12:00:00.000Z',
    ['bob@rcpt.example failed 5.7.133 550 policy'],
  ],
  ['exchange-no-action', 'bounce', 'id ex1.sender.example', ['bob@rcpt.example failed 5.2.1 550 disabled']],
  ['exchange-old-text', 'bounce', '', ['bob@rcpt.example failed 5.1.1 550 recipient']],
  [
    'exchange-online',
    'bounce',
    'id AM0PR01MB0000.prod.exchange.example 2030-01-01T12:00:00.000Z',
    ['bob@rcpt.example failed 5.1.10 550 recipient'],
  ],
  ['exim-html-copy', 'bounce', '', ['bob@rcpt.example failed - 0 other', 'cid@rcpt.example failed - 0 other']],
  ['exim-report', 'bounce', 'id mx.sender.example', ['bob@rcpt.example failed 5.1.1 550 recipient']],
  [
    'exim-text-several',
    'bounce',
    'id',
    ['bob@nowhere.example failed - 0 domain', 'cid@rcpt.example failed - 0 expired'],
  ],
  ['exim-text', 'bounce', 'id', ['bob@rcpt.example failed 5.1.1 550 recipient']],
  ['exim-warning', 'delay', '', ['bob@rcpt.example delayed 4.7.0 421 policy']],
  ['expanded', 'success', 'id lists.rcpt.example', ['staff@rcpt.example expanded 2.0.0 0 other']],
  ['gmail-old-delay', 'delay', '', ['bob@rcpt.example delayed - 0 other']],
  ['gmail-old-text', 'bounce', 'id', ['bob@rcpt.example failed 5.1.1 550 recipient']],
  [
    'gmail-report',
    'bounce',
    'id googlemail.example 2030-01-01T12:00:00.000Z',
    ['bob@rcpt.example failed 5.1.1 550 recipient'],
  ],
  ['html-only', 'bounce', '', ['bob@rcpt.example failed 5.1.1 550 recipient']],
  ['latin1', 'bounce', 'id mx.sender.example', ['bob@rcpt.example failed 5.2.1 550 disabled']],
  ['mdn', 'none', '', []],
  ['mixed-not-report', 'bounce', 'id mx.rcpt.example', ['bob@rcpt.example failed 5.1.6 0 recipient']],
  ['no-blank-between', 'bounce', 'id mx.sender.example', ['bob@rcpt.example failed 5.1.1 550 recipient']],
  ['no-types', 'bounce', 'id mx.sender.example', ['bob@rcpt.example failed 5.1.1 0 recipient']],
  ['old-autoreply', 'auto-reply', '', []],
  ['only-original-recipient', 'bounce', 'id mx.sender.example', ['bob@rcpt.example failed 5.0.0 0 size']],
  ['ordinary', 'none', '', []],
  ['original-recipient-first', 'bounce', 'id mx.sender.example', ['bob@inner.rcpt.example failed 5.4.6 554 network']],
  ['postfix-bounced-by-us', 'bounce', 'id mx.sender.example', ['bob@nowhere.example failed 5.4.4 0 domain']],
  [
    'postfix-delayed',
    'delay',
    'id mx.sender.example 2030-01-01T12:00:00.000Z',
    ['bob@rcpt.example delayed 4.4.1 0 network'],
  ],
  [
    'postfix-failed',
    'bounce',
    'id mx.sender.example 2030-01-01T11:00:00.000Z',
    ['bob@rcpt.example failed 5.1.1 550 recipient'],
  ],
  ['postfix-relayed', 'success', 'id mx.rcpt.example', ['bob@rcpt.example relayed 2.0.0 250 other']],
  [
    'postfix-several',
    'bounce',
    'id mx.sender.example',
    [
      'bob@rcpt.example failed 5.2.2 552 full',
      'cid@rcpt.example failed 5.7.1 554 policy',
      'dan@rcpt.example delayed 4.2.0 450 other',
    ],
  ],
  ['postfix-success', 'success', 'id mx.rcpt.example ENV+1=2', ['bob@rcpt.example delivered 2.0.0 0 other']],
  [
    'postfix-text-only',
    'bounce',
    '',
    ['bob@rcpt.example failed 5.1.1 550 recipient', 'cid@other.example failed - 0 domain'],
  ],
  ['postfix-utf8', 'bounce', 'id mx.sender.example', ['grün@rcpt.example failed 5.1.1 550 recipient']],
  ['qmail-quota', 'bounce', 'id', ['bob@rcpt.example failed - 0 full']],
  ['qmail', 'bounce', 'id', ['bob@rcpt.example failed 5.1.1 550 recipient', 'cid@other.example failed 5.1.2 0 domain']],
  ['repeated-fields', 'bounce', 'id mx.sender.example', ['bob@rcpt.example failed 5.1.1 550 recipient']],
  [
    'sendmail-report',
    'bounce',
    'id mx.sender.example 2030-01-01T12:00:00.000Z',
    ['bob@rcpt.example failed 5.1.1 550 recipient'],
  ],
  ['sendmail-text-reason', 'bounce', '', ['bob@rcpt.example failed 5.2.2 552 full']],
  ['sendmail-text', 'bounce', 'id', ['bob@rcpt.example failed 5.1.1 550 recipient']],
  ['sendmail-unix', 'bounce', 'id mx.rcpt.example', ['bob@rcpt.example failed 5.3.0 0 network']],
  ['sendmail-warning', 'delay', '', ['bob@rcpt.example delayed 4.4.1 451 network']],
  ['status-only', 'delay', 'id', ['bob@rcpt.example delayed 4.2.2 0 full']],
  [
    'surplus-blank',
    'bounce',
    'id mx.sender.example',
    ['bob@rcpt.example failed 5.1.1 0 recipient', 'cid@rcpt.example failed 5.2.2 552 full'],
  ],
  ['text-typed-status', 'bounce', 'id gw.rcpt.example', ['bob@rcpt.example failed 5.3.4 552 size']],
  ['unknown-action', 'none', 'id mx.sender.example', ['bob@rcpt.example unrecognized - 0 other']],
  ['utf8-escaped', 'bounce', 'id mx.sender.example', ['grün+a@rcpt.example failed 5.1.1 550 recipient']],
  ['vacation', 'auto-reply', '', []],
  ['courier', 'bounce', 'id mx.rcpt.example 2030-01-01T12:00:00.000Z', ['bob@rcpt.example failed 5.0.0 554 recipient']],
  ['domino', 'bounce', 'id notes1.rcpt.example', ['bob@rcpt.example failed 5.1.1 0 recipient']],
  [
    'exchange-online-denied',
    'bounce',
    'id DB9PR01MB0001.prod.exchange.example 2030-01-01T12:00:00.000Z',
    ['bob@rcpt.example failed 5.7.606 550 policy'],
  ],
  ['haraka', 'bounce', 'id mx.sender.example 2030-01-01T12:00:00.000Z', ['bob@rcpt.example failed 5.3.4 552 size']],
  ['hmailserver-text', 'bounce', '', ['bob@rcpt.example failed 5.1.1 550 recipient']],
  [
    'icloud-full',
    'bounce',
    'id st11p00im-smtpin001.me.example 2030-01-01T12:00:00.000Z',
    ['bob@rcpt.example failed 5.2.2 552 full'],
  ],
  ['opensmtpd-text', 'bounce', 'id', ['bob@rcpt.example failed 5.2.2 550 full']],
  ['opensmtpd', 'bounce', 'id mx.sender.example', ['bob@rcpt.example failed 5.1.1 0 recipient']],
  ['ses', 'bounce', 'id a4-1.smtp-out.mailer.example', ['bob@rcpt.example failed 5.1.1 550 recipient']],
  ['yandex-text', 'bounce', 'id', ['bob@rcpt.example failed 5.7.1 550 recipient']],
  ['zimbra-expired', 'bounce', 'id mail.sender.example', ['bob@rcpt.example failed 4.4.7 0 expired']],
  ['yahoo-text', 'bounce', 'id', ['bob@rcpt.example failed - 554 recipient']],
]

function summary(bytes: Buffer): readonly unknown[] {
  const { kind, messageId, reportingMta, envelopeId, arrivalDate, recipients } = parseReport(bytes)
  const about = [
    messageId === '<orig-1@sender.example>' ? 'id' : messageId,
    ...[reportingMta, envelopeId, arrivalDate === null ? '' : new Date(arrivalDate).toISOString()],
  ]
  const rows = recipients.map(r => [r.finalRecipient, r.action, r.status || '-', r.code, r.category].join(' '))
  return [kind, about.filter(text => text !== '').join(' '), rows]
}

test('samples', () => {
  for (const [name, ...expected] of SAMPLES) {
    const bytes = sample(name)
    assert.deepEqual(summary(bytes), expected, name)
    assert.deepEqual(
      summary(Buffer.from(bytes.toString('latin1').replaceAll('\n', '\r\n'), 'latin1')),
      expected,
      `${name} with CRLF`,
    )
  }
  assert.deepEqual(SAMPLES.map(([name]) => `${name}.eml`).sort(), readdirSync(DIR).sort())
  assert.ok(SAMPLES.filter(([, kind]) => kind === 'bounce').length >= 40)
})

test('what servers said, and who', () => {
  const check = (name: string, remoteMta: string, diagnostic: string, index = 0) => {
    const said = parseReport(sample(name)).recipients[index]
    assert.deepEqual([said?.remoteMta, said?.diagnostic], [remoteMta, diagnostic], name)
  }
  check(
    'postfix-failed',
    'mx.rcpt.example',
    '550 5.1.1 <bob@rcpt.example>: Recipient address rejected: User unknown in virtual mailbox table',
  )
  check('postfix-delayed', '', 'connect to mx.rcpt.example[192.0.2.9]:25: Connection timed out')
  check(
    'postfix-text-only',
    'mx.rcpt.example',
    'host mx.rcpt.example[192.0.2.9] said: 550 5.1.1 <bob@rcpt.example>: Recipient address rejected: User unknown (in reply to RCPT TO command)',
  )
  check(
    'exim-text',
    'mx.rcpt.example',
    'SMTP error from remote mail server after RCPT TO:<bob@rcpt.example>: host mx.rcpt.example [192.0.2.9]: 550 5.1.1 <bob@rcpt.example>: no such user',
  )
  check(
    'exchange-ip-literal',
    '[192.0.2.41]',
    '550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required',
  )
  check(
    'gmail-report',
    'mx.rcpt.example',
    "550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking the recipient's email address for typos or 550 5.1.1 unnecessary spaces. gsmtp",
  )
  check('sendmail-text', '', '550 5.1.1 <bob@rcpt.example>... User unknown')
  check('sendmail-unix', '', '67')
  check('qmail', '', "Sorry, I couldn't find any host named other.example. (#5.1.2)", 1)
  check('latin1', '', '550 5.2.1 Postfach gesperrt: Müller')
  check('no-types', '', 'no such user')
  check('courier', 'mx.inner.rcpt.example', "554 delivery error: dd This user doesn't have a rcpt.example account")
  check('opensmtpd-text', '', '550 5.2.2 Mailbox is over quota')
  const { originalRecipient, finalRecipient } = parseReport(sample('original-recipient-first')).recipients[0] ?? {}
  assert.deepEqual([originalRecipient, finalRecipient], ['bob@rcpt.example', 'bob@inner.rcpt.example'])
})

test('values', () => {
  const check = <T>(read: (text: string) => T, text: string, expected: T) =>
    assert.deepEqual(read(text), expected, text)
  check(addressOf, 'rfc822;bob@example.net', 'bob@example.net')
  check(addressOf, ' RFC822 ; <bob@example.net>', 'bob@example.net')
  check(addressOf, 'bob@example.net', 'bob@example.net')
  check(addressOf, '"Bob" <bob@example.net>', 'bob@example.net')
  check(addressOf, "rfc822; 'bob@example.net'", 'bob@example.net')
  check(addressOf, 'rfc822; bob@example.net (Bob)', 'bob@example.net')
  check(addressOf, 'utf-8; \\x{1F600}\\x{D800}@example.net', '😀\\x{D800}@example.net')
  check(addressOf, 'rfc822;"a b"@example.net', '"a b"@example.net')
  check(addressOf, 'x\r\ny@example.net', 'x y@example.net')
  check(addressOf, '', '')
  check(addressOf, `rfc822;${'a'.repeat(NAME_LENGTH)}`, 'a'.repeat(NAME_LENGTH))
  check(addressOf, `rfc822;${'a'.repeat(NAME_LENGTH + 1)}`, 'a'.repeat(NAME_LENGTH))
  check(hostOf, 'dns; mx.example.net. (192.0.2.1)', 'mx.example.net')
  check(hostOf, 'dns; mx.example.net [192.0.2.1]', 'mx.example.net')
  check(hostOf, 'DNS;[192.0.2.1]', '[192.0.2.1]')
  check(hostOf, 'mx.example.net', 'mx.example.net')
  check(statusOf, '5.1.1 (no such user)', '5.1.1')
  check(statusOf, '(#5.1.2)', '5.1.2')
  check(statusOf, '550-5.1.1 no', '5.1.1')
  check(statusOf, 'host 192.5.1.1 said', '')
  check(statusOf, '3.1.1', '')
  check(statusOf, '5.1', '')
  check(codeOf, '550 5.1.1 no', 550)
  check(codeOf, '550-no', 550)
  check(codeOf, '554: no', 554)
  check(codeOf, '421', 421)
  check(codeOf, 'host [203.0.113.250]:550 said: 451 later', 451)
  check(codeOf, 'smtp;550 5.1.1 no', 550)
  check(codeOf, 'more than 500 bytes', 0)
  check(codeOf, '67', 0)
  check(codeOf, '192.0.2.250 does not like recipient', 0)
})

test('limits', () => {
  const block = (n: number) =>
    `Final-Recipient: rfc822; r${n}@rcpt.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 ${'x'.repeat(n === 0 ? 9_000 : 1)}\n`
  const report = (recipients: number) => {
    const blocks = Array.from({ length: recipients }, (_, n) => block(n)).join('\n')
    return Buffer.from(
      `Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; m\n\n${blocks}\n--b--\n`,
    )
  }
  assert.equal(parseReport(report(RECIPIENTS)).recipients.length, RECIPIENTS)
  const { recipients } = parseReport(report(RECIPIENTS + 1))
  assert.equal(recipients.length, RECIPIENTS)
  assert.equal(recipients[0]?.diagnostic.length, DIAGNOSTIC_LENGTH)

  // What stands beyond the bytes that are read does not count.
  const head = 'Content-Type: multipart/report; boundary=b\n\n--b\n\n'
  const tail = `\n--b\nContent-Type: message/delivery-status\n\n${block(1)}`
  const filled = (length: number) => Buffer.from(head + 'x'.repeat(length - head.length - tail.length) + tail)
  assert.equal(parseReport(filled(REPORT_BYTES)).kind, 'bounce')
  assert.equal(parseReport(filled(REPORT_BYTES + tail.length)).kind, 'none')
})

test('a report that is cut anywhere is no reason to fail', () => {
  for (const [name] of SAMPLES) {
    const bytes = sample(name)
    for (let end = 0; end < bytes.length; end += 7) parseReport(bytes.subarray(0, end))
  }
})

test('hostile text takes no time', () => {
  const started = performance.now()
  const opening = 'Subject: x\n\nThe following address failed:\n\n'
  for (const piece of ['<a@b', "'", '(', '<<<<', ' ', '<a@b>: ', '1.', '5.5.', 'host host ', '=?', '- '])
    parseReport(Buffer.from(opening + piece.repeat(200_000 / piece.length)))
  for (const piece of ['(', '(a', '\\x{', '<', ' ;'])
    parseReport(
      Buffer.from(
        `Content-Type: message/delivery-status\n\nFinal-Recipient: ${piece.repeat(30_000)}\nStatus: ${piece.repeat(30_000)}\n`,
      ),
    )
  assert.ok(performance.now() - started < 2_000)
})
