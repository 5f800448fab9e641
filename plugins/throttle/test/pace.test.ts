// One destination's pace: slower when asked, faster when it goes well, and a line that is asked about rarely.
import { deepStrictEqual, strictEqual } from 'node:assert'
import { seededRandom } from '@mox/plugin-sdk/testkit'
import { test } from 'vitest'
import {
  FORGET_MS,
  FREE_PER_MINUTE,
  HORIZON_MS,
  LEAST_PER_MINUTE,
  LONGEST_PAUSE_MS,
  PAUSE_MS,
  Pace,
  SHORTEST_WAIT_MS,
  STEP_MS,
} from '../src/pace.ts'

const NOW = Date.parse('2030-01-01T12:00:00Z')
const FREE = { concurrency: 10, perMinute: 0 }

test('places', () => {
  const pace = new Pace('example.com', { concurrency: 2, perMinute: 0 })
  const blocked = () => pace.blocked(NOW, false)
  strictEqual(blocked(), undefined)
  pace.start(NOW)
  strictEqual(blocked(), undefined)
  pace.start(NOW)
  strictEqual(blocked(), '2 of 2 connections to example.com')
  pace.end(1_000)
  strictEqual(blocked(), undefined)
  for (let i = 0; i < 3; i++) pace.end(undefined)
  strictEqual(pace.busy, 0)
})

test('messages a minute', () => {
  const pace = new Pace('example.com', { concurrency: 10, perMinute: 6 })
  const goes = (ms: number): boolean => {
    const reason = pace.blocked(NOW + ms, true)
    if (reason === undefined) pace.start(NOW + ms)
    else strictEqual(reason, '6 messages a minute to example.com')
    return reason === undefined
  }
  deepStrictEqual([0, 1_000, 8_999, 9_000, 10_000, 20_000].map(goes), [true, false, false, true, false, true])
})

test('a slow-down: half, a pause, and the words', () => {
  const pace = new Pace('google', FREE)
  for (let i = 0; i < 100; i++) pace.start(NOW)
  for (let i = 0; i < 100; i++) pace.end(100)
  strictEqual(pace.slowDown('421 4.7.28 slow', NOW - 1, NOW), true)
  deepStrictEqual([pace.perMinute, pace.concurrency], [50, 5])
  strictEqual(pace.blocked(NOW + PAUSE_MS - 1, true), '421 4.7.28 slow; until 12:01 UTC')
  strictEqual(pace.blocked(NOW + PAUSE_MS, true), undefined)
  // What had begun before says nothing new.
  strictEqual(pace.slowDown('421 4.7.28 slow', NOW, NOW + 10), false)
  strictEqual(pace.slowDown('421 other', NOW + 1, NOW + 1), true)
  deepStrictEqual([pace.perMinute, pace.concurrency, pace.learned?.pausedUntil], [25, 2, NOW + 1 + 2 * PAUSE_MS])
  for (let i = 2; i < 50; i++) pace.slowDown('421', NOW + i, NOW + i)
  deepStrictEqual([pace.perMinute, pace.concurrency], [LEAST_PER_MINUTE, 1])
  strictEqual(pace.learned?.pausedUntil, NOW + 49 + LONGEST_PAUSE_MS)
})

test('success gives back a little each minute, until it is over', () => {
  const pace = new Pace('google', FREE)
  pace.slowDown('421', NOW - 1, NOW)
  deepStrictEqual([pace.perMinute, pace.concurrency], [10, 5])
  let now = NOW + PAUSE_MS
  const more = (ms: number) => {
    now += ms
    return pace.succeeded(now - 1, now)
  }
  strictEqual(pace.succeeded(NOW, now), false, 'begun before')
  strictEqual(more(0), true)
  deepStrictEqual([pace.perMinute, pace.concurrency], [20, 6])
  strictEqual(more(STEP_MS - 1), false)
  strictEqual(more(1), true)
  deepStrictEqual([pace.perMinute, pace.concurrency], [30, 7])
  for (let i = 0; i < 5; i++) more(STEP_MS)
  deepStrictEqual([pace.perMinute, pace.concurrency], [80, 10])
  let steps = 0
  while (pace.learned !== undefined && steps < 1_000) {
    more(STEP_MS)
    steps++
  }
  strictEqual(steps, (FREE_PER_MINUTE - 80) / 10)
  deepStrictEqual([pace.perMinute, pace.concurrency], [Number.POSITIVE_INFINITY, 10])
})

test('a success ends the doubling of pauses', () => {
  const pace = new Pace('google', FREE)
  pace.slowDown('421', NOW - 1, NOW)
  pace.slowDown('421', NOW + 1, NOW + 1)
  strictEqual(pace.succeeded(NOW + 2, NOW + 3), true)
  strictEqual(pace.succeeded(NOW + 2, NOW + 4), false)
  pace.slowDown('421', NOW + 5, NOW + 5)
  strictEqual(pace.learned?.pausedUntil, NOW + 5 + PAUSE_MS)
})

test('a day without is enough', () => {
  const learn = () => {
    const pace = new Pace('google', FREE)
    pace.slowDown('421', NOW - 1, NOW)
    return pace
  }
  strictEqual(learn().idle(NOW + FORGET_MS - 1), false)
  strictEqual(learn().idle(NOW + FORGET_MS), true)
  const pace = learn()
  strictEqual(pace.blocked(NOW + FORGET_MS, false), undefined)
  strictEqual(pace.learned, undefined)
  strictEqual(pace.forget(), false)
})

test('the limit of the options is never exceeded', () => {
  const pace = new Pace('small.example', { concurrency: 1, perMinute: 5 })
  pace.slowDown('421', NOW - 1, NOW)
  deepStrictEqual([pace.perMinute, pace.concurrency], [2, 1])
  strictEqual(pace.succeeded(NOW + 1, NOW + STEP_MS), true)
  strictEqual(pace.learned, undefined)
  deepStrictEqual([pace.perMinute, pace.concurrency], [5, 1])
})

test('each that waits has a time of its own', () => {
  const pace = new Pace('google', { concurrency: 10, perMinute: 60 })
  pace.start(NOW)
  const times = Array.from({ length: 5 }, () => pace.reserve(NOW, 0) - NOW)
  deepStrictEqual(times, [2_000, 3_000, 4_000, 5_000, 6_000])
  strictEqual(SHORTEST_WAIT_MS, 2_000)
  // New ones stand behind them; who has waited does not.
  strictEqual(pace.blocked(NOW + 1_500, false), '60 messages a minute to google')
  strictEqual(pace.blocked(NOW + 1_500, true), undefined)
  strictEqual(pace.blocked(NOW + 7_000, false), undefined)
})

test('beyond the horizon nobody is promised a time', () => {
  const pace = new Pace('google', { concurrency: 1, perMinute: 1 })
  pace.slowDown('421', NOW - 1, NOW)
  const random = seededRandom()
  const open = NOW + PAUSE_MS
  const waits = Array.from({ length: 200 }, () => pace.reserve(NOW, random.number()) - open)
  strictEqual(waits[0], 0)
  strictEqual(Math.max(...waits) <= HORIZON_MS, true)
  const spread = waits.slice(100)
  strictEqual(Math.min(...spread) >= HORIZON_MS / 2, true)
  strictEqual(new Set(spread).size > 90, true)
})

test('a line of thousands is asked about a few times each, and the pace is kept', () => {
  const pace = new Pace('google', { concurrency: 3, perMinute: 120 })
  const random = seededRandom()
  // Waiting ones by the second in which they are due.
  const due = new Map<number, { waited: boolean }[]>([[0, Array.from({ length: 2_000 }, () => ({ waited: false }))]])
  const ends = new Map<number, number>()
  let [asks, sent, second] = [0, 0, 0]
  const perMinute: number[] = []
  for (; sent < 2_000 && second < 10_000; second++) {
    for (let n = ends.get(second) ?? 0; n > 0; n--) pace.end(1_000)
    const now = NOW + second * 1_000
    for (const one of due.get(second) ?? []) {
      asks++
      if (pace.blocked(now, one.waited) === undefined) {
        pace.start(now)
        ends.set(second + 1, (ends.get(second + 1) ?? 0) + 1)
        perMinute[Math.floor(second / 60)] = (perMinute[Math.floor(second / 60)] ?? 0) + 1
        sent++
      } else {
        const at = Math.max(second + 1, Math.ceil((pace.reserve(now, random.number()) - NOW) / 1_000))
        due.set(at, [...(due.get(at) ?? []), { waited: true }])
      }
    }
  }
  strictEqual(sent, 2_000)
  strictEqual(Math.max(...perMinute) <= 122, true)
  strictEqual(second <= 1_002, true, `${second} s`)
  strictEqual(asks < 2_000 * 3, true, `${asks} asks`)
})
