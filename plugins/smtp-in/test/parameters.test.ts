// Limits of parameter values that are too long for a dialogue.
import { parseMailCommand, parseRcptCommand } from '@mox/plugin-sdk/mail'
import { expect, test } from 'vitest'
import { ENVID_LENGTH, mailParameters, ORCPT_LENGTH, rcptParameters } from '../src/parameters.ts'

const context = { now: Date.parse('2030-01-01T12:00:00Z'), submission: true, tls: true, maxSize: 1000 }

function mail(params: string, expected: unknown): void {
  const command = parseMailCommand(`MAIL FROM:<a@example.org> ${params}`)
  const result = command.ok ? mailParameters(command.params, context) : command
  expect(result.ok ? result.value : 'reply' in result ? result.reply.code : result.fault).toEqual(expected)
}

function rcpt(params: string, expected: unknown): void {
  const command = parseRcptCommand(`RCPT TO:<a@example.org> ${params}`, { smtputf8: false })
  const result = command.ok ? rcptParameters(command.params, { smtputf8: false }) : command
  expect(result.ok ? result.value : 'reply' in result ? result.reply.code : result.fault).toEqual(expected)
}

test('ENVID and ORCPT at the limit and beyond', () => {
  mail(`ENVID=${'x'.repeat(ENVID_LENGTH)}`, { envid: 'x'.repeat(100) })
  mail(`ENVID=${'x'.repeat(ENVID_LENGTH + 1)}`, 501)
  // 100 characters when decoded.
  mail(`ENVID=${'+2B'.repeat(ENVID_LENGTH)}`, { envid: '+'.repeat(100) })
  rcpt(`ORCPT=rfc822;${'x'.repeat(ORCPT_LENGTH - 7)}`, { orcpt: `rfc822;${'x'.repeat(493)}` })
  rcpt(`ORCPT=rfc822;${'x'.repeat(ORCPT_LENGTH - 6)}`, 501)
  rcpt(`ORCPT=rfc822;${'x'.repeat(5000)}`, 501)
})

test('SIZE and times at the limit and beyond', () => {
  mail('SIZE=1000', { size: 1000 })
  mail('SIZE=1001', 552)
  mail('SIZE=000000000000000000001', 501)
  mail('HOLDFOR=0', { holdUntil: context.now, futureReleaseRequest: 'for;0' })
  mail('HOLDFOR=5184000', { holdUntil: context.now + 5_184_000_000, futureReleaseRequest: 'for;5184000' })
  mail('HOLDFOR=5184001', 554)
  mail('HOLDFOR=9999999999', 501)
  mail('HOLDUNTIL=2030-01-01t12:00:00z', { holdUntil: context.now, futureReleaseRequest: 'until;2030-01-01T12:00:00Z' })
  mail('HOLDUNTIL=2030-01-01T11:59:59Z', 554)
  mail('HOLDUNTIL=2030-01-01T12:00:00+00:00', 501)
})

test('thirty parameters and one more', () => {
  const some = (n: number): string => Array.from({ length: n }, (_, i) => `X${i}=1`).join(' ')
  mail(some(30), 555)
  mail(some(31), 'parameters')
})
