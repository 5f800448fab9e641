import assert from 'node:assert/strict'
import { test } from 'vitest'
import { DURATION_LIMIT, parseDuration, parseTimeBound } from '../src/model/duration.ts'

const check = (text: string, expected: number | undefined) => assert.equal(parseDuration(text), expected, text)
const MINUTE = 60_000
const HOUR = 60 * MINUTE

test('durations', () => {
  check('1h30m', 90 * MINUTE)
  check('-15m', -15 * MINUTE)
  check('+5s', 5_000)
  check('300ms', 300)
  check('3d', 72 * HOUR)
  check('1d12h', 36 * HOUR)
  check('1.5h', 90 * MINUTE)
  check('.5s', 500)
  check('1.s', 1_000)
  check('1500us', 2)
  check('1500µs', 2)
  check('400ns', 0)
  check('0', 0)
  check('-0', 0)
  check('0s', 0)
  check('-0s', 0)
  check('3650d', DURATION_LIMIT)
  check('-3650d', -DURATION_LIMIT)
})

test('what is none', () => {
  for (const text of ['', '5', 'h', '1 h', '1h ', '1w', '1H', '--1h', '1h-5m', '.h', '1..5h', '1e3s', 'NaNs', 'now'])
    check(text, undefined)
  check('3650d1ms', undefined)
  check('-3650d1ms', undefined)
  check(`${'1'.repeat(63)}s`, undefined)
  check(`${'0'.repeat(62)}1s`, 1_000)
  check(`${'0'.repeat(63)}1s`, undefined)
})

test('bounds of times', () => {
  const bound = (text: string, expected: unknown) => assert.deepEqual(parseTimeBound(text, 1_000_000), expected, text)
  bound('<-1s', { before: 999_000 })
  bound('>1s', { after: 1_001_000 })
  bound('<now', { before: 1_000_000 })
  bound('> now', { after: 1_000_000 })
  bound('<0', { before: 1_000_000 })
  for (const text of ['', '<', '>', '1h', 'now', '=1h', '<<1h', '<later']) bound(text, undefined)
})
