// Remote behaviour, end to end: the scripted servers of the smtp-out tests, and what the queue and the sender make of them.
// Every delivery also shows that attempts come when the schedule says, that recipients who wait together are tried together, and
// that DSN and `mox message explain` have the words of the last attempt.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import { ROWS } from '../../plugins/smtp-out/test/client/rows/index.ts'
import { BOB_AND_CAROL, brief, recipientsOf, suits } from './brief.ts'
import { EXPECTED } from './expected.ts'
import { deliver, type Fate, type Outcome } from './run.ts'

/** Seconds, as the queue has them by default. */
const SCHEDULE = [450, 900, 1800, 3600, 7200, 14_400, 28_800]
/** Part by which a wait varies. */
const JITTER = 0.01
/** Milliseconds: the steps of the clock, and the time between two looks of the scheduler. */
const LATE_MS = 3_000

async function check(group: string, name: string, expected: readonly string[]): Promise<void> {
  const row = ROWS[group]?.find(row => row.name === name)
  assert.ok(row !== undefined && suits(row), `${group} has no such row`)
  const outcome = await deliver(row.server, recipientsOf(row))
  assert.deepEqual(brief(outcome), expected)
  for (const fate of outcome.fates) {
    onTime(fate)
    sameWords(fate, outcome.story)
  }
  together(outcome)
}

function onTime({ attempts }: Fate): void {
  for (const [i, { startedAt }] of attempts.entries()) {
    const before = attempts[i - 1]
    if (before === undefined) continue
    const wait = (SCHEDULE[i - 1] ?? 0) * 1000
    // An attempt that takes longer than its wait is followed by the next one at once.
    const least = Math.max(before.startedAt + wait * (1 - JITTER), before.endedAt ?? 0)
    const most = Math.max(before.startedAt + wait * (1 + JITTER), before.endedAt ?? 0) + LATE_MS
    assert.ok(startedAt >= least && startedAt <= most, `attempt ${i + 1} came at ${startedAt}, not ${least} to ${most}`)
  }
}

function sameWords({ attempts, told }: Fate, story: string): void {
  const last = attempts.at(-1)
  for (const line of last?.text.split('\n') ?? []) {
    assert.ok(story.includes(line), `the story does not have "${line}":\n${story}`)
    const final = told.at(-1)
    if (final !== undefined) assert.ok(final.text.includes(line), `the DSN does not have "${line}": ${final.text}`)
  }
}

/** Recipients that were tried together and wait are tried together again. */
function together({ fates }: Outcome): void {
  const [first, ...rest] = fates
  for (const { attempts } of rest)
    for (const [i, { startedAt }] of attempts.entries()) {
      const other = first?.attempts[i]
      if (other !== undefined) assert.equal(startedAt, other.startedAt, `attempt ${i + 1}`)
    }
}

for (const [group, lines] of Object.entries(EXPECTED))
  describe(group, () => {
    for (const [name, ...expected] of lines) test(name, () => check(group, name, expected))
  })

test('there are enough rows, each once', () => {
  const names = Object.entries(EXPECTED).flatMap(([group, lines]) => lines.map(([name]) => `${group}: ${name}`))
  assert.ok(names.length >= 120)
  assert.equal(new Set(names).size, names.length)
})

test('a connection that breaks after the final dot: the message goes out again, and the story says why', async () => {
  const { fates, peer, story } = await deliver({ end: ['!close', '250 2.0.0 taken'] }, BOB_AND_CAROL)
  assert.deepEqual(
    fates.map(({ status, attempts }) => `${status} after ${attempts.length}`),
    ['delivered after 2', 'delivered after 2'],
  )
  // RFC 1047: the server may have it twice, and never not at all; once for both recipients, not once for each.
  assert.equal(peer.messages.length, 2)
  assert.equal(peer.messages[0], peer.messages[1])
  assert.equal(
    story.match(/temporary\n {4}mx\.example\.com closed the connection; the message may have been delivered\n/g)
      ?.length,
    2,
  )
})

test('recipients that were put off are tried again in one transaction', async () => {
  const { fates, peer } = await deliver(
    { rcpt: [...Array(4).fill('450 4.7.1 greylisted'), '250 2.1.5 ok'] },
    BOB_AND_CAROL,
  )
  assert.deepEqual(brief({ fates, peer, story: '' }), ['2 temporary 450 4.7.1 rcpt, delivered 250 2.0.0 end'])
  assert.equal(peer.messages.filter(message => message !== '').length, 1)
})
