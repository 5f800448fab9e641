// The small rules: who is told, how long is waited, what options may be.
import assert from 'node:assert/strict'
import type { EnvelopeRecipient, Notify, Retired } from '@mox/plugin-sdk'
import { sampleAttempt, sampleEnvelope, samplePath, sampleRetired, sampleSession } from '@mox/plugin-sdk/testkit'
import { test } from 'vitest'
import { RETURN_BYTES } from '../src/compose/returned.ts'
import { REMEMBERED, wantsSuccess } from '../src/filed.ts'
import { options } from '../src/options.ts'
import { attemptMatters, retirementMatters } from '../src/record.ts'
import { returnsAll } from '../src/send.ts'
import { mayTell, successAction, wantedAtEnd, wantsDelayed } from '../src/wanted.ts'
import { retryAfter, TRIES } from '../src/worker.ts'

const alice = samplePath('alice@example.org')
const DELIVERED = sampleAttempt({ outcome: 'delivered', stage: 'end' })

test('what the end of a recipient is told as', () => {
  const check = (fields: Partial<Retired>, expected: string | undefined) =>
    assert.equal(wantedAtEnd(sampleRetired(fields)), expected, JSON.stringify(fields))
  const each = (notify: readonly Notify[] | undefined, failed: boolean, success: boolean) => {
    const asked = notify === undefined ? {} : { notify }
    check({ status: 'failed', ...asked }, failed ? 'failed' : undefined)
    check({ status: 'suppressed', ...asked }, failed ? 'failed' : undefined)
    check({ status: 'delivered', results: [DELIVERED], ...asked }, success ? 'success' : undefined)
    check({ status: 'delivered', results: [{ ...DELIVERED, dsnPassedOn: true }], ...asked }, undefined)
    check({ status: 'cancelled', ...asked }, undefined)
    check({ status: 'failed', reversePath: null, ...asked }, undefined)
  }
  each(undefined, true, false)
  each([], false, false)
  each(['failure'], true, false)
  each(['success'], false, true)
  each(['success', 'failure', 'delay'], true, true)
  each(['delay'], false, false)
})

test('who wants to know of delay', () => {
  const check = (notify: readonly Notify[] | undefined, expected: boolean) =>
    assert.equal(wantsDelayed({ reversePath: alice, ...(notify === undefined ? {} : { notify }) }), expected)
  check(undefined, true)
  check(['delay'], true)
  check(['failure', 'success'], false)
  check([], false)
  assert.equal(wantsDelayed({ reversePath: null }), false)
})

test('who may be told', () => {
  const check = (
    kind: 'submission' | 'delivery',
    account: string,
    notify: readonly Notify[] | undefined,
    outsideSenders: 'asked' | 'never',
    expected: boolean,
  ) => assert.equal(mayTell({ kind, account, reversePath: alice }, notify, { outsideSenders }), expected)
  check('submission', 'alice', undefined, 'never', true)
  check('submission', '', ['failure'], 'asked', false)
  check('delivery', '', undefined, 'asked', false)
  check('delivery', '', ['failure'], 'asked', true)
  check('delivery', '', ['failure'], 'never', false)
  assert.equal(
    mayTell({ kind: 'submission', account: 'alice', reversePath: null }, undefined, { outsideSenders: 'asked' }),
    false,
  )
})

test('what success is', () => {
  const { stage: _, ...here } = DELIVERED
  assert.equal(successAction(DELIVERED, false), 'relayed')
  assert.equal(successAction(DELIVERED, true), 'relayed')
  assert.equal(successAction(here, false), 'delivered')
  assert.equal(successAction(here, true), 'expanded')
  assert.equal(successAction(undefined, false), 'delivered')
})

test('events that cost something', () => {
  const retirement = (fields: Partial<Retired>, expected: boolean) =>
    assert.equal(retirementMatters({ retired: sampleRetired(fields) }), expected, JSON.stringify(fields))
  retirement({ attempts: 1, results: [DELIVERED] }, false)
  retirement({ attempts: 2, results: [sampleAttempt(), DELIVERED] }, true)
  retirement({ attempts: 1, results: [sampleAttempt()], notify: [], status: 'cancelled' }, true)
  retirement({ attempts: 1, results: [DELIVERED], notify: ['success'] }, true)
  retirement({ attempts: 0, status: 'failed' }, true)
  retirement({ attempts: 0, status: 'failed', reversePath: null }, false)
  retirement({ attempts: 0, status: 'cancelled' }, false)
  const attempt = (final: boolean, outcome: 'temporary' | 'delivered', expected: boolean) => {
    const input = {
      queueId: 1,
      messageId: 1,
      account: 'alice',
      recipient: alice,
      final,
      attempt: sampleAttempt({ outcome }),
    }
    assert.equal(attemptMatters(input), expected)
  }
  attempt(false, 'temporary', true)
  attempt(true, 'temporary', false)
  attempt(true, 'delivered', false)
})

test('when the whole message goes back', () => {
  const check = (
    fields: { ret?: 'FULL' | 'HDRS'; size?: number; requireTls?: boolean; kind?: 'failed' | 'delayed' },
    expected: boolean,
  ) => {
    const { kind = 'failed', requireTls, ...message } = fields
    const recipient = {
      queueId: 1,
      recipient: alice,
      action: 'failed' as const,
      attempts: 1,
      ...(requireTls === undefined ? {} : { requireTls }),
    }
    const about = { ...sampleRetired(), kind: 'submission' as const, helo: '', remoteIp: '', ...message }
    assert.equal(
      returnsAll({ kind, message: about, recipients: [{ id: 1, key: 'q1', recipient }] }),
      expected,
      JSON.stringify(fields),
    )
  }
  check({ ret: 'FULL' }, true)
  check({ ret: 'FULL', size: RETURN_BYTES }, true)
  check({ ret: 'FULL', size: RETURN_BYTES + 1 }, false)
  check({ ret: 'HDRS' }, false)
  check({}, false)
  check({ ret: 'FULL', requireTls: true }, false)
  check({ ret: 'FULL', requireTls: false }, true)
  check({ ret: 'FULL', kind: 'delayed' }, false)
})

test('who asked to be told of success', () => {
  const recipient = (n: number, notify: readonly Notify[]): EnvelopeRecipient => ({
    path: samplePath(`r${n}@example.net`),
    notify,
  })
  const check = (
    recipients: readonly EnvelopeRecipient[],
    expected: number,
    session = sampleSession(),
    reversePath: typeof alice | null = alice,
  ) => assert.equal(wantsSuccess({ session, envelope: sampleEnvelope({ recipients, reversePath }) }).length, expected)
  const many = (n: number) => Array.from({ length: n }, (_, index) => recipient(index, ['success']))
  check([recipient(1, ['success']), recipient(2, ['failure']), { path: alice }], 1)
  check(many(REMEMBERED), REMEMBERED)
  check(many(REMEMBERED + 1), REMEMBERED)
  check(many(1), 0, sampleSession({ remotePort: 0 }))
  check(many(1), 0, sampleSession({ kind: 'submission' }))
  check(many(1), 0, sampleSession(), null)
})

test('waits between tries', () => {
  const check = (n: number, minutes: number) => assert.equal(retryAfter(n), minutes * 60_000)
  check(1, 1)
  check(2, 2)
  check(8, 128)
  check(9, 240)
  check(TRIES, 240)
})

test('options', () => {
  const check = (input: unknown, expected: object | undefined) => {
    const parsed = options.safeParse(input)
    assert.deepEqual(parsed.data, expected, JSON.stringify(input))
  }
  check(undefined, { delayedAfterMinutes: 90, outsideSenders: 'asked' })
  check({ delayedAfterMinutes: 0, outsideSenders: 'never' }, { delayedAfterMinutes: 0, outsideSenders: 'never' })
  check({ delayedAfterMinutes: 43_200 }, { delayedAfterMinutes: 43_200, outsideSenders: 'asked' })
  check({ delayedAfterMinutes: 43_201 }, undefined)
  check({ delayedAfterMinutes: -1 }, undefined)
  check({ outsideSenders: 'always' }, undefined)
  check({ delay: 1 }, undefined)
})
