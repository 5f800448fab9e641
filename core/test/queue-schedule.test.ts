// The retry schedule as data: waits, jitter, the last attempt.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { attemptTimes, backoff, isLast } from '../src/queue/schedule.ts'
import { all, CONFIG, makeWorld, TEMPORARY } from './stages/world.ts'

const { retrySchedule } = CONFIG

test('waits', () => {
  const check = (schedule: readonly number[], attempt: number, random: number, seconds: number) =>
    assert.equal(backoff(schedule, attempt, random), seconds * 1000, `${attempt} ${random}`)

  for (const [index, seconds] of retrySchedule.entries()) check(retrySchedule, index + 1, 0.5, seconds)
  check(retrySchedule, 8, 0.5, 28_800)
  check(retrySchedule, 1, 0, 445.5)
  check(retrySchedule, 1, 0.75, 452.25)
  check([], 1, 0.5, 450)
})

test('the last attempt', () => {
  const check = (schedule: readonly number[], attempt: number, maxAttempts: number, expected: boolean) =>
    assert.equal(isLast(schedule, attempt, maxAttempts), expected, `${attempt} of ${maxAttempts}`)

  check(retrySchedule, 7, 0, false)
  check(retrySchedule, 8, 0, true)
  check(retrySchedule, 9, 0, true)
  check(retrySchedule, 4, 5, false)
  check(retrySchedule, 5, 5, true)
  check(retrySchedule, 8, 20, true)
  check([], 1, 0, true)
})

test('a recipient that always fails, through its whole life', async () => {
  const starts: number[] = []
  const world = makeWorld({
    direct: batch => {
      starts.push((world.clock.now() - begin) / 1000)
      return all(TEMPORARY)(batch)
    },
  })
  const begin = world.clock.now()
  await world.stages.start()
  await world.send({ account: 'ann', from: 'ann@here.test', to: ['x@away.test'] })
  await world.clock.advance(2 * 86_400_000)
  assert.deepEqual(starts, [0, 450, 1350, 3150, 6750, 13_950, 28_350, 57_150])
  const { queue, history } = world.storage.snapshot()
  const [retired] = history.values()
  assert.deepEqual([queue.size, retired?.status, retired?.attempts, retired?.results.length], [0, 'failed', 8, 8])
  assert.deepEqual(
    retired?.results.map(({ number }) => number),
    [1, 2, 3, 4, 5, 6, 7, 8],
  )
  await world.stages.stop()
})

test('the attempts to come', () => {
  const check = (schedule: readonly number[], attempts: number, maxAttempts: number, expected: readonly number[]) =>
    assert.deepEqual(attemptTimes(schedule, { attempts, maxAttempts, due: 1_000_000 }), expected)
  const at = (...seconds: number[]) => seconds.map(s => 1_000_000 + s * 1_000)
  check([450, 900, 1800], 0, 0, at(0, 450, 1350, 3150))
  check([450, 900, 1800], 2, 0, at(0, 1800))
  check([450, 900, 1800], 3, 0, at(0))
  check([450, 900, 1800], 4, 0, [])
  check([450, 900, 1800], 9, 0, [])
  check([450, 900, 1800], 1, 2, at(0))
  check([450, 900, 1800], 2, 2, [])
  check([], 0, 0, at(0))
  check([], 1, 0, [])
})
