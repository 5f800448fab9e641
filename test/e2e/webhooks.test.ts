// Events and webhooks in the real program: alice sends to bob, her application learns that it was delivered, bob's that it came in,
// and a kill right after the 250 loses neither.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'vitest'
import { startServer } from '../kit/server.ts'
import { eventually, withTempDir } from '../kit/temp.ts'

const MESSAGE = Buffer.from('From: alice@example.org\r\nTo: bob@example.org\r\nSubject: hi\r\n\r\nhello bob\r\n')

interface Posted {
  readonly path: string
  readonly id: string
  readonly body: Readonly<Record<string, unknown>>
}

test('a message from alice to bob, and a kill in between', async () => {
  const posted: Posted[] = []
  const receiver = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Posted['body']
      posted.push({ path: request.url ?? '', id: String(request.headers['webhook-id']), body })
      response.end()
    })
  })
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`
  const config = {
    imports: [`import { events } from '@mox/plugin-events'`, `import { webhooks } from '@mox/plugin-webhooks'`],
    plugins: [
      'events()',
      `webhooks({
        allowNetworks: ['127.0.0.0/8'],
        retrySchedule: [1, 1, 1, 1],
        accounts: { alice: { outgoing: { url: '${url}/out' } }, bob: { incoming: { url: '${url}/in' } } },
      })`,
    ],
  }
  try {
    await withTempDir(async dir => {
      {
        await using server = await startServer({ dir, config: { ...config, paused: true } })
        const session = await server.login()
        for (let i = 0; i < 3; i++) {
          const reply = await session.send({ from: 'alice@example.org', to: ['bob@example.org'], content: MESSAGE })
          assert.equal(reply.code, 250)
        }
        await server.post('/probe/queue/resume')
        await eventually(() => assert.ok(posted.length > 0))
        await server.kill()
      }
      await using server = await startServer({ dir, config })
      await eventually(() => assert.equal(new Set(posted.map(({ id }) => id)).size, 6))
      await server.stop()
    })
  } finally {
    receiver.closeAllConnections()
    receiver.close()
  }
  const of = (path: string) => [...new Map(posted.filter(p => p.path === path).map(p => [p.id, p.body])).values()]
  assert.deepEqual(
    of('/out').map(body => [body['Event'], body['Recipient'], body['Subject'], body['SMTPCode'], body['Sequence']]),
    Array(3).fill(['delivered', 'bob@example.org', 'hi', 250, 1]),
  )
  assert.deepEqual(
    of('/in').map(body => [body['Subject'], body['Text'], (body['Meta'] as { RcptTo: string }).RcptTo]),
    Array(3).fill(['hi', 'hello bob\n', 'bob@example.org']),
  )
})
