import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { VirtualClock } from '@mox/plugin-sdk/testkit'
import type { Context } from 'koa'
import { test } from 'vitest'
import { BodyBudget } from '../src/server/body.ts'
import { CallError } from '../src/server/call.ts'
import { Guard } from '../src/server/guard.ts'
import { INVALID_DELAY_MS, MAX_DELAYED } from '../src/server/limits.ts'
import type { Sessions } from '../src/server/sessions.ts'

async function codeOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'done',
    (error: unknown) => {
      if (error instanceof CallError) return error.code
      throw error
    },
  )
}

test('only so many answers to invalid sessions wait', async () => {
  const clock = new VirtualClock()
  const guard = new Guard({ find: async () => undefined } as unknown as Sessions, clock)
  const ctx = { cookies: { get: () => 'unknown' } } as unknown as Context
  const waiting = Array.from({ length: MAX_DELAYED }, () => codeOf(guard.caller(ctx, 'token')))
  for (let i = 0; i < 100 && clock.pending < MAX_DELAYED; i++) await new Promise(resolve => setImmediate(resolve))
  assert.equal(clock.pending, MAX_DELAYED)
  assert.equal(await codeOf(guard.caller(ctx, 'token')), 'tooMany')
  await clock.advance(INVALID_DELAY_MS)
  assert.deepEqual([...new Set(await Promise.all(waiting))], ['badAuth'])
  const again = codeOf(guard.caller(ctx, 'token'))
  await clock.advance(INVALID_DELAY_MS)
  assert.equal(await again, 'badAuth')
})

test('bodies in memory are bounded, each and all together', async () => {
  const budget = new BodyBudget(10)
  const ctx = (body: string): Context =>
    ({ request: { length: body.length }, req: Readable.from([Buffer.from(body)]) }) as unknown as Context
  const read = async (body: string, work: () => Promise<void> = async () => {}): Promise<string> =>
    await codeOf(budget.with(ctx(body), 8, work))
  assert.equal(await read('12345678'), 'done')
  assert.equal(await read('123456789'), 'tooLarge')
  let release = (): void => {}
  const held = new Promise<void>(resolve => {
    release = resolve
  })
  const first = read('1234567', () => held)
  assert.equal(await read('123'), 'done')
  assert.equal(await read('1234'), 'tooMany')
  release()
  assert.equal(await first, 'done')
  assert.equal(await read('1234'), 'done')
})
