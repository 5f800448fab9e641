// Scenarios: what may be written, and how the steps follow each other by the clock.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { collectingLog, VirtualClock } from '@mox/plugin-sdk/testkit'
import { afterEach, beforeEach, test } from 'vitest'
import { problemsOf } from '../src/requests.ts'
import { Play } from '../src/scenario/play.ts'
import { Scenarios } from '../src/scenario/scenarios.ts'
import {
  PER_MINUTE,
  REPLY_LENGTH,
  type Scenario,
  type ScenarioInput,
  STEPS,
  scenario,
  TIMES,
} from '../src/scenario/schema.ts'

const HOUR = 3_600_000
const read = (given: ScenarioInput): Scenario => scenario.parse(given)

test('what may be written', () => {
  const check = (step: unknown, expected: RegExp | 'ok'): void => {
    const result = scenario.safeParse({ steps: [step] })
    const said = result.success ? 'ok' : problemsOf(result.error).join('; ')
    if (expected === 'ok') assert.equal(said, 'ok', JSON.stringify(step))
    else assert.match(said, expected)
  }
  check({ reply: '451 4.7.1 later' }, 'ok')
  check({ reply: '550 no' }, 'ok')
  check({ reply: '250 2.0.0 ok' }, /steps\.0\.reply: write a reply such as/)
  check({ reply: '451 5.7.1 later' }, 'ok')
  check({ reply: '451' }, /write a reply such as/)
  check({ reply: '451 4.7.1 bad\r\nRCPT' }, /write a reply such as/)
  check({ reply: `451 ${'x'.repeat(REPLY_LENGTH - 4)}` }, 'ok')
  check({ reply: `451 ${'x'.repeat(REPLY_LENGTH - 3)}` }, /steps\.0\.reply: /)
  check({ accept: true }, 'ok')
  check({ accept: { perMinute: PER_MINUTE } }, 'ok')
  check({ accept: { perMinute: PER_MINUTE + 1 } }, /steps\.0\.accept/)
  check({ accept: { perMinute: 1, else: '421 4.7.0 slow down' } }, 'ok')
  check({ break: 'end', times: TIMES }, 'ok')
  check({ break: 'end', times: TIMES + 1 }, /steps\.0\.times: /)
  check({ break: 'middle' }, /steps\.0\.break: /)
  check({}, /say one of reply, accept and break/)
  check({ accept: true, break: 'end' }, /say one of reply, accept and break/)
  check({ accept: true, for: '2h', times: 1 }, /say for or times, not both/)
  check({ accept: true, for: 'soon' }, /steps\.0\.for: write a duration/)
  check({ accept: true, slow: '0' }, /steps\.0\.slow: write a duration/)
  check({ accept: true, colour: 'red' }, /colour/)
})

test('the number of steps, and steps that never come', () => {
  const steps = (n: number) => Array.from({ length: n }, () => ({ accept: true as const, times: 1 }))
  assert.ok(scenario.safeParse({ steps: steps(STEPS) }).success)
  assert.ok(!scenario.safeParse({ steps: steps(STEPS + 1) }).success)
  assert.ok(!scenario.safeParse({ steps: [] }).success)
  const stuck = scenario.safeParse({ steps: [{ accept: true }, { break: 'end' }] })
  assert.match(
    stuck.error === undefined ? '' : problemsOf(stuck.error).join(),
    /every step but the last one needs for or/,
  )
})

/** What happens to recipients that come at these times, in hours after the first. */
function played(given: ScenarioInput, hours: readonly number[]): string[] {
  const play = new Play('x.test', read(given))
  return hours.map(hour => {
    const { verdict, failure, slowMs } = play.next(1_000_000 + hour * HOUR)
    return [verdict, ...(failure ? [failure.code, failure.enhanced, failure.stage] : []), slowMs || ''].join(' ').trim()
  })
}

test('steps by time and by number', () => {
  const check = (given: ScenarioInput, hours: readonly number[], ...expected: string[]): void =>
    assert.deepEqual(played(given, hours), expected)
  const steps: ScenarioInput['steps'] = [
    { reply: '451 4.7.1 later', for: '2h' },
    { break: 'end', times: 2 },
    { accept: true, slow: '30s', for: '1h' },
    { reply: '550 5.1.1 gone' },
  ]
  check(
    { steps },
    [0, 1.99, 2, 3, 3.5, 4.4, 4.6, 99],
    ...['defer 451 4.7.1 rcpt', 'defer 451 4.7.1 rcpt', 'break 0 4.4.2 end', 'break 0 4.4.2 end'],
    ...['accept 30000', 'accept 30000', 'reject 550 5.1.1 rcpt', 'reject 550 5.1.1 rcpt'],
  )
  // Nobody came while the second step lasted.
  check(
    {
      steps: [
        { reply: '450 no', for: '1h' },
        { reply: '452 no', for: '1h' },
      ],
    },
    [0, 2],
    'defer 450 4.0.0 rcpt',
    'accept',
  )
  check(
    { steps: [{ accept: { perMinute: 2, else: '421 4.7.0 slow' } }] },
    [0, 0, 0, 1 / 60, 1 / 60, 1 / 60],
    ...['accept', 'accept', 'defer 421 4.7.0 rcpt', 'accept', 'accept', 'defer 421 4.7.0 rcpt'],
  )
})

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mox-scenarios-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

test('files, tests and the config: who is asked, and forgetting', async () => {
  const clock = new VirtualClock()
  const log = collectingLog()
  const refuse = (code: number): ScenarioInput => ({ steps: [{ reply: `${code} no`, times: 1 }] })
  await writeFile(join(dir, 'B.test.json'), JSON.stringify(refuse(452)))
  const configured = { 'a.test': read(refuse(450)), 'b.test': read(refuse(451)) }
  const scenarios = new Scenarios({ clock, log, dir, configured })
  const code = (domain: string) => scenarios.ask(domain)?.failure?.code ?? 250
  await scenarios.start()
  try {
    assert.deepEqual([code('a.test'), code('a.test'), code('b.test'), code('c.test')], [450, 250, 452, 250])
    scenarios.set('b.test', read(refuse(550)))
    assert.deepEqual([code('b.test'), code('b.test')], [550, 250])
    assert.deepEqual(
      scenarios.status().scenarios.map(({ domain, source, step }) => `${domain} ${source} ${step}`),
      ['a.test config undefined', 'b.test test undefined'],
    )
    scenarios.reset()
    assert.deepEqual([code('a.test'), code('b.test'), scenarios.unset('b.test')], [450, 452, false])
  } finally {
    await scenarios.stop()
  }
})

test('a file that is wrong stops the start; a domain that is none the config', async () => {
  await writeFile(join(dir, 'a.test.json'), '{ "steps": [ {} ] }')
  await writeFile(join(dir, 'no domain.json'), '{}')
  await writeFile(join(dir, 'c.test.json'), '{')
  await writeFile(join(dir, 'notes.txt'), 'ignored')
  const deps = { clock: new VirtualClock(), log: collectingLog(), dir }
  await assert.rejects(new Scenarios({ ...deps, configured: {} }).start(), (error: Error) => {
    assert.match(error.message, /a\.test\.json: steps\.0: say one of reply, accept and break\n/)
    assert.match(
      error.message,
      /c\.test\.json: it is not JSON: .*\n.*no domain\.json: the name of the file is not a domain/,
    )
    return error.name === 'UsageError'
  })
  const configured = { 'no domain': read({ steps: [{ accept: true }] }) }
  assert.throws(() => new Scenarios({ ...deps, configured }), /scenarios: "no domain" is not a domain/)
})
