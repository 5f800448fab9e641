// Work in turns: never more at a time than allowed, in order, and who leaves the line does not hold it up.
import assert from 'node:assert/strict'
import { turns as pause } from '@mox/plugin-sdk/testkit'
import { test } from 'vitest'
import { AT_A_TIME } from '../src/lookup.ts'
import { Turns } from '../src/turns.ts'
import { withRig } from './support/rig.ts'

const never = new AbortController().signal

test('in order, and the next begins when one ends, well or not', async () => {
  const line = new Turns(2)
  const begun: number[] = []
  const ends: (() => void)[] = []
  const leaving = new AbortController()
  const all = [0, 1, 2, 3, 4].map(i =>
    line.run(i === 3 ? leaving.signal : never, () => {
      begun.push(i)
      return new Promise<number>((resolve, reject) => {
        ends[i] = () => (i === 0 ? reject(new Error('failed')) : resolve(i))
      })
    }),
  )
  const failed = assert.rejects(all[0]!, /failed/)
  const left = assert.rejects(all[3]!, /gone/)
  await pause()
  assert.deepEqual(begun, [0, 1])
  leaving.abort(new Error('gone'))
  await left
  ends[0]?.()
  await failed
  await pause()
  assert.deepEqual(begun, [0, 1, 2])
  ends[1]?.()
  await pause()
  assert.deepEqual(begun, [0, 1, 2, 4])
  ends[2]?.()
  ends[4]?.()
  await pause()
  assert.equal(await line.run(never, async () => 'free'), 'free')
})

test(`${AT_A_TIME} lookups at a time`, async () => {
  await withRig(
    () => undefined,
    async ({ resolve, server, host }) => {
      const controllers = Array.from({ length: AT_A_TIME + 1 }, () => new AbortController())
      const all = controllers.map(({ signal }, i) => assert.rejects(resolve(`${i}.test`, 'A', signal), /gone/))
      await server.heard(AT_A_TIME)
      await pause(10)
      assert.equal(server.asked.length, AT_A_TIME)
      controllers[0]!.abort(new Error('gone'))
      await server.heard(AT_A_TIME + 1)
      for (const controller of controllers) controller.abort(new Error('gone'))
      await Promise.all(all)
      await pause()
      assert.equal(host.clock.pending, 0)
    },
  )
})
