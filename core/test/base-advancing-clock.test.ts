// A clock that is moved: the order of timers, what it waits for on the way, and the limits of a move.
import assert from 'node:assert/strict'
import { ADVANCE_LIMIT, OFFSET_LIMIT, UsageError } from '@mox/plugin-sdk'
import { afterEach, test, vi } from 'vitest'
import { AdvancingClock } from '../src/base/advancing-clock.ts'
import { makeClockControl } from '../src/base/clock-control.ts'

const DAY = 86_400_000
afterEach(() => void vi.useRealTimers())

test('runs by itself in order of due times, and what is cancelled does not run', () => {
  vi.useFakeTimers()
  const clock = new AdvancingClock()
  const ran: string[] = []
  clock.after(20, () => ran.push('second'))
  clock.after(10, () => ran.push('first'))
  const cancel = clock.after(5, () => ran.push('never'))
  clock.after(20, () => ran.push('third'))
  cancel()
  cancel()
  vi.advanceTimersByTime(9)
  assert.deepEqual(ran, [])
  vi.advanceTimersByTime(11)
  assert.deepEqual(ran, ['first', 'second', 'third'])
  assert.equal(clock.next, undefined)
})

test('timers keep their time when the clock is moved past others, and when it starts ahead', () => {
  vi.useFakeTimers()
  const clock = new AdvancingClock()
  const ran: string[] = []
  clock.after(1_000, () => ran.push('a'))
  clock.after(5_000, () => ran.push('b'))
  clock.moveTo(clock.now() + 4_000)
  vi.advanceTimersByTime(0)
  assert.deepEqual(ran, ['a'])
  vi.advanceTimersByTime(999)
  assert.deepEqual(ran, ['a'])
  vi.advanceTimersByTime(1)
  assert.deepEqual(ran, ['a', 'b'])
  clock.after(1_000, () => ran.push('c'))
  clock.shift(10 * DAY)
  vi.advanceTimersByTime(999)
  assert.deepEqual(ran, ['a', 'b'])
  vi.advanceTimersByTime(1)
  assert.deepEqual(ran, ['a', 'b', 'c'])
  assert.equal(clock.offset, 10 * DAY)
})

test('days of a chain of timers, with the work of each before the next', async () => {
  const clock = new AdvancingClock()
  const began = clock.now()
  const seen: string[] = []
  let working = false
  const retry = (n: number): void => {
    clock.after(6 * 3_600_000, () => {
      working = true
      // Work of the real world: it takes a moment, and sets the next timer at its end.
      setTimeout(() => {
        seen.push(`retry ${n} after ${Math.round((clock.now() - began) / 3_600_000)} h`)
        working = false
        if (n < 4) retry(n + 1)
      }, 5)
    })
  }
  retry(1)
  clock.after(13 * 3_600_000, () => seen.push(working ? 'too early' : 'another'))
  const control = makeClockControl(clock, () => (working ? ['work'] : []))
  const { now, timers } = await control.advance(DAY + 60_000)
  assert.deepEqual(seen, [
    'retry 1 after 6 h',
    'retry 2 after 12 h',
    'another',
    'retry 3 after 18 h',
    'retry 4 after 24 h',
  ])
  assert.equal(timers, 5)
  assert.ok(now >= began + DAY && now < began + DAY + 3_600_000)
  assert.ok(control.offset() > DAY - 60_000)
})

test('two moves at once add up', async () => {
  const clock = new AdvancingClock()
  const began = clock.now()
  const control = makeClockControl(clock, () => [])
  await Promise.all([control.advance(DAY), control.advance(DAY)])
  assert.ok(clock.now() >= began + 2 * DAY)
})

test('a simulated delay does not stop the clock, other work does', async () => {
  const clock = new AdvancingClock()
  const jobs = new Set([7])
  const busy = (waiting: ReadonlySet<number>) => [...jobs].filter(id => !waiting.has(id)).map(id => `job ${id}`)
  const control = makeClockControl(clock, busy, 50)
  const abort = new AbortController()
  const waited = control.wait(3_600_000, 7, abort.signal).then(() => jobs.delete(7))
  await control.advance(2 * 3_600_000)
  assert.equal(await waited, true)
  jobs.add(8)
  await assert.rejects(control.advance(1), /the clock cannot go on: still working after 0.05 s: job 8/)
  jobs.delete(8)
  await control.advance(1)
  const cut = control.wait(DAY, 9, abort.signal)
  abort.abort(new Error('enough'))
  await assert.rejects(cut, /enough/)
  jobs.add(9)
  await assert.rejects(control.advance(1), /job 9/)
  control.close()
  await assert.rejects(control.advance(1), /the server is stopping/)
})

test('limits', async () => {
  const clock = new AdvancingClock()
  const control = makeClockControl(clock, () => [])
  for (const ms of [0, -1, 1.5, Number.NaN, ADVANCE_LIMIT + 1]) await assert.rejects(control.advance(ms), UsageError)
  await control.advance(ADVANCE_LIMIT)
  for (const ms of [-1, 1.5, OFFSET_LIMIT + 1]) assert.throws(() => control.restore(ms), UsageError)
  control.restore(OFFSET_LIMIT - 1_000)
  await control.advance(1_000)
  await assert.rejects(control.advance(2), /ten years ahead of the real time at most/)
  control.restore(OFFSET_LIMIT)
  assert.equal(control.offset(), OFFSET_LIMIT)
})
