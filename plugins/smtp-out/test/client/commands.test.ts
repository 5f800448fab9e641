// Lengths of commands at the limit and one beyond, and what EHLO announced, keyword by keyword.
import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict'
import { test } from 'vitest'
import { greetingLine, mailLine, rcptLine } from '../../src/client/commands.ts'
import { NO_EXTENSIONS, parseExtensions } from '../../src/client/extensions.ts'
import { Failure } from '../../src/client/failure.ts'
import type { Extensions } from '../../src/client/index.ts'
import { COMMAND_OCTETS, MAIL_OCTETS, RCPT_OCTETS } from '../../src/client/limits.ts'
import { messageOf, path } from '../support/run.ts'

const ALL: Extensions = { ...NO_EXTENSIONS, dsn: true, size: 0, eightBitMime: true, smtputf8: true, requireTls: true }

test('lengths', () => {
  const mail = (envid: number) => mailLine(messageOf({ message: { envid: 'x'.repeat(envid) } }), [], ALL, true)
  const fits = MAIL_OCTETS - 'MAIL FROM:<alice@example.org> SIZE=24 ENVID=\r\n'.length
  strictEqual(String(mail(fits)).length, MAIL_OCTETS)
  ok(mail(fits + 1) instanceof Failure)

  const rcpt = (orcpt: number) => rcptLine({ id: 1, path: path('b@example.com'), orcpt: 'x'.repeat(orcpt) }, ALL)
  const room = RCPT_OCTETS - 'RCPT TO:<b@example.com> ORCPT=\r\n'.length
  strictEqual(String(rcpt(room)).length, RCPT_OCTETS)
  ok(rcpt(room + 1) instanceof Failure)

  const name = COMMAND_OCTETS - 'EHLO \r\n'.length
  strictEqual(greetingLine('EHLO', 'x'.repeat(name)).length, COMMAND_OCTETS)
  try {
    greetingLine('EHLO', 'x'.repeat(name + 1))
    ok(false)
  } catch (error) {
    ok(error instanceof Failure && error.kind === 'local')
  }
})

function check(lines: readonly string[], expected: Partial<Extensions>): void {
  deepStrictEqual(parseExtensions(['mx.example.com', ...lines].join('\n')), { ...NO_EXTENSIONS, ...expected })
}

test('keywords', () => {
  check([], {})
  check(['STARTTLS', 'ENHANCEDSTATUSCODES', '8BITMIME', 'PIPELINING', 'REQUIRETLS', 'SMTPUTF8', 'DSN'], {
    starttls: true,
    enhancedStatusCodes: true,
    eightBitMime: true,
    pipelining: true,
    requireTls: true,
    smtputf8: true,
    dsn: true,
  })
  check(['8bitmime ', ' dsn'], { eightBitMime: true, dsn: true })
  check(['X-STARTTLS', 'NOSTARTTLS', 'STARTTLSX', '', '!', 'CHUNKING'], {})
  check(['SIZE 10'], { size: 10 })
  check(['SIZE'], { size: 0 })
  check(['SIZE 99999999999999999999'], { size: 1e20 })
  check(['SIZE 999999999999999999999'], {})
  check(['SIZE -1'], {})
  check(['SIZE 10 20'], {})
  check(['SIZE 10', 'SIZE 20'], { size: 10 })
  check(['AUTH PLAIN login'], { auth: ['PLAIN', 'LOGIN'] })
  check(['AUTH PLAIN', 'AUTH=PLAIN LOGIN'], { auth: ['PLAIN', 'LOGIN'] })
  check(['AUTH'], {})
  check(['LIMITS RCPTMAX=100 MAILMAX=1 RCPTDOMAINMAX=999999'], {
    limits: { rcptMax: 100, mailMax: 1, rcptDomainMax: 999999 },
  })
  check(['LIMITS rcptmax=5'], { limits: { rcptMax: 5 } })
  check(['LIMITS RCPTMAX=5', 'LIMITS RCPTMAX=6'], {})
  check(['LIMITS X=1 X=2 RCPTMAX=5'], {})
})
