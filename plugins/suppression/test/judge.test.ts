// Which refusals are about the recipient.
import { deepStrictEqual } from 'node:assert'
import type { AttemptStage } from '@mox/plugin-sdk'
import { test } from 'vitest'
import { type Judgement, judge } from '../src/judge.ts'

test('refusals', () => {
  const check = (stage: AttemptStage | undefined, reply: string, expected: Judgement) => {
    const [, code, enhanced = '', text = ''] = /^(\d+)(?: (\d\.\d+\.\d+))? ?(.*)$/.exec(reply) ?? []
    const refusal = { code: Number(code), enhanced, text, ...(stage === undefined ? {} : { stage }) }
    deepStrictEqual(judge(refusal), expected, `${stage}: ${reply}`)
  }
  check('rcpt', '550 5.1.1 no such user', 'immediate')
  check('rcpt', '550 no such user', 'immediate')
  check('rcpt', '551 user not local', 'immediate')
  check('rcpt', '553 5.1.3 bad syntax', 'immediate')
  check('rcpt', '556 domain takes no mail', 'immediate')
  check('rcpt', '521 host takes no mail', 'immediate')
  check('rcpt', '554 5.2.1 mailbox disabled', 'immediate')
  check('rcpt', '550 5.2.2 mailbox full', 'immediate')
  check('rcpt', '550 5.4.1 recipient address rejected: access denied', 'immediate')
  check('rcpt', '552 5.2.2 mailbox full', 'repeated')
  check('rcpt', '554 transaction failed', 'repeated')
  check('rcpt', '452 4.2.2 mailbox full', 'repeated')
  check('rcpt', '450 4.1.1 try later', 'repeated')
  check('rcpt', '450 try later', 'repeated')
  // About the system, the protocol, the content, or us.
  check('rcpt', '452 4.3.1 disk full', 'none')
  check('rcpt', '452 4.5.3 too many recipients', 'none')
  check('rcpt', '450 4.4.1 no answer', 'none')
  check('rcpt', '550 5.6.1 media not supported', 'none')
  check('rcpt', '550 5.7.1 not allowed', 'none')
  check('rcpt', '554 5.7.1 blocked using a list', 'none')
  check('rcpt', '450 4.7.1 greylisted', 'none')
  check('rcpt', '550 5.1.8 sender domain does not exist', 'none')
  check('rcpt', '550 5.1.7 bad sender address', 'none')
  check('rcpt', '550 your address is on a blocklist', 'none')
  check('rcpt', '550 5.0.0 low reputation of 192.0.2.1', 'none')
  check('rcpt', '550 relay access denied', 'none')
  // Not about one recipient, unless the enhanced code says so.
  check('end', '550 5.1.1 no such user', 'immediate')
  check('data', '554 5.2.1 disabled', 'immediate')
  check('end', '550 no', 'none')
  check('end', '550 5.2.2 mailbox full', 'none')
  check(undefined, '550 5.1.1 no such user', 'immediate')
  check(undefined, '550 no', 'none')
  check(undefined, '400 4.1.1 no', 'repeated')
  for (const stage of ['dns', 'policy', 'connect', 'greeting', 'ehlo', 'starttls', 'auth', 'mail'] as const)
    check(stage, '550 5.1.1 no such user', 'none')
  // No reply, or none that refuses.
  check('rcpt', '0 no answer', 'none')
  check('rcpt', '250 2.1.5 ok', 'none')
  check('rcpt', '399 4.1.1 odd', 'none')
})
