// Bounces that come after a delivery: found by the unique sender address, by the envelope id and by the Message-ID. The record
// says by which; the status that looked final is corrected, the application is told, and the recipient is suppressed.
import assert from 'node:assert/strict'
import { MoxClient } from '@mox/plugin-webapi/client'
import { test } from 'vitest'
import { advance } from '../kit/bench.ts'
import { moxJson } from '../kit/cli.ts'
import { agree, type Flow, startFlow } from '../kit/flows.ts'
import { eventually } from '../kit/temp.ts'

const OUTGOING = 'delivered,delayed,failed,suppressed,canceled,complained,unsubscribed,unrecognized'
const PASSWORD = 'moxmoxmox'

interface Printed {
  readonly status: string
  readonly results: readonly { readonly outcome: string; readonly reportId?: number; readonly matchedBy?: string }[]
}

/** The recipient was delivered to; its bounce comes. Checks the record, the event and the suppression. */
async function bounces(flow: Flow, queueId: number, address: string, matchedBy: string): Promise<void> {
  const { client, receiver, server } = flow
  await receiver.call('delivered', address)
  await advance(server, '2m')
  const body = await receiver.call('failed', address)
  assert.deepEqual(
    [
      body['QueueMsgID'],
      body['DSN'],
      body['SMTPCode'],
      body['SMTPEnhancedCode'],
      body['Suppressing'],
      body['Sequence'],
    ],
    [queueId, true, 550, '5.1.1', true, 2],
  )
  assert.match(String(body['Error']), /does not exist/)
  const record = await moxJson<Printed>(['queue', 'retired', 'print', String(queueId), '--config', server.configFile])
  assert.equal(record.status, 'failed')
  const report = record.results.at(-1)
  assert.deepEqual([report?.outcome, report?.matchedBy, typeof report?.reportId], ['permanent', matchedBy, 'number'])
  assert.equal((await client.suppression(address))?.cause, 'dsn')
  await agree(flow, OUTGOING)
}

test('by the unique sender address', async () => {
  await using flow = await startFlow({ events: OUTGOING })
  const url = flow.server.url('/webapi/')
  const client = new MoxClient({ url, user: 'mox+fromid@localhost', password: PASSWORD })
  const { recipients } = await client.send({ to: ['bounce@example.org', 'other@example.org'], text: 'x' })
  const ids = recipients.map(({ fromId }) => fromId)
  assert.deepEqual([ids.every(id => /^[a-z2-7]{26}$/.test(id)), new Set(ids).size], [true, 2], ids.join())
  await bounces(flow, recipients[0]!.queueId, 'bounce@example.org', 'fromid')
  assert.equal((await flow.receiver.call('failed', 'bounce@example.org'))['FromID'], ids[0])
})

test('by the envelope id', async () => {
  await using flow = await startFlow({ events: OUTGOING })
  const session = await flow.server.login('local')
  // Without a Message-ID of its own, so that there is nothing else to find it by.
  const content = Buffer.from('From: mox@localhost\r\nSubject: envelope\r\nX-Mox-Extra-Order: 7\r\n\r\ntext\r\n')
  const to = ['bounce@example.org']
  const reply = await session.send({ from: 'mox@localhost', to, content, parameters: ' ENVID=order-7' })
  assert.equal(reply.code, 250)
  await session.quit()
  const delivered = await flow.receiver.call('delivered', 'bounce@example.org')
  assert.deepEqual(delivered['Extra'], { Order: '7' })
  await bounces(flow, Number(delivered['QueueMsgID']), 'bounce@example.org', 'envid')
})

test('by the Message-ID', async () => {
  await using flow = await startFlow({ events: OUTGOING })
  const { recipients } = await flow.client.send({ to: ['bounce@example.org'], text: 'x' })
  assert.equal(recipients[0]?.fromId, '')
  await bounces(flow, recipients[0]!.queueId, 'bounce@example.org', 'message-id')
})

test('the report is about what was sent: no news of mail that came in', async () => {
  await using flow = await startFlow({ events: `incoming,${OUTGOING}` })
  await flow.client.send({ to: ['bounce@example.org'], subject: 'sent', text: 'x' })
  await flow.receiver.call('delivered', 'bounce@example.org')
  await advance(flow.server, '10m')
  await flow.receiver.call('failed', 'bounce@example.org')
  await eventually(() => {
    const incoming = flow.receiver.taken.filter(({ body }) => body['Event'] === 'incoming')
    assert.deepEqual(
      incoming.map(({ body }) => body['Subject']),
      ['sent'],
    )
  })
  await agree(flow)
})
