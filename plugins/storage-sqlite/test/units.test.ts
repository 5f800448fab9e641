// Group commit on a connection that fails when it is told to: what each error of SQLite means for the units of the group and
// for those after it.
import { MailError } from '@mox/plugin-sdk'
import type { Knex } from 'knex'
import { expect, test } from 'vitest'
import type { Connection } from '../src/driver.ts'
import { Units } from '../src/units.ts'
import { quiet } from './support.ts'

const errorOf = (code: string): Error => Object.assign(new Error(code), { code })

/** Fails once for each entry of `failures`, at the statement that it names. */
function fake(failures: Map<string, Error>): { units: Units; statements: string[] } {
  const statements: string[] = []
  const connection = {
    control: (sql: string) => {
      statements.push(sql)
      const error = failures.get(sql)
      failures.delete(sql)
      if (error !== undefined) throw error
    },
  } as unknown as Connection
  return { statements, units: new Units(connection, {} as Knex, quiet, { committed: () => undefined }) }
}

const outcome = (result: PromiseSettledResult<unknown>): unknown => {
  if (result.status === 'fulfilled') return result.value
  return result.reason instanceof MailError ? result.reason.reply.code : (result.reason as Error).message
}

async function check(statement: string, code: string, expected: unknown[], after: unknown): Promise<void> {
  const { units } = fake(new Map([[statement, errorOf(code)]]))
  const seen: boolean[] = []
  const results = await Promise.allSettled(
    [1, 2].map(n =>
      units.write(async () => {
        units.afterUnit(committed => void seen.push(committed))
        return n
      }),
    ),
  )
  expect(results.map(outcome)).toEqual(expected)
  expect(seen).not.toContain(true)
  expect(outcome((await Promise.allSettled([units.write(async () => 'next')]))[0])).toEqual(after)
}

test.each([
  ['commit', 'SQLITE_FULL', [452, 452], 'next'],
  ['commit', 'SQLITE_IOERR_SHMSIZE', [452, 452], 'next'],
  ['commit', 'SQLITE_IOERR_FSYNC', [451, 451], 451],
  ['commit', 'SQLITE_CORRUPT', [451, 451], 451],
  ['commit', 'SQLITE_CONSTRAINT_FOREIGNKEY', ['SQLITE_CONSTRAINT_FOREIGNKEY', 'SQLITE_CONSTRAINT_FOREIGNKEY'], 'next'],
  ['begin immediate', 'SQLITE_BUSY', ['SQLITE_BUSY', 'SQLITE_BUSY'], 'next'],
  ['begin immediate', 'SQLITE_IOERR_READ', [451, 451], 451],
] as const)('%s fails with %s', async (statement, code, expected, after) => {
  await check(statement, code, [...expected], after)
})

test('a savepoint that cannot be undone takes its group with it, and nobody waits for ever', async () => {
  const { units, statements } = fake(new Map([['rollback to unit', errorOf('SQLITE_ERROR')]]))
  const results = await Promise.allSettled([
    units.write(async () => 1),
    units.write(async () => Promise.reject(new Error('mine'))),
    units.write(async () => 3),
  ])
  expect(results.map(outcome)).toEqual(['SQLITE_ERROR', 'SQLITE_ERROR', 3])
  expect(statements.filter(sql => sql === 'commit')).toHaveLength(1)
})

test('the error of the disk that a unit catches for itself still fails its group', async () => {
  const { units, statements } = fake(new Map())
  const results = await Promise.allSettled([
    units.write(async () => {
      units.failed(errorOf('SQLITE_FULL'))
      expect(() => units.current()).toThrow('452')
      return 'carried on'
    }),
    units.write(async () => 'next group'),
  ])
  expect(results.map(outcome)).toEqual([452, 'next group'])
  expect(statements.filter(sql => sql === 'commit')).toHaveLength(1)
})

test('after a failed fsync the error says what to do', async () => {
  const { units } = fake(new Map())
  units.fail(errorOf('EIO'))
  await expect(units.write(async () => 1)).rejects.toThrow('451 4.3.0 storage failed, the server must be restarted')
  await units.idle()
})

test('units that only read, or all fail, make no commit', async () => {
  const { units, statements } = fake(new Map())
  await Promise.allSettled([1, 2].map(() => units.write(async () => Promise.reject(new Error('no')))))
  expect(statements).toContain('rollback')
  expect(statements).not.toContain('commit')
})
