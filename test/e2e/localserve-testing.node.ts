// The example of the README for node:test; run by localserve-testing.test.ts in a process of its own.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Localserve, startLocalserve } from '@mox/plugin-localserve/testing'

let server: Localserve
before(async () => {
  server = await startLocalserve()
})
after(() => server.close())

test('a message arrives', async () => {
  const inbox = server.inbox()
  await server.send({ to: inbox.address, subject: 'Hello' })
  const message = await inbox.waitForMessage({ subject: 'Hello', state: 'delivered' })
  assert.equal(message.from, 'mox@localhost')
})

test('a recipient that never takes it ends as failed', async () => {
  const inbox = server.inbox('451', { queue: true })
  await server.send({ to: inbox.address, subject: 'Never' })
  await server.advance('3d')
  const message = await inbox.waitForMessage({ state: 'failed' })
  assert.equal(message.recipientDetails[0]?.attempts.length, 8)
})
