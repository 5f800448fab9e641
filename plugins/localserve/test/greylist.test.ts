import assert from 'node:assert/strict'
import { VirtualClock } from '@mox/plugin-sdk/testkit'
import { test } from 'vitest'
import { GREYLIST_PAIRS, Greylist } from '../src/greylist.ts'

test('a pair is refused until its time is over, and known afterwards', async () => {
  const clock = new VirtualClock()
  const greylist = new Greylist(clock)
  const ask = (to: string) => greylist.ask('a@x.test', to, 60_000)?.text
  assert.equal(ask('b@x.test'), 'greylisted, try again in 60 seconds')
  await clock.advance(59_999)
  assert.equal(ask('b@x.test'), 'greylisted, try again in 1 seconds')
  assert.equal(ask('c@x.test'), 'greylisted, try again in 60 seconds')
  await clock.advance(1)
  assert.equal(ask('b@x.test'), undefined)
  greylist.reset()
  assert.equal(ask('b@x.test'), 'greylisted, try again in 60 seconds')
})

test('the oldest pairs are forgotten', async () => {
  const clock = new VirtualClock()
  const greylist = new Greylist(clock)
  const ask = (n: number) => greylist.ask('a@x.test', `${n}@x.test`, 60_000)
  for (let n = 0; n < GREYLIST_PAIRS; n++) ask(n)
  await clock.advance(60_000)
  assert.equal(ask(0), undefined)
  assert.notEqual(ask(GREYLIST_PAIRS), undefined)
  assert.notEqual(ask(0), undefined)
})
