// Messages that come back later: their fields, addresses outside of ASCII, and how much of the original they return.
import assert from 'node:assert/strict'
import type { Job } from '@mox/plugin-sdk'
import { decodeBody, parseDomain, parseHeader, parseStructure } from '@mox/plugin-sdk/mail'
import { describe, test } from 'vitest'
import { composeReport, RETURNED_BYTES } from '../src/report-message.ts'

const AT = Date.UTC(2030, 0, 1, 12)

function compose(kind: 'bounce' | 'complaint', job: Partial<Job> = {}, header = 'Message-ID: <a@here.test>\r\n\r\n') {
  const recipient = { localpart: 'bob', domain: 'there.test' }
  const report = composeReport(kind, {
    job: { recipient, recipientDomain: recipient.domain, ...job } as Job,
    ...{
      to: { localpart: 'ann', domain: 'here.test' },
      header: Buffer.from(header),
      deliveredAt: AT,
      at: AT + 60_000,
      id: 'abc',
    },
  })
  const root = parseStructure(report.content)
  const part = (type: string): string => {
    const found = root.children.find(({ contentType }) => contentType === type)
    assert.ok(found !== undefined, `${type} in ${root.children.map(p => p.contentType).join(', ')}`)
    return decodeBody(report.content, found).toString()
  }
  return { ...report, head: root.head, root, part }
}

test('a bounce', () => {
  const { host, smtputf8, head, part, root } = compose('bounce', { envid: 'E\n1', orcpt: 'rfc822;Bob@there.test' })
  assert.deepEqual([host, smtputf8], ['mx.there.test', false])
  assert.match(head.get('content-type') ?? '', /^multipart\/report; report-type=delivery-status;/)
  assert.match(head.get('from') ?? '', /MAILER-DAEMON@mx\.there\.test/)
  assert.deepEqual([head.get('to'), head.get('auto-submitted')], ['ann@here.test', 'auto-replied'])
  const status = part('message/delivery-status')
  assert.match(status, /^Original-Envelope-Id: E 1\r$/m)
  assert.match(status, /^Final-Recipient: rfc822; bob@there\.test\r$/m)
  assert.match(status, /^Original-Recipient: rfc822;Bob@there\.test\r$/m)
  assert.match(status, /^Action: failed\r\nStatus: 5\.1\.1\r$/m)
  assert.match(part('text/rfc822-headers'), /<a@here\.test>/)
  assert.deepEqual(root.problems, [])
})

test('a complaint', () => {
  const { head, part } = compose('complaint')
  assert.match(head.get('content-type') ?? '', /^multipart\/report; report-type=feedback-report;/)
  const report = parseHeader(Buffer.from(part('message/feedback-report')))
  assert.deepEqual(
    ['feedback-type', 'version', 'original-mail-from', 'original-rcpt-to', 'reported-domain'].map(n => report.get(n)),
    ['abuse', '1', '<ann@here.test>', '<bob@there.test>', 'here.test'],
  )
})

describe('what needs care', () => {
  test('an address outside of ASCII', () => {
    const { smtputf8, part, root } = compose('bounce', { recipient: { localpart: 'jürgen', domain: 'there.test' } })
    assert.ok(smtputf8)
    assert.match(part('message/global-delivery-status'), /^Final-Recipient: utf-8; jürgen@there\.test\r$/m)
    assert.deepEqual(root.problems, [])
  })
  test('an address literal', () => {
    assert.ok(parseDomain('[192.0.2.1]', { smtputf8: false }).ok)
    assert.equal(compose('bounce', { recipientDomain: '[192.0.2.1]' }).host, 'mx.invalid')
  })
  test('a header section at the limit, and one beyond', () => {
    const line = `X-Filler: ${'x'.repeat(52)}\r\n`
    assert.equal(line.length, 64)
    const lines = line.repeat(RETURNED_BYTES / 64)
    assert.equal(compose('bounce', {}, lines).part('text/rfc822-headers').length, RETURNED_BYTES)
    assert.equal(compose('bounce', {}, `${lines}X: y\r\n`).part('text/rfc822-headers').length, RETURNED_BYTES)
    assert.equal(compose('bounce', {}, `X: y\r\n${lines}`).part('text/rfc822-headers').length, RETURNED_BYTES - 58)
  })
})
