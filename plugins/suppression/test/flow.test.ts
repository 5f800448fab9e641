// The list in the real mail flow, beside the other plugins that have a say about the queue.
import { deepStrictEqual, match, strictEqual } from 'node:assert'
import { extraData } from '@mox/plugin-extra-data'
import { fromid } from '@mox/plugin-fromid'
import { holdRules } from '@mox/plugin-hold-rules'
import { suppressions } from '@mox/plugin-sdk'
import { throttle } from '@mox/plugin-throttle'
import { afterEach, test } from 'vitest'
import { DELIVERED, type Mailflow, mailflow } from '../../../test/kit/mailflow.ts'
import { suppression } from '../src/index.ts'

let flow: Mailflow | undefined
afterEach(async () => {
  await flow?.close()
  flow = undefined
})

const GONE = { outcome: 'permanent', code: 550, enhanced: '5.1.1', text: 'no such user', stage: 'rcpt' } as const

test('a refused recipient is not tried again; its siblings are', async () => {
  const loginAddresses = { alice: ['alice+unique@example.org'] }
  const f = await mailflow([suppression(), fromid({ loginAddresses }), holdRules(), extraData(), throttle()])
  flow = f
  f.answer(job => (job.recipient.localpart === 'gone' ? GONE : DELIVERED))
  const to = ['a@one.example', 'gone@one.example', 'b@one.example']
  const [, bounced = 0] = await f.submit({ to })
  await f.advance(0)
  strictEqual(f.sent.flatMap(batch => batch.jobs).length, 3)
  strictEqual(await f.service(suppressions).causedBy(bounced), true)
  await f.restart()
  f.sent.length = 0
  const [, stopped = 0] = await f.submit({ to, loginAddress: 'alice+unique@example.org' })
  await f.advance(0)
  deepStrictEqual(f.sent.flatMap(batch => batch.jobs.map(job => job.recipient.localpart)).sort(), ['a', 'b'])
  const retired = await f.storage.history.get(stopped)
  const { status, attempts, results = [] } = retired ?? {}
  const { code, text } = results.at(-1) ?? {}
  deepStrictEqual([status, attempts, results.length, code], ['suppressed', 0, 1, 0])
  match(
    text ?? '',
    /^gone@one\.example is on the suppression list since 2030-01-01 \(bounce\): 550 5\.1\.1 no such user$/,
  )
  match(await f.text(`message explain q${stopped}`), /suppression +fail .*entry \d+ for gone@one\.example/)
  // What another account sends, and after the entry is gone, is tried.
  const bob = 'bob@example.org'
  f.sent.length = 0
  f.answer(() => DELIVERED)
  await f.submit({ account: 'bob', author: bob, from: bob, to: ['gone@one.example'] })
  match(await f.text('queue suppress remove alice GONE@one.example'), /is off the list$/)
  await f.submit({ to: ['gone@one.example'] })
  await f.advance(0)
  strictEqual(f.sent.length, 2)
})

test('a recipient on hold is asked about when it is tried', async () => {
  const f = await mailflow([suppression(), holdRules()])
  flow = f
  await f.mox('queue holdrules add', { all: true })
  const [id = 0] = await f.submit({ to: ['a@one.example'] })
  await f.mox('queue suppress add - a@one.example')
  await f.advance(0)
  strictEqual((await f.jobs()).length, 1)
  await f.mox('queue holdrules remove 1', { release: true })
  await f.advance(0)
  deepStrictEqual([(await f.storage.history.get(id))?.status, f.sent.length], ['suppressed', 0])
})
