// What the peer and the log are told when something of ours fails: a full disk is for the operator, a limit is not.
import { MailError, reply } from '@mox/plugin-sdk'
import { collectingLog, seededRandom } from '@mox/plugin-sdk/testkit'
import { expect, test } from 'vitest'
import { failureReply } from '../src/receive/failure.ts'

test('level and reply', () => {
  const check = (error: unknown, level: string, code: number, text: string): void => {
    const log = collectingLog()
    const answer = failureReply({ log, random: seededRandom(1) }, { session: 's', stage: 'data' }, error)
    expect([log.texts(), answer.code]).toEqual([[`${level} ${text}`], code])
  }
  const full = (code: string): Error => Object.assign(new Error('database or disk is full'), { code })
  const noRoom = reply(452, '4.3.1', 'insufficient system storage')
  check(new MailError('limits', reply(451, '4.7.1', 'limit is reached')), 'info', 451, 'mail refused')
  check(new MailError('storage', noRoom, full('SQLITE_BUSY')), 'info', 452, 'mail refused')
  for (const code of ['SQLITE_FULL', 'ENOSPC', 'EDQUOT', '53100'])
    check(new MailError('storage', noRoom, full(code)), 'error', 452, 'mail refused')
  check(full('ENOSPC'), 'error', 452, 'mail could not be processed')
  check(new TypeError('x'), 'error', 451, 'mail could not be processed')
})
