// Who a DSN says refused the message: the server that answered, the mailbox here, or this mail system itself.
import assert from 'node:assert/strict'
import type { Attempt } from '@mox/plugin-sdk'
import { sampleAttempt, samplePath, TEST_NOW } from '@mox/plugin-sdk/testkit'
import { test } from 'vitest'
import { deliveryStatus } from '../src/compose/status.ts'
import { draftFor } from '../src/compose/text.ts'
import type { ReportedMessage, ReportedRecipient } from '../src/model.ts'

const MESSAGE: ReportedMessage = {
  messageId: 7,
  receivedAt: TEST_NOW,
  account: 'alice',
  reversePath: samplePath('alice@example.org'),
  messageIdHeader: '',
  subject: '',
  size: 100,
  has8bit: false,
  smtputf8: false,
  kind: 'submission',
  helo: '',
  remoteIp: '127.0.0.1',
}

test('who refused', () => {
  const check = (fields: Partial<Attempt>, text: string, status: string): void => {
    // What a decision on this machine leaves open stays open.
    const { stage: _, ...sample } = sampleAttempt({ outcome: 'permanent', code: 550, enhanced: '5.7.0', text: 'no' })
    const recipient: ReportedRecipient = {
      ...{ queueId: 1, recipient: samplePath('bob@example.net'), action: 'failed', status: 'failed' },
      ...{ attempts: 1, firstAttempt: TEST_NOW, attempt: { ...sample, ...fields } },
    }
    assert.ok(draftFor('failed', MESSAGE, [recipient]).text.includes(`    ${text}\n      550 5.7.0 no\n`), text)
    assert.ok(
      deliveryStatus('mail.example.org', MESSAGE, [recipient], false).includes(`Diagnostic-Code: ${status}\r\n`),
    )
  }
  check({ stage: 'rcpt', remoteHost: 'mx.example' }, 'The server mx.example answered:', 'smtp; 550 5.7.0 no')
  check({ stage: 'rcpt' }, 'The server of the recipient answered:', 'smtp; 550 5.7.0 no')
  check({ stage: 'policy' }, 'No other server was asked; it was refused here:', 'x-mox; 550 5.7.0 no')
  check({ stage: 'dns' }, 'No other server was asked; it was refused here:', 'x-mox; 550 5.7.0 no')
  check({}, 'The mailbox did not take it:', 'smtp; 550 5.7.0 no')
})
