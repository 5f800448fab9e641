// API keys on the command line.
import assert from 'node:assert/strict'
import { UsageError } from '@mox/plugin-sdk'
import { test } from 'vitest'
import { MAX_KEY_DAYS, MAX_KEY_NAME } from '../src/commands.ts'
import { openApi } from './support/api.ts'

test('a revoked key stops working at once', async () => {
  const api = await openApi()
  try {
    const headers = await api.key('alice')
    const call = async () => (await api.json('GET', 'messages', undefined, { headers })).status
    assert.deepEqual([await call(), await call()], [200, 200])
    const listed = await api.world.mox('webapi key list')
    const id = listed.kind === 'rows' ? listed.rows[0]?.['id'] : ''
    const during = call()
    await api.world.mox(`webapi key revoke ${id}`)
    await during
    assert.equal(await call(), 401)
  } finally {
    await api.close()
  }
})

test('add, list, revoke', async () => {
  const api = await openApi()
  try {
    const { mox } = api.world
    const added = await mox('webapi key add alice shop', {
      permissions: 'send, events:read',
      domains: 'example.org',
      days: 30,
    })
    assert.ok(added.kind === 'text')
    const [, id, key] = /^key ([a-z0-9]{26}); it is not shown again:\n(mox_[A-Za-z0-9_-]{43})$/.exec(added.text) ?? []
    await mox('webapi key add bob tests', { test: true, permissions: 'all' })
    const all = await mox('webapi key list')
    assert.ok(all.kind === 'rows' && all.rows.length === 2)
    assert.doesNotMatch(JSON.stringify(all), new RegExp(key ?? 'no key'))
    const own = await mox('webapi key list alice')
    assert.deepEqual(own.kind === 'rows' && own.rows, [
      {
        ...{ id, account: 'alice', name: 'shop', permissions: ['send', 'events:read'], domains: ['example.org'] },
        ...{ test: false, created: '2030-01-01T12:00:00.000Z', expires: '2030-01-31T12:00:00.000Z' },
      },
    ])
    api.world.clock.jump(30 * 86_400_000)
    const later = await mox('webapi key list alice')
    assert.match(JSON.stringify(later), /\(expired\)/)
    await mox(`webapi key revoke ${id}`)
    const rest = await mox('webapi key list alice')
    assert.ok(rest.kind === 'rows' && rest.rows.length === 0)

    const refused = async (line: string, flags: Record<string, string | number | boolean>, message: RegExp) =>
      await assert.rejects(mox(line, flags), error => error instanceof UsageError && message.test(error.message))
    await refused('webapi key add nobody x', {}, /no account "nobody"/)
    await refused(`webapi key add alice ${'x'.repeat(MAX_KEY_NAME + 1)}`, {}, /1 to 100 characters/)
    await refused('webapi key add alice x', { permissions: 'send,admin' }, /"admin" must be of send, messages:read/)
    await refused('webapi key add alice x', { permissions: '' }, /must be of/)
    await refused('webapi key add alice x', { domains: 'a b@c' }, /"b@c" is not a domain/)
    await refused('webapi key add alice x', { days: 0 }, /1 to 3650/)
    await refused('webapi key add alice x', { days: MAX_KEY_DAYS + 1 }, /1 to 3650/)
    await refused('webapi key revoke nothing', {}, /no API key "nothing"/)
    await mox(`webapi key add alice ${'x'.repeat(MAX_KEY_NAME)}`, { days: MAX_KEY_DAYS })
  } finally {
    await api.close()
  }
})
