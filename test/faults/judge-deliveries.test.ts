// That the judge of the deliveries finds what can be wrong: evidence in which all is well, and then one thing is not.
import assert from 'node:assert/strict'
import type { Attempt } from '@mox/plugin-sdk'
import { test } from 'vitest'
import { type Evidence, judgeDeliveries } from './judge-deliveries.ts'

const attempt = (number: number, startedAt: number, outcome: Attempt['outcome'], text: string): Attempt => ({
  ...{ number, startedAt, outcome, text, code: 0, enhanced: '' },
})
const INTERRUPTED = 'interrupted: the server stopped during this attempt'
const taken = { subject: 'one', recipients: ['a@x.test', 'b@x.test'], hash: 'h' }
const twice = [attempt(1, 100, 'temporary', INTERRUPTED), attempt(2, 300, 'delivered', 'taken')]
const row = { subject: 'one', status: 'delivered' as const, results: twice }
const GOOD: Evidence = {
  expected: [{ subject: 'one', recipients: ['a@x.test', 'b@x.test'], content: Buffer.alloc(0), hash: 'h' }],
  log: [taken, taken],
  history: [
    { ...row, address: 'a@x.test' },
    { ...row, address: 'b@x.test' },
  ],
  kills: [200],
}

function check(change: Partial<Evidence>, expected: readonly string[]): void {
  assert.deepEqual(judgeDeliveries({ ...GOOD, ...change }).problems, expected)
}

/** The history with other attempts of the first recipient. */
const attempts = (results: readonly Attempt[]) => ({ history: [{ ...GOOD.history[0]!, results }, GOOD.history[1]!] })

test('all is well, and what was repeated is counted', () => {
  assert.deepEqual(judgeDeliveries(GOOD), { problems: [], interrupted: 2, repeated: 2 })
  check({ log: [taken] }, [])
})

test('each thing that can be wrong', () => {
  check({ log: [] }, ['lost: one a@x.test', 'lost: one b@x.test'])
  check({ log: [taken, taken, { ...taken, recipients: ['a@x.test'] }] }, [
    '3 times with 1 attempts interrupted: one a@x.test',
  ])
  check({ log: [taken, { ...taken, hash: 'i' }] }, ['changed on the way: one'])
  check({ log: [taken, { ...taken, subject: 'two', recipients: [] }] }, ['arrived and never sent: two'])
  check({ log: [taken, { ...taken, recipients: ['c@x.test'] }] }, ['not a recipient of one: c@x.test'])
  check({ history: [GOOD.history[1]!] }, ['0 times in the history: one a@x.test'])
  check({ history: [...GOOD.history, GOOD.history[0]!] }, ['2 times in the history: one a@x.test'])
  check({ history: [...GOOD.history, { ...row, address: 'c@x.test' }] }, [
    'in the history and never sent: one c@x.test',
  ])
  check({ kills: [50, 400] }, [
    'attempt 1 was interrupted without a kill: one a@x.test',
    'attempt 1 was interrupted without a kill: one b@x.test',
  ])
  check(attempts([attempt(1, 100, 'temporary', 'refused'), attempt(2, 300, 'delivered', 'taken')]), [
    'attempt 1: temporary refused: one a@x.test',
  ])
  check(attempts([attempt(1, 100, 'temporary', INTERRUPTED), attempt(3, 300, 'delivered', 'taken')]), [
    'attempt 2 has number 3: one a@x.test',
  ])
  check({ history: [{ ...GOOD.history[0]!, status: 'failed' }, GOOD.history[1]!] }, [
    'failed, not delivered: one a@x.test',
  ])
})
