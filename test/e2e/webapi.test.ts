// The web API of localserve as a developer meets it: with curl, with fetch and a form, with the typed client; and what was
// answered survives a crash.
import assert from 'node:assert/strict'
import { MoxClient } from '@mox/plugin-webapi/client'
import { test } from 'vitest'
import { installed, mox, run } from '../kit/cli.ts'
import { startLocalserve } from '../kit/localserve.ts'
import { startServer } from '../kit/server.ts'
import { eventually } from '../kit/temp.ts'

const LOGIN = 'mox@localhost:moxmoxmox'

test('send over HTTP, and it arrives', async () => {
  await using server = await startLocalserve({ probe: true })
  const client = new MoxClient({ url: server.url('/webapi/'), user: 'mox@localhost', password: 'moxmoxmox' })
  const sent = await client.send({ to: ['friend@example.org'], subject: 'v1', text: 'Hello' })

  const form = new FormData()
  form.set('request', JSON.stringify({ To: [{ Address: 'friend@example.org' }], Subject: 'v0', Text: 'Hello' }))
  form.append('attachedfile', new Blob(['a,b\n'], { type: 'text/csv' }), 'table.csv')
  const headers = { Authorization: `Basic ${btoa(LOGIN)}` }
  const answer = await fetch(server.url('/webapi/v0/Send'), { method: 'POST', headers, body: form })
  assert.equal(answer.status, 200, await answer.clone().text())

  let expected = 2
  if (await installed('curl')) {
    const body = '{"to":["friend@example.org"],"subject":"curl","text":"Hello"}'
    const url = server.url('/webapi/v1/messages')
    const curl = await run(['curl', '-sS', '-u', LOGIN, '-H', 'Content-Type: application/json', '-d', body, url])
    assert.match(curl.stdout, /"messageId":"<[^"]+@localhost>"/)
    expected++
  }
  await eventually(async () => {
    const count = await server.get<{ stored: number; queued: number }>('/probe/count/mox')
    assert.deepEqual(count, { stored: expected, queued: 0 })
  })
  const { recipients } = await client.message(sent.id)
  assert.deepEqual([recipients[0]?.status, recipients[0]?.attempts.length], ['delivered', 1])
})

test('addresses that ask for trouble are taken, and fail in the queue', async () => {
  await using server = await startLocalserve()
  const client = new MoxClient({ url: server.url('/webapi/'), user: 'mox@localhost', password: 'moxmoxmox' })
  const to = ['permerror@example.org', 'rcptto552@example.org', 'queue-550@example.org', 'fine@example.org']
  const sent = await client.send({ to, text: 'x' })
  await eventually(async () => {
    const { recipients } = await client.message(sent.id)
    assert.deepEqual(
      recipients.map(r => `${r.address} ${r.status} ${r.attempts[0]?.code}`),
      [...to.slice(0, 3).map(a => `${a} failed ${a.includes('552') ? 552 : 550}`), 'fine@example.org delivered 250'],
    )
  })
})

test('an answered key is known after a crash', async () => {
  await using server = await startLocalserve({ queue: 'paused: true' })
  const made = await mox(['webapi', 'key', 'add', 'mox', 'tests', '--config', server.configFile])
  const key = /^mox_\S+$/m.exec(made.stdout)?.[0]
  assert.ok(key !== undefined, made.stdout + made.stderr)
  const message = { to: ['friend@example.org'], text: 'once' }
  const sent = await new MoxClient({ url: server.url('/webapi/'), key }).send(message, { idempotencyKey: 'k' })
  await server.kill()
  await using again = await startServer({ dir: server.dir, args: ['localserve', '--dir', server.dir] })
  const client = new MoxClient({ url: again.url('/webapi/'), key })
  assert.deepEqual(await client.send(message, { idempotencyKey: 'k' }), sent)
  await again.stop()
})
