// Scenarios of localserve: a file that says how a domain behaves, changed while the server runs; one that a test sets.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'vitest'
import { advance, change, recipientOf, submit } from '../kit/bench.ts'
import { type Localserve, startLocalserve } from '../kit/localserve.ts'
import { eventually } from '../kit/temp.ts'

interface Status {
  readonly scenarios: readonly { domain: string; source: string; steps: number; step?: number }[]
  readonly problems: readonly { file: string; problem: string }[]
}

const status = async (server: Localserve): Promise<Status> => await server.get<Status>('/api/scenarios')

async function attempts(server: Localserve, subject: string): Promise<string[]> {
  const recipient = await recipientOf(server, subject)
  return recipient.attempts.map(({ outcome, code, stage = '' }) => `${outcome} ${code} ${stage}`.trim())
}

test('a file: deferred for two hours, a broken connection, then taken', async () => {
  await using server = await startLocalserve()
  const file = join(server.dir, 'scenarios', 'slow.example.json')
  const steps = [
    { reply: '451 4.7.1 come back later', for: '2h' },
    { break: 'end', times: 1 },
  ]
  await writeFile(file, JSON.stringify({ steps }))
  await eventually(async () =>
    assert.deepEqual((await status(server)).scenarios, [{ domain: 'slow.example', source: 'file', steps: 2, step: 1 }]),
  )
  await submit(server, ['anybody@slow.example'], 'slow domain')
  await submit(server, ['anybody@quick.example'], 'quick domain')
  await eventually(async () => assert.deepEqual(await attempts(server, 'quick domain'), ['delivered 250']))
  await eventually(async () => assert.deepEqual(await attempts(server, 'slow domain'), ['temporary 451 rcpt']))
  await advance(server, '8h')
  assert.deepEqual(await attempts(server, 'slow domain'), [
    ...Array<string>(5).fill('temporary 451 rcpt'),
    'temporary 0 end',
    'delivered 250',
  ])
  const recipient = await recipientOf(server, 'slow domain')
  assert.equal(recipient.attempts[0]?.text, 'come back later')
  const said = recipient.attempts.map(({ trace }) => trace?.find(({ hook }) => hook === 'transport'))
  assert.deepEqual(said[0]?.reason, 'scenario slow.example: step 1 of 2')
  assert.equal(said.at(-1)?.reason, 'scenario slow.example: all steps are over')

  await writeFile(file, '{ "steps": [ { "reply": "250 ok" } ] }')
  await eventually(async () =>
    assert.match((await status(server)).problems[0]?.problem ?? '', /steps\.0\.reply: write a reply such as/),
  )
  server.signal('SIGHUP')
  await eventually(() => assert.match(server.text, /slow\.example\.json: steps\.0\.reply: write a reply/))
})

test('one that a test sets: so many per minute', async () => {
  await using server = await startLocalserve()
  const scenario = { steps: [{ accept: { perMinute: 1, else: '421 4.7.0 too fast' } }] }
  await change(server, 'PUT', '/admin/scenarios/limited.example', scenario)
  for (const n of [1, 2]) {
    await submit(server, [`r${n}@limited.example`], `limited ${n}`)
    await eventually(async () => assert.equal((await attempts(server, `limited ${n}`)).length, 1))
  }
  await eventually(async () => assert.deepEqual(await attempts(server, 'limited 2'), ['temporary 421 rcpt']))
  assert.deepEqual(await attempts(server, 'limited 1'), ['delivered 250'])
  await advance(server, '10m')
  assert.deepEqual(await attempts(server, 'limited 2'), ['temporary 421 rcpt', 'delivered 250'])
  await change(server, 'DELETE', '/admin/scenarios/limited.example')
  assert.deepEqual((await status(server)).scenarios, [])
  await assert.rejects(change(server, 'DELETE', '/admin/scenarios/limited.example'), /404 no test has set/)
  await assert.rejects(change(server, 'PUT', '/admin/scenarios/a..b', scenario), /400 "a\.\.b" is not a domain/)
  await assert.rejects(
    change(server, 'PUT', '/admin/scenarios/a.example', { steps: [] }),
    /400 steps: needs at least one/,
  )
})
