// DSNs as bytes: whole messages compared with files, and whatever servers and senders say comes back from our own parser as it
// was meant, in lines that every server takes.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Attempt } from '@mox/plugin-sdk'
import { formatAddress, HEADER_BYTES, LINE_OCTETS, parseAddress, parseStructure } from '@mox/plugin-sdk/mail'
import { sampleAttempt, samplePath, TEST_NOW } from '@mox/plugin-sdk/testkit'
import fc from 'fast-check'
import { test } from 'vitest'
import { fieldValue, originalRecipient, textBody, typedAddress, VALUE_LENGTH } from '../src/compose/encode.ts'
import { composeDsn, needsUtf8 } from '../src/compose/message.ts'
import { replyLines } from '../src/compose/reply.ts'
import { returnedPart } from '../src/compose/returned.ts'
import { statusCode } from '../src/compose/status.ts'
import { draftFor, LISTED_LENGTH } from '../src/compose/text.ts'
import type { DsnKind, ReportedMessage, ReportedRecipient } from '../src/model.ts'
import { parseReport } from '../src/parse/report.ts'

const PREFIX = Buffer.from(
  'Received: from mail.example.org by mail.example.org via tcp; Tue, 1 Jan 2030 12:00:00 +0000\r\n',
)
const CONTENT = Buffer.from(
  'From: Alice <alice@example.org>\r\nTo: bob@example.net\r\nSubject: hello\r\nMessage-ID: <1@example.org>\r\n\r\nHello Bob.\r\n',
)

const MESSAGE: ReportedMessage = {
  messageId: 7,
  receivedAt: TEST_NOW,
  account: 'alice',
  reversePath: samplePath('alice@example.org'),
  messageIdHeader: '<1@example.org>',
  subject: 'hello',
  size: PREFIX.length + CONTENT.length,
  has8bit: false,
  smtputf8: false,
  kind: 'submission',
  helo: '',
  remoteIp: '127.0.0.1',
}

const REFUSED: Attempt = sampleAttempt({
  ...{ outcome: 'permanent', code: 550, enhanced: '5.1.1', text: 'no such user here\nask postmaster', stage: 'rcpt' },
  ...{ remoteHost: 'mx.example.net', remoteIp: '192.0.2.1' },
})

const RECIPIENT: ReportedRecipient = {
  ...{ queueId: 12, recipient: samplePath('bob@example.net'), action: 'failed', status: 'failed', attempt: REFUSED },
  ...{ attempts: 1, firstAttempt: TEST_NOW },
}

const composed = (name: string): Buffer => readFileSync(join(import.meta.dirname, 'composed', `${name}.eml`))

interface Input {
  readonly kind: DsnKind
  readonly message?: Partial<ReportedMessage>
  readonly recipients?: readonly Partial<ReportedRecipient>[]
  readonly content?: Buffer
  readonly full?: boolean
  readonly local?: boolean
  readonly subject?: string
}

function compose({
  kind,
  message: fields,
  recipients: given = [{}],
  content = CONTENT,
  full = false,
  local = true,
  subject,
}: Input): Buffer {
  const message = { ...MESSAGE, ...fields }
  const to = message.reversePath ?? samplePath('alice@example.org')
  const utf8 = needsUtf8(message, to, local)
  const recipients = given.map(one => ({ ...RECIPIENT, ...one }))
  const draft = draftFor(kind, message, recipients)
  return composeDsn({
    ...{
      hostname: 'mail.example.org',
      now: TEST_NOW + 60_000,
      messageId: 'dsn1@mail.example.org',
      boundary: 'dsn-boundary',
    },
    ...{ to, message, recipients, utf8 },
    draft: subject === undefined ? draft : { ...draft, subject },
    returned: returnedPart({ prefix: PREFIX, content, full, utf8, eightBit: local }),
  })
}

test('whole messages', () => {
  const same = (name: string, input: Input) => {
    const text = compose(input).toString()
    assert.ok(!/(?<!\r)\n|\r(?!\n)/.test(text), name)
    assert.equal(text.replaceAll('\r\n', '\n'), composed(name).toString(), name)
  }
  same('failed', {
    kind: 'failed',
    message: { envid: 'ENV 1', futureReleaseRequest: 'for;3600' },
    recipients: [{ orcpt: 'rfc822;Bob@example.net' }],
  })
  same('failed-whole-message', { kind: 'failed', full: true })
  same('expired', {
    kind: 'failed',
    recipients: [
      {
        attempts: 8,
        attempt: sampleAttempt({
          number: 8,
          code: 0,
          enhanced: '',
          text: 'connect to 192.0.2.1: connection refused',
          stage: 'connect',
        }),
      },
    ],
  })
  same('delayed', {
    kind: 'delayed',
    recipients: [
      {
        action: 'delayed',
        attempts: 5,
        attempt: sampleAttempt({ number: 5, stage: 'rcpt', remoteIp: '2001:db8::1' }),
        retryAt: [1, 2, 3].map(h => TEST_NOW + h * 3_600_000),
      },
    ],
  })
  const delivered = sampleAttempt({
    outcome: 'delivered',
    code: 250,
    enhanced: '2.0.0',
    text: 'queued',
    remoteHost: 'mx.example.net',
    stage: 'end',
  })
  const { stage: _, ...here } = delivered
  same('success', {
    kind: 'success',
    recipients: [
      { action: 'delivered', status: 'delivered', attempt: here },
      {
        queueId: 13,
        recipient: samplePath('carol@example.net'),
        action: 'relayed',
        status: 'delivered',
        attempt: delivered,
      },
      {
        queueId: 14,
        recipient: samplePath('team@example.org'),
        action: 'expanded',
        status: 'delivered',
        attempt: here,
      },
    ],
  })
  same('several', {
    kind: 'failed',
    recipients: [
      {},
      {
        queueId: 13,
        recipient: samplePath('x@example.com'),
        status: 'suppressed',
        attempt: sampleAttempt({
          number: 0,
          outcome: 'permanent',
          code: 0,
          enhanced: '',
          text: 'on the suppression list',
        }),
      },
    ],
  })
  const grün: Partial<ReportedMessage> = {
    smtputf8: true,
    has8bit: true,
    subject: 'Grüße',
    reversePath: { localpart: 'grün', domain: 'example.org' },
  }
  const utf8Recipient = {
    recipient: { localpart: 'zoë+x', domain: 'xn--bcher-kva.example' },
    orcpt: 'utf-8;zoë@bücher.example',
    attempt: { ...REFUSED, text: 'kein Postfach für Zoë' },
  }
  const utf8Content = Buffer.from('From: grün@example.org\r\nSubject: Grüße\r\n\r\nHallo.\r\n')
  same('utf8', { kind: 'failed', message: grün, recipients: [utf8Recipient], content: utf8Content })
  same('utf8-as-ascii', {
    kind: 'failed',
    message: { ...grün, reversePath: samplePath('alice@example.org') },
    recipients: [utf8Recipient],
    content: utf8Content,
    local: false,
  })
  same('from-outside', {
    kind: 'failed',
    local: false,
    message: { kind: 'delivery', account: '', helo: 'mx.remote.example', remoteIp: '198.51.100.7' },
  })
})

test('which form a DSN has', () => {
  const check = (smtputf8: boolean, to: string, local: boolean, expected: boolean) =>
    assert.equal(needsUtf8({ ...MESSAGE, smtputf8 }, samplePath(to), local), expected, `${smtputf8} ${to} ${local}`)
  check(false, 'alice@example.org', true, false)
  check(true, 'alice@example.org', true, true)
  check(true, 'alice@example.org', false, false)
  check(true, 'grün@example.org', false, true)
  check(false, 'grün@example.org', false, false)
})

test('status codes', () => {
  const check = (action: ReportedRecipient['action'], attempt: Partial<Attempt> | undefined, expected: string) => {
    const { attempt: _, ...rest } = RECIPIENT
    assert.equal(
      statusCode({ ...rest, action, ...(attempt === undefined ? {} : { attempt: sampleAttempt(attempt) }) }),
      expected,
    )
  }
  check('failed', { outcome: 'permanent', enhanced: '5.1.1' }, '5.1.1')
  check('failed', { outcome: 'temporary', enhanced: '4.2.2' }, '5.2.2')
  check('failed', { outcome: 'temporary', enhanced: '' }, '5.4.7')
  check('failed', { outcome: 'permanent', enhanced: '' }, '5.0.0')
  check('failed', { outcome: 'permanent', enhanced: '5.1.1\r\nX: y' }, '5.0.0')
  check('failed', undefined, '5.0.0')
  check('delayed', { enhanced: '4.4.1' }, '4.4.1')
  check('delayed', { enhanced: '' }, '4.0.0')
  check('relayed', { outcome: 'delivered', enhanced: '2.6.0' }, '2.6.0')
  check('delivered', undefined, '2.0.0')
})

test('addresses', () => {
  const check = (address: string, utf8: boolean, expected: string) => {
    const parsed = parseAddress(address)
    assert.ok(parsed.ok, address)
    assert.equal(typedAddress(parsed.path, utf8), expected)
  }
  check('bob+x=y@example.net', false, 'rfc822; bob+x=y@example.net')
  check('"a b"@example.net', false, 'rfc822; "a b"@example.net')
  check('grün+x@example.net', true, 'utf-8; grün\\x{2B}x@example.net')
  check('grün+x@example.net', false, 'utf-8; gr\\x{FC}n\\x{2B}x@example.net')
  check('😀@example.net', false, 'utf-8; \\x{1F600}@example.net')
  const original = (orcpt: string | undefined, utf8: boolean, expected: string | undefined) =>
    assert.equal(originalRecipient(orcpt, utf8), expected)
  original('rfc822;bob@example.net', false, 'rfc822; bob@example.net')
  original('x400;/c=de/', false, 'x400; /c=de/')
  original('utf-8;grün@example.net', false, 'utf-8; gr\\x{FC}n@example.net')
  original('utf-8;grün@example.net', true, 'utf-8; grün@example.net')
  original('no type', true, undefined)
  original('a b;c', true, undefined)
  original(undefined, true, undefined)
})

test('what is returned', () => {
  const check = (options: Partial<Parameters<typeof returnedPart>[0]>, contentType: string, encoding: string) => {
    const part = returnedPart({
      prefix: PREFIX,
      content: CONTENT,
      full: false,
      utf8: false,
      eightBit: false,
      ...options,
    })
    assert.deepEqual([part.contentType, part.encoding], [contentType, encoding])
  }
  const body8 = Buffer.from('From: a@b.example\r\n\r\nGrüße\r\n')
  const head8 = Buffer.from('Subject: Grüße\r\n\r\nhello\r\n')
  const long = (octets: number) => Buffer.from(`Subject: x\r\n\r\n${'y'.repeat(octets)}\r\n`)
  check({}, 'text/rfc822-headers', '7bit')
  check({ full: true }, 'message/rfc822', '7bit')
  check({ full: true, content: body8, eightBit: true }, 'message/rfc822', '8bit')
  check({ full: true, content: body8 }, 'text/rfc822-headers', '7bit')
  check({ full: true, content: long(LINE_OCTETS), eightBit: true }, 'message/rfc822', '7bit')
  check({ full: true, content: long(LINE_OCTETS + 1), eightBit: true }, 'text/rfc822-headers', '7bit')
  check({ content: head8 }, 'text/rfc822-headers; charset=utf-8', 'base64')
  check({ content: head8, utf8: true, eightBit: true }, 'message/global-headers', '8bit')
  check({ content: head8, full: true, utf8: true, eightBit: true }, 'message/global', '8bit')
  check(
    { content: Buffer.from(`Subject: ${'x'.repeat(1_000)}\r\n\r\n`) },
    'text/rfc822-headers; charset=utf-8',
    'base64',
  )
  check({ content: Buffer.from(`Subject: x\0y\r\n\r\n`) }, 'text/rfc822-headers; charset=utf-8', 'base64')
  const { body } = returnedPart({ prefix: PREFIX, content: CONTENT, full: false, utf8: false, eightBit: true })
  assert.equal(body.toString(), `${PREFIX}${CONTENT.toString().split('\r\n\r\n')[0]}\r\n`)
  const endless = Buffer.from('Subject: x\r\n'.repeat(HEADER_BYTES / 10))
  assert.ok(
    returnedPart({ prefix: PREFIX, content: endless, full: false, utf8: false, eightBit: true }).body.length <=
      PREFIX.length + HEADER_BYTES,
  )
})

test('replies as lines', () => {
  const check = (fields: Partial<Attempt>, expected: readonly string[]) =>
    assert.deepEqual(replyLines(sampleAttempt(fields)), expected)
  check({ code: 550, enhanced: '5.1.1', text: 'no' }, ['550 5.1.1 no'])
  check({ code: 550, enhanced: '5.1.1', text: 'no\nsuch\nuser' }, ['550-5.1.1 no', '550-5.1.1 such', '550 5.1.1 user'])
  check({ code: 550, enhanced: '', text: 'no' }, ['550 no'])
  check({ code: 550, enhanced: '5.1.1', text: '5.1.1 no' }, ['550 5.1.1 no'])
  check({ code: 550, enhanced: '', text: '' }, ['550'])
  check({ code: 0, enhanced: '', text: 'connection refused' }, [])
})

test('values of fields', () => {
  const check = (text: string, utf8: boolean, expected: string) => assert.equal(fieldValue(text, utf8), expected)
  check('a\r\nX-Evil: yes', true, 'a X-Evil: yes')
  check('a\0\x07\u2028\u202eb', true, 'a b')
  check('grün', true, 'grün')
  check('grün 😀', false, 'gr\\x{FC}n \\x{1F600}')
  check('\ud800', true, '\ufffd')
  check(' a   b ', true, 'a b')
  check('x'.repeat(450), true, `${'x'.repeat(200)} ${'x'.repeat(200)} ${'x'.repeat(50)}`)
  assert.equal(fieldValue('x '.repeat(VALUE_LENGTH), true).length, VALUE_LENGTH - 1)
})

test('text bodies', () => {
  const check = (text: string, utf8: boolean, encoding: string, body: string) => {
    const encoded = textBody(text, utf8)
    assert.deepEqual([encoded.encoding, encoded.body.toString()], [encoding, body])
  }
  check('a\nb', false, '7bit', 'a\r\nb\r\n')
  check('ü', true, '8bit', 'ü\r\n')
  check('ü = x ', false, 'quoted-printable', '=C3=BC =3D x\r\n')
  check('a\r\n.\r\n\0', false, '7bit', 'a\r\n.\r\n')
  const long = textBody(`${'x'.repeat(LINE_OCTETS + 1)} `, true)
  assert.equal(long.encoding, 'quoted-printable')
  assert.ok(
    long.body
      .toString()
      .split('\r\n')
      .every(line => line.length <= 76),
  )
  assert.equal(textBody('x'.repeat(LINE_OCTETS), true).encoding, '7bit')
})

test('a list of recipients ends', () => {
  const recipients = Array.from({ length: 500 }, (_, n) => ({
    ...RECIPIENT,
    recipient: samplePath(`r${n}@example.net`),
    attempt: { ...REFUSED, text: 'no '.repeat(200) },
  }))
  const { text } = draftFor('failed', MESSAGE, recipients)
  assert.ok(text.length < LISTED_LENGTH + 2_000)
  assert.match(text, /and \d+ more, listed in the second part/)
  const dsn = compose({ kind: 'failed', recipients })
  assert.equal(parseReport(dsn).recipients.length, 500)
})

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.stringMatching(/^[ -~]{0,200}$/),
  fc
    .array(
      fc.constantFrom(
        '\r\n',
        '\n',
        '\r',
        '\0',
        '--dsn-boundary',
        '\r\n\r\n',
        'X-Evil: 1',
        '=?utf-8?q?x?=',
        '.',
        '550 ',
        'ü',
        '\u202e',
        '(',
        ')',
        '<',
        '>',
        ';',
        'x'.repeat(1_200),
      ),
      { maxLength: 20 },
    )
    .map(parts => parts.join('')),
  fc.constant('y'.repeat(10_000)),
)

test('whatever a server or a sender says, the DSN is whole and says the same', () => {
  const localpart = fc.oneof(
    fc.stringMatching(/^[a-z0-9.+=_-]{1,20}$/),
    fc.constantFrom('grün', 'zoë+1', '"a b"', 'ẞ', '用户'),
  )
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          localpart,
          hostile,
          fc.constantFrom(0, 421, 450, 550, 554),
          fc.constantFrom('', '5.1.1', '4.2.2', '5.7.26'),
        ),
        { minLength: 1, maxLength: 5 },
      ),
      fc.record({
        subject: hostile,
        envid: hostile,
        messageIdHeader: hostile,
        helo: hostile,
        futureReleaseRequest: hostile,
        smtputf8: fc.boolean(),
      }),
      fc.record({ remoteHost: hostile, remoteIp: hostile, orcpt: hostile }),
      fc.boolean(),
      (people, fields, { remoteHost, remoteIp, orcpt }, local) => {
        const recipients = people.flatMap(([local, text, code, enhanced], n) => {
          const parsed = parseAddress(`${local}@example.net`)
          if (!parsed.ok) return []
          const attempt = sampleAttempt({
            outcome: 'permanent',
            code,
            enhanced,
            text,
            remoteHost,
            remoteIp,
            stage: 'rcpt',
          })
          return [{ ...RECIPIENT, queueId: n + 1, recipient: parsed.path, attempt, ...(n === 0 ? { orcpt } : {}) }]
        })
        if (recipients.length === 0) return
        const bytes = compose({
          kind: 'failed',
          message: fields,
          recipients,
          local,
          subject: fields.subject === '' ? 'x' : fields.subject,
        })
        for (const line of bytes.toString('latin1').split('\r\n')) {
          assert.ok(line.length <= LINE_OCTETS)
          assert.ok(!/[\r\n\0]/.test(line))
        }
        const root = parseStructure(bytes)
        assert.deepEqual(root.problems, [])
        assert.equal(root.children.length, 3)
        assert.equal(root.head.count('x-evil'), 0)
        for (const name of ['from', 'to', 'subject', 'date', 'message-id', 'content-type'])
          assert.equal(root.head.count(name), 1, name)
        const report = parseReport(bytes)
        assert.equal(report.kind, 'bounce')
        assert.equal(report.reportingMta, 'mail.example.org')
        assert.equal(report.arrivalDate, TEST_NOW)
        assert.deepEqual(
          report.recipients.map(r => [r.finalRecipient, r.action, r.status]),
          recipients.map(r => [formatAddress(r.recipient), 'failed', statusCode(r)]),
        )
        for (const [index, { attempt }] of recipients.entries())
          assert.equal(report.recipients[index]?.code, attempt.code)
      },
    ),
    { numRuns: 300 },
  )
})

test('those messages are understood by our own parser', () => {
  const check = (name: string, kind: string, messageId: string, envelopeId: string, recipients: readonly string[]) => {
    const report = parseReport(composed(name))
    assert.deepEqual(
      [
        report.kind,
        report.messageId,
        report.envelopeId,
        report.recipients.map(
          r => `${r.originalRecipient} ${r.finalRecipient} ${r.action} ${r.status} ${r.code} ${r.remoteMta}`,
        ),
      ],
      [kind, messageId, envelopeId, recipients],
      name,
    )
  }
  check('failed', 'bounce', '<1@example.org>', 'ENV 1', [
    'Bob@example.net bob@example.net failed 5.1.1 550 mx.example.net',
  ])
  check('failed-whole-message', 'bounce', '<1@example.org>', '', [' bob@example.net failed 5.1.1 550 mx.example.net'])
  check('delayed', 'delay', '<1@example.org>', '', [' bob@example.net delayed 4.3.0 451 [IPv6:2001:db8::1]'])
  const zoë = ['zoë@bücher.example zoë+x@xn--bcher-kva.example failed 5.1.1 550 mx.example.net']
  check('utf8', 'bounce', '', '', zoë)
  check('utf8-as-ascii', 'bounce', '', '', zoë)
})
