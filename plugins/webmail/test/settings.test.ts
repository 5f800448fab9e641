import assert from 'node:assert/strict'
import { storage } from '@mox/plugin-sdk'
import { collectingLog } from '@mox/plugin-sdk/testkit'
import { afterAll, beforeAll, test } from 'vitest'
import { settings as schema } from '../src/api/model.ts'
import { SETTINGS_BYTES } from '../src/server/limits.ts'
import { DEFAULT_SETTINGS, readSettings, SettingsStore } from '../src/server/settings.ts'
import { openWebmail, refusal, type WebmailHost } from './webmail-host.ts'

let host: WebmailHost
beforeAll(async () => {
  host = await openWebmail()
})
afterAll(() => host.close())

test('what cannot be read has its default, and the rest stays', () => {
  assert.deepEqual(schema.parse(DEFAULT_SETTINGS), DEFAULT_SETTINGS)
  const check = (stored: string | undefined, expected: object) =>
    assert.deepEqual(readSettings(stored), { ...DEFAULT_SETTINGS, ...expected })
  check(undefined, {})
  check('', {})
  check('{"signature"', {})
  check('[1]', {})
  check('null', {})
  check('{"signature":"Alice","quoting":"sideways","sendDelay":1000,"unknown":1}', { signature: 'Alice' })
  check('{"theme":"dark","labels":[{"keyword":"a"}],"__proto__":{"order":"oldest"}}', { theme: 'dark' })
})

test('settings are kept per account, and others hear of a change', async () => {
  const alice = await host.login()
  const bob = await host.login('bob@example.org')
  const log = collectingLog()
  const store = new SettingsStore(host.service(storage), err => log.error({ err }, 'failed'))
  store.start()
  const heard: string[] = []
  const stop = store.onSettings((account, { signature }) => heard.push(`${account} ${signature}`))
  await alice.call('settingsSave', { settings: { ...DEFAULT_SETTINGS, signature: 'one' } })
  await bob.call('settingsSave', { settings: { ...DEFAULT_SETTINGS, signature: 'two' } })
  assert.equal((await store.get('alice')).signature, 'one')
  assert.deepEqual(await store.get('nobody'), DEFAULT_SETTINGS)
  for (let i = 0; i < 1_000 && heard.length < 2; i++) await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(heard, ['alice one', 'bob two'])
  stop()
  const templates = Array.from({ length: 12 }, (_, i) => ({ name: `${i}`, subject: '', text: 'x'.repeat(100_000) }))
  assert.ok(JSON.stringify(templates).length > SETTINGS_BYTES)
  assert.match(
    await refusal(alice.call('settingsSave', { settings: { ...DEFAULT_SETTINGS, templates } })),
    /^tooLarge: the settings are too large/,
  )
  assert.equal((await store.get('alice')).signature, 'one')
  store.stop()
  assert.deepEqual(log.lines, [])
})
