// Trace fields: whole fields as text, hostile client texts included.
import { expect, test } from 'vitest'
import {
  formatReceived,
  formatReturnPath,
  type ReceivedFacts,
  receivedProtocol,
  TRACE_TEXT_LENGTH,
} from '../../src/mail/index.ts'

const base: ReceivedFacts = { helo: 'client.test', by: 'mx.test', id: 'abc', at: 0 }

function check(facts: Partial<ReceivedFacts>, ...lines: string[]): void {
  expect(formatReceived({ ...base, ...facts })).toBe(`Received: ${lines.join('\r\n ')}\r\n`)
}

test('Received', () => {
  check({}, 'from client.test by mx.test via tcp id abc; Thu, 1 Jan 1970 00:00:00', '+0000')
  check(
    {
      remoteIp: '192.0.2.1',
      reverseName: 'r.test',
      localIp: '2001:db8::1',
      protocol: 'ESMTPS',
      requireTls: true,
      tls: { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' },
      recipient: { localpart: 'a b', domain: 'x.test' },
    },
    'from client.test (r.test [192.0.2.1]) by mx.test',
    '([IPv6:2001:db8::1]) via tcp with ESMTPS (requiretls) id abc (TLSv1.3',
    'TLS_AES_128_GCM_SHA256) for <"a b"@x.test>; Thu, 1 Jan 1970 00:00:00 +0000',
  )
})

test('client texts', () => {
  const helo = (given: string, expected: string): void =>
    expect(
      formatReceived({ ...base, helo: given })
        .replace(/\r\n/g, '')
        .split(' by ')[0],
    ).toBe(`Received: from ${expected}`)
  helo('x);(id', 'x???id')
  helo('<script>', '?script?')
  helo('a\r\nBcc: b', 'a??Bcc:?b')
  helo('[127.0.0.1]', '[127.0.0.1]')
  helo('', 'unknown')
  helo('ü\u202e', '??')
  helo('x'.repeat(TRACE_TEXT_LENGTH), 'x'.repeat(TRACE_TEXT_LENGTH))
  helo('x'.repeat(TRACE_TEXT_LENGTH + 1), 'x'.repeat(TRACE_TEXT_LENGTH))
  expect(formatReceived({ ...base, tls: { version: ')', cipher: 'a b\\' } })).toContain('(? a?b?)')
})

test('protocols', () => {
  const is = (expected: string, facts: Parameters<typeof receivedProtocol>[0]): void =>
    expect(receivedProtocol(facts)).toBe(expected)
  is('SMTP', { extended: false, tls: true })
  is('ESMTP', { extended: true })
  is('ESMTPS', { extended: true, tls: true })
  is('ESMTPSA', { extended: true, tls: true, authenticated: true })
  is('UTF8SMTPA', { extended: true, smtputf8: true, authenticated: true })
})

test('Return-Path', () => {
  expect(formatReturnPath(null)).toBe('Return-Path: <>\r\n')
  expect(formatReturnPath({ localpart: 'a', domain: 'b.test' })).toBe('Return-Path: <a@b.test>\r\n')
})
