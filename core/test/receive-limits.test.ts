// How much an account may send and have queued: at each limit and one beyond, for every way of sending.
import assert from 'node:assert/strict'
import type { AccountInfo, MailError } from '@mox/plugin-sdk'
import { test } from 'vitest'
import { SENT_WINDOW_MS } from '../src/receive/sender-limits.ts'
import { FIRST_PURGE_MS, MET_DAYS } from '../src/retire/purge.ts'
import { testClock } from './stages/clock.ts'
import { MESSAGE, makeWorld, path, type World } from './stages/world.ts'

const DAY = 86_400_000
const world = (limits: Partial<AccountInfo>) => makeWorld({ limits, config: { paused: true } })

const sends = (w: World, ...to: string[]) => sendsAs(w, 'ann', ...to)

async function sendsAs(w: World, account: string, ...to: string[]): Promise<string> {
  const content = MESSAGE.replace('ann@', `${account}@`)
  const { code, enhanced, text } = (await w.send({ account, from: `${account}@here.test`, to, content })).at(-1)!
  return code === 250 ? '250' : `${code} ${enhanced} ${text}`
}
const counted = ({ storage }: World) => {
  const { sent, met, queue, messages } = storage.snapshot()
  return [sent.size, met.size, queue.size, messages.size]
}

test('recipients in 24 hours', async () => {
  const w = world({ maxOutgoingPerDay: 3 })
  const over = '451 4.7.1 limit of 3 recipients a day is reached: try again later'
  assert.equal(await sends(w, '1@a.test'), '250')
  await w.clock.advance(1_000)
  assert.equal(await sends(w, '1@a.test', '2@a.test', '3@a.test'), over)
  assert.equal(await sends(w, '1@a.test', '2@a.test'), '250')
  assert.equal(await sends(w, '1@a.test'), over)
  assert.deepEqual(counted(w), [2, 0, 3, 2], 'nothing of what is refused stays')
  assert.equal(await sendsAs(w, 'bob', '1@a.test'), '250', 'every account has its own')
  await w.clock.advance(SENT_WINDOW_MS - 1_001)
  assert.equal(await sends(w, '1@a.test'), over)
  await w.clock.advance(1)
  assert.equal(await sends(w, '1@a.test'), '250')
  assert.equal(await sends(w, '2@a.test'), over)
})

test('first-time recipients in 24 hours', async () => {
  const w = world({ maxFirstTimeRecipientsPerDay: 2 })
  const over = '451 4.7.1 limit of 2 first-time recipients a day is reached: try again later'
  assert.equal(await sends(w, '1@a.test'), '250')
  for (let n = 0; n < 5; n++) assert.equal(await sends(w, '1@a.test'), '250', 'known ones count once')
  assert.equal(await sends(w, '1@a.test', '2@a.test', '3@a.test'), over)
  assert.equal(await sends(w, '1@a.test', '2@a.test'), '250')
  assert.equal(await sends(w, '3@a.test'), over)
  assert.equal(await sendsAs(w, 'bob', '3@a.test'), '250')
  await w.clock.advance(SENT_WINDOW_MS)
  assert.equal(await sends(w, '1@a.test', '2@a.test', '3@a.test', '4@a.test'), '250')
  assert.equal(await sends(w, '5@a.test'), over)
})

test('the queue of an account, in recipients and in bytes', async () => {
  const w = world({ maxQueued: 2 })
  const full = '452 4.3.1 at most 2 recipients of this account may be queued: try again later'
  assert.equal(await sends(w, '1@a.test', '2@a.test', '3@a.test'), full)
  assert.equal(await sends(w, '1@a.test', '2@a.test'), '250')
  assert.equal(await sends(w, '1@a.test'), full)
  assert.equal(await sendsAs(w, 'bob', '1@a.test'), '250')
  await w.stages.start()
  await w.stages.queueControl.end({ account: 'ann', max: 1 }, 'cancelled', 'x')
  assert.equal(await sends(w, '1@a.test'), '250')
  assert.deepEqual(counted(w), [0, 0, 3, 3], 'these limits need no counts')

  const probe = world({})
  await sends(probe, '1@a.test')
  const size = [...probe.storage.snapshot().queue.values()][0]!.size
  const bytes = async (maxQueuedBytes: number) => {
    const one = world({ maxQueuedBytes })
    assert.equal(await sends(one, '1@a.test'), '250')
    return await sends(one, '2@a.test')
  }
  assert.equal(await bytes(2 * size), '250')
  assert.equal(
    await bytes(2 * size - 1),
    `452 4.3.1 at most ${2 * size - 1} bytes of this account may be queued: try again later`,
  )
})

test('plugins that send are counted as well; mail from outside is not', async () => {
  const w = world({ maxOutgoingPerDay: 1, maxFirstTimeRecipientsPerDay: 1 })
  const submit = () =>
    w.stages.submission.submit({
      ...{ account: 'ann', source: 'webapi', content: Buffer.from(MESSAGE) },
      envelope: { reversePath: path('ann@here.test'), recipients: [{ path: path('x@a.test') }] },
    })
  await submit()
  const refused = (await submit().catch((error: unknown) => error)) as MailError
  assert.deepEqual([refused.reply.code, refused.reply.enhanced, refused.temporary], [451, '4.7.1', true])
  for (let n = 0; n < 3; n++) {
    const replies = await w.send({ from: 'x@a.test', to: ['ann@here.test'] })
    assert.equal(replies.at(-1)?.code, 250)
  }
  assert.deepEqual(counted(w).slice(0, 2), [1, 1])
})

test('an account without limits is not counted', async () => {
  const w = world({})
  for (let n = 0; n < 3; n++) assert.equal(await sends(w, `${n}@a.test`), '250')
  assert.deepEqual(counted(w), [0, 0, 3, 3])
})

test('old counts are removed; an address not written to for a year is new again', async () => {
  const w = makeWorld({ limits: { maxOutgoingPerDay: 9, maxFirstTimeRecipientsPerDay: 1 } })
  await w.stages.start()
  assert.equal(await sends(w, '1@a.test'), '250')
  await w.clock.advance(DAY - 1)
  assert.deepEqual(counted(w).slice(0, 2), [1, 1])
  await w.clock.advance(3_600_000 + FIRST_PURGE_MS)
  assert.deepEqual(counted(w).slice(0, 2), [0, 1])
  const met = [...w.storage.snapshot().met.values()][0]!.lastAt
  for (const [at, left] of [
    [met + MET_DAYS * DAY - 1, 1],
    [met + MET_DAYS * DAY, 0],
  ] as const) {
    const clock = testClock(at - FIRST_PURGE_MS)
    const later = makeWorld({ clock, from: { snapshot: w.storage.snapshot(), filed: [] } })
    await later.stages.start()
    await clock.advance(FIRST_PURGE_MS)
    assert.deepEqual(counted(later).slice(0, 2), [0, left])
  }
})
