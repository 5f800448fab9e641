// `mox queue suppress …` and `mox suppression …`.
import { deepStrictEqual, match, rejects } from 'node:assert'
import { readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CommandResult, UsageError } from '@mox/plugin-sdk'
import { afterEach, beforeEach, test } from 'vitest'
import { FILE_BYTES } from '../src/transfer.ts'
import { openWorld, type World } from './support/world.ts'

let world: World
beforeEach(async () => {
  world = await openWorld()
})
afterEach(async () => await world.close())

const text = async (line: string, flags?: Readonly<Record<string, string | number | boolean>>) => {
  const result = await world.mox(line, flags)
  return result.kind === 'text' ? result.text : ''
}

test('by hand', async () => {
  deepStrictEqual(
    await text('queue suppress add alice Bob@example.com', { reason: 'asked us', days: 7 }),
    'Bob@example.com is on the list',
  )
  await text('queue suppress add - @bad.example', { stream: 'news' })
  const refused = async (line: string, expected: RegExp, flags = {}) =>
    match(await world.refusal(line, flags), expected)
  await refused('queue suppress add nobody a@example.com', /there is no account "nobody"; see mox account list/)
  await refused('queue suppress add alice bob@example.com', /is on the list already; see mox queue suppress lookup/)
  await refused('queue suppress add alice bob', /"bob" is no address/)
  await refused('queue suppress add alice a@example.com', /--days must be a whole number from 1 to 3650/, { days: 0 })
  await refused('queue suppress add alice a@example.com', /--days/, { days: 3651 })
  await refused('queue suppress add alice a@example.com', /--stream must be one line/, { stream: 'a\nb' })
  await refused('queue suppress remove alice a@example.com', /a@example\.com is not on the list of alice/)
  const rows = await world.rows('queue suppress list')
  deepStrictEqual(
    rows.map(r => [r['account'], r['stream'], r['address'], r['cause'], r['reason'], r['expires']]),
    [
      ['alice', '', 'Bob@example.com', 'manual', 'asked us', '2030-01-08T12:00:00Z'],
      ['-', 'news', '@bad.example', 'manual', 'added on the command line', ''],
    ],
  )
  deepStrictEqual((await world.rows('queue suppress list', { account: '-' })).length, 1)
  deepStrictEqual((await world.rows('queue suppress list', { after: Number(rows[0]?.['id']) })).length, 1)
  deepStrictEqual((await world.rows('queue suppress lookup BOB@example.com')).length, 1)
  deepStrictEqual((await world.rows('queue suppress lookup bob@example.com', { account: 'carol' })).length, 0)
  deepStrictEqual(
    (await world.rows('queue suppress lookup x@bad.example', { account: 'carol', stream: 'news' })).length,
    1,
  )
  deepStrictEqual(await text('queue suppress remove alice bOb@example.com'), 'bOb@example.com is off the list')
  await text('queue suppress remove - @bad.example', { stream: 'news' })
  deepStrictEqual(await world.rows('queue suppress list'), [])
  deepStrictEqual(
    (await world.rows('suppression audit')).map(r => `${r['who']} ${r['what']} ${r['account']} ${r['address']}`),
    [
      'cli remove - @bad.example',
      'cli remove alice Bob@example.com',
      'cli add - @bad.example',
      'cli add alice Bob@example.com',
    ],
  )
  deepStrictEqual((await world.rows('suppression audit', { address: '@bad.example', account: '-' })).length, 2)
})

test('export and import', async () => {
  await text('queue suppress add alice =cmd@example.com', { reason: '=HYPERLINK("http://x")' })
  await text('queue suppress add - @bad.example', { days: 30, reason: 'a, "b"' })
  await text('queue suppress add carol c@example.com', { stream: 'news' })
  const file = join(world.dir, 'list.csv')
  deepStrictEqual(await text(`suppression export ${file}`), `3 entries in ${file}`)
  deepStrictEqual((await stat(file)).mode & 0o777, 0o600)
  deepStrictEqual((await readFile(file, 'utf8')).split('\r\n'), [
    'account,stream,address,cause,reason,code,enhanced,created,expires',
    `alice,,'=cmd@example.com,manual,"'=HYPERLINK(""http://x"")",,,2030-01-01T12:00:00.000Z,`,
    `,,'@bad.example,manual,"a, ""b""",,,2030-01-01T12:00:00.000Z,2030-01-31T12:00:00.000Z`,
    'carol,news,c@example.com,manual,added on the command line,,,2030-01-01T12:00:00.000Z,',
    '',
  ])
  match(await world.refusal(`suppression export ${file}`), /is there already; name a file that is not/)
  match(await world.refusal('suppression export list.csv'), /write the whole path/)
  match(await world.refusal(`suppression export ${world.dir}/none/list.csv`), /there is no directory/)
  const before = await world.list.list({}, { limit: 10 })
  await text('queue suppress remove alice =cmd@example.com')
  await text('queue suppress remove - @bad.example')
  deepStrictEqual(await text(`suppression import ${file}`), '2 added, 1 known already, 0 refused')
  const after = await world.list.list({}, { limit: 10 })
  const plain = (list: typeof after) => list.map(({ id: _, ...rest }) => JSON.stringify(rest)).sort()
  deepStrictEqual(plain(after), plain(before))
  const one = join(world.dir, 'alice.csv')
  deepStrictEqual(await text(`suppression export ${one}`, { account: 'alice' }), `1 entries in ${one}`)
})

test('files from elsewhere', async () => {
  const check = async (
    content: string | Buffer,
    expected: RegExp,
    flags: Readonly<Record<string, string | number>> = {},
  ) => {
    const file = join(world.dir, 'in.csv')
    await writeFile(file, content)
    const result = await world.mox(`suppression import ${file}`, flags).catch((error: UsageError) => error.message)
    if (typeof result === 'string') return match(result, expected)
    const { text, failed } = result as Extract<CommandResult, { kind: 'text' }>
    match(text, expected)
    deepStrictEqual(failed, !text.endsWith(' 0 refused'))
  }
  await check('\ufeffEmail,other\na@example.com,1\n', /^1 added, 0 known already, 0 refused$/, { account: 'alice' })
  await check('email\nA@example.com\n', /^0 added, 1 known already, 0 refused$/, { account: 'alice' })
  await check('email\nb@example.com\n', /line 2: no column "account"; give --account/)
  await check('email\nb@example.com', /^1 added/, { account: '-', stream: 'news', days: 2 })
  await check(
    'account,address,expires,code,enhanced,cause\nalice,c@example.com,,550,5.1.1,bounce\nalice,d@example.com,,9,x,hard\n' +
      'bob,c@example.com\nalice,nobody\nalice,e@example.com,soon\nalice,e@example.com,2020-01-01\n',
    /^2 added, 0 known already, 4 refused\nline 4: there is no account "bob"\nline 5: "nobody" is no address .*\nline 6: the expiry .*\nline 7: it has expired$/,
  )
  const entries = await world.list.list({ account: 'alice' }, { limit: 10 })
  deepStrictEqual(
    entries.map(e => [e.address, e.cause, e.code]),
    [
      ['a@example.com', 'import', undefined],
      ['c@example.com', 'bounce', 550],
      ['d@example.com', 'import', undefined],
    ],
  )
  await check(`email\n${'x\n'.repeat(30)}`, /30 refused\n(?:line .*\n){20}and 10 more$/, { account: 'alice' })
  await check('', /is empty; the first line must name the columns/)
  await check('a,b\n1,2\n', /line 1 must name the columns, one of them "address"/)
  await check('email\n"z@example.com\n', /line 2 has a quote that is not closed; 0 records before it were added/)
  await check(Buffer.from('email\n\xff\xfe\n', 'latin1'), /the file is not UTF-8/)
  match(await world.refusal('suppression import in.csv'), /write the whole path/)
  match(await world.refusal(`suppression import ${world.dir}/none.csv`), /there is no file/)
  match(await world.refusal(`suppression import ${world.dir}`), /is no file/)
})

test('a long file comes in portions; one beyond the limit not at all', async () => {
  const file = join(world.dir, 'long.csv')
  const lines = Array.from({ length: 1_001 }, (_, i) => `user${i}@example.com`)
  await writeFile(file, `address\n${lines.join('\n')}\n`)
  match(await text(`suppression import ${file}`, { account: 'alice' }), /^1001 added/)
  const out = join(world.dir, 'out.csv')
  match(await text(`suppression export ${out}`), /^1001 entries/)
  deepStrictEqual((await readFile(out, 'utf8')).split('\r\n').length, 1_003)
  // A sparse file takes no room.
  await truncate(file, FILE_BYTES + 1)
  await rejects(world.mox(`suppression import ${file}`), /has more than 536870912 bytes; split it/)
})
