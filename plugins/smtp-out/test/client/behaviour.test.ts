// Remote behaviour, row by row: what each recipient is told, and whether the connection may be used again. The rows are data in
// rows/, so that what is retried and what a DSN says can be tested from the same ones.
import { strictEqual } from 'node:assert'
import { deepStrictEqual } from 'node:assert/strict'
import { describe, expect, test } from 'vitest'
import { run, told } from '../support/run.ts'
import { ROWS } from './rows/index.ts'
import type { Row } from './rows/row.ts'

async function check(row: Row): Promise<void> {
  const { peer, clock, error, answers, usable } = await run(row)
  const recipients = row.to?.length ?? 2
  const happened = error === undefined ? answers.map(a => told(a.kind, a)) : told(error.kind, error.answer)
  const { answers: expected = [] } = row
  const each = typeof expected === 'string' ? Array<string>(recipients).fill(expected) : [...expected]
  deepStrictEqual(happened, row.session ?? each)
  strictEqual(usable, row.usable ?? row.session === undefined, 'usable')
  strictEqual(clock.pending, 0, 'timers left')
  if (row.commands !== undefined)
    deepStrictEqual(
      peer.commands.filter(line => line !== 'QUIT'),
      row.commands,
    )
  if (row.messages !== undefined) deepStrictEqual(peer.messages, row.messages)
  strictEqual(peer.connections, 1)
}

for (const [group, rows] of Object.entries(ROWS))
  describe(group, () => {
    for (const row of rows) test(row.name, () => check(row))
  })

test('there are enough rows, each with a name of its own', () => {
  const names = Object.entries(ROWS).flatMap(([group, rows]) => rows.map(row => `${group}: ${row.name}`))
  expect(names.length).toBeGreaterThanOrEqual(120)
  expect(new Set(names).size).toBe(names.length)
})
