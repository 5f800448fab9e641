// The policy in the real host, with a virtual clock: what it says at which time, and which options it refuses.
import assert from 'node:assert/strict'
import { sampleDeliver, sampleJob, testHost } from '@mox/plugin-sdk/testkit'
import { test } from 'vitest'
import { type Options, weekendHold } from '../src/index.ts'

/** `time` is UTC; `until` undefined means that the mail goes out. */
async function check(time: string, recipientDomain: string, until: string | undefined): Promise<void> {
  const plugins = [weekendHold({ domains: ['office.example'] })]
  const host = await testHost({ plugins, now: Date.parse(`${time}Z`) })
  const verdict = await host.decide('beforeDeliver', sampleDeliver({ job: sampleJob({ recipientDomain }) }))
  const expected =
    until === undefined
      ? { kind: 'pass' }
      : { kind: 'postpone', until: Date.parse(`${until}Z`), reason: 'closed at the weekend' }
  assert.deepEqual(verdict, expected, time)
  await host.close()
}

test('when mail waits', async () => {
  await check('2030-01-04T23:59:59.999', 'office.example', undefined)
  await check('2030-01-05T00:00', 'office.example', '2030-01-07T08:00')
  await check('2030-01-05T12:00', 'other.example', undefined)
  await check('2030-01-06T23:59', 'office.example', '2030-01-07T08:00')
  await check('2030-01-07T07:59:59.999', 'office.example', '2030-01-07T08:00')
  await check('2030-01-07T08:00', 'office.example', undefined)
  await check('2030-01-09T12:00', 'office.example', undefined)
})

test('the time moves on', async () => {
  const host = await testHost({
    plugins: [weekendHold({ domains: ['office.example'], opensAt: 6 })],
    now: Date.parse('2030-01-06T12:00Z'),
  })
  const ask = (): Promise<{ kind: string }> =>
    host.decide('beforeDeliver', sampleDeliver({ job: sampleJob({ recipientDomain: 'office.example' }) }))
  assert.equal((await ask()).kind, 'postpone')
  await host.advance(18 * 3_600_000)
  assert.equal((await ask()).kind, 'pass')
  assert.deepEqual(
    host.trace.map(({ plugin, verdict }) => `${plugin}: ${verdict}`),
    ['weekend-hold: postpone', 'weekend-hold: pass'],
  )
  await host.close()
})

async function refuse(options: Partial<Options> | Record<string, unknown>, message: string): Promise<void> {
  await assert.rejects(testHost({ plugins: [weekendHold(options)] }), { name: 'UsageError', message })
}

test('options', async () => {
  const domains = 'domains must be a list of domain names in lower case, such as ["office.example"]'
  await refuse({}, `weekend-hold: options: ${domains}`)
  await refuse({ domains: [] }, `weekend-hold: options: ${domains}`)
  await refuse({ domains: ['Office.Example'] }, `weekend-hold: options: ${domains}`)
  await refuse(
    { domains: ['a.example'], opensAt: 24 },
    'weekend-hold: options: opensAt is 24; it must be an hour from 0 to 23',
  )
  await refuse(
    { domains: ['a.example'], opensat: 8 },
    'weekend-hold: options: opensat is not an option; there are domains and opensAt',
  )
})
