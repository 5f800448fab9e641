// What becomes of messages, as an application is told it: sent over HTTP, posted to its webhook, pulled over v1; in the real
// localserve, with its clock moved on.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { advance, messageOf } from '../kit/bench.ts'
import { agree, cli, startFlow } from '../kit/flows.ts'
import { eventually } from '../kit/temp.ts'

/** What an application's account is told, without what comes in. */
const OUTGOING = 'delivered,delayed,failed,suppressed,canceled,complained,unsubscribed,unrecognized'

const message = (to: string, more: object = {}) => ({ to: [to], subject: to, text: 'text', ...more })

test('delivered', async () => {
  await using flow = await startFlow({ events: OUTGOING })
  const { client, receiver } = flow
  const sent = await client.send(message('ann@example.org', { extra: { order: '7' }, stream: 'receipts' }))
  const body = await receiver.call('delivered', 'ann@example.org')
  assert.deepEqual(
    [body['QueueMsgID'], body['MessageID'], body['Extra'], body['Stream'], body['SMTPCode'], body['Sequence']],
    [sent.recipients[0]?.queueId, sent.messageId, { order: '7' }, 'receipts', 250, 1],
  )
  assert.equal((await client.message(sent.id)).recipients[0]?.status, 'delivered')
  await agree(flow, OUTGOING)
})

test('refused for good: the recipient is suppressed, and the next message is not tried', async () => {
  await using flow = await startFlow({ events: OUTGOING })
  const { client, receiver } = flow
  const address = 'permerror@example.org'
  const first = await client.send(message(address))
  assert.equal(first.recipients[0]?.suppressed, false)
  const failed = await receiver.call('failed', address)
  assert.deepEqual([failed['SMTPCode'], failed['Suppressing'], failed['DSN']], [550, true, false])
  assert.equal((await client.suppression(address))?.cause, 'bounce')

  const second = await client.send(message(address))
  assert.equal(second.recipients[0]?.suppressed, true, 'the answer says that it will not be tried')
  const suppressed = await receiver.call('suppressed', address)
  assert.deepEqual([suppressed['QueueMsgID'], suppressed['SMTPCode']], [second.recipients[0]?.queueId, 0])
  assert.match(String(suppressed['Error']), /permerror@example\.org/)
  const [recipient] = (await client.message(second.id)).recipients
  assert.equal(recipient?.status, 'suppressed')

  await client.unsuppress(address)
  assert.equal((await client.send(message(address))).recipients[0]?.suppressed, false)
  await agree(flow, OUTGOING)
})

test('delayed, then delivered', async () => {
  await using flow = await startFlow({ events: OUTGOING })
  const { client, receiver, server } = flow
  const { id } = await client.send(message('queue-greylist@example.org'))
  const delayed = await receiver.call('delayed', 'queue-greylist@example.org')
  assert.deepEqual([delayed['SMTPCode'], delayed['Attempt'], delayed['Sequence']], [451, 1, 1])
  const next = Date.parse(String(delayed['NextAttempt'])) - Date.parse(String(delayed['WebhookQueued']))
  assert.ok(next > 7 * 60_000 && next < 8 * 60_000, `${next} ms`)
  await advance(server, '9m')
  const delivered = await receiver.call('delivered', 'queue-greylist@example.org')
  assert.deepEqual([delivered['Attempt'], delivered['Sequence']], [2, 2])
  assert.deepEqual(
    (await client.message(id)).recipients[0]?.attempts.map(({ code }) => code),
    [451, 250],
  )
  await agree(flow, OUTGOING)
})

test('a complaint: told, and the recipient gets nothing more', async () => {
  await using flow = await startFlow({ events: OUTGOING })
  const { client, receiver, server } = flow
  const sent = await client.send(message('complaint30@example.org', { extra: { customer: '3' } }))
  await receiver.call('delivered', 'complaint30@example.org')
  await advance(server, '31m')
  const body = await receiver.call('complained', 'complaint30@example.org')
  assert.deepEqual(
    [body['DSN'], body['Suppressing'], body['QueueMsgID'], body['Extra'], body['Sequence']],
    [true, true, sent.recipients[0]?.queueId, { customer: '3' }, 2],
  )
  assert.equal((await client.suppression('complaint30@example.org'))?.cause, 'complaint')
  assert.equal((await client.message(sent.id)).recipients[0]?.status, 'delivered', 'it was delivered all the same')
  assert.equal((await client.send(message('complaint30@example.org'))).recipients[0]?.suppressed, true)
  await receiver.call('suppressed', 'complaint30@example.org')
  await agree(flow, OUTGOING)
})

test('unsubscribed with one click, from one stream', async () => {
  await using flow = await startFlow({ events: OUTGOING })
  const { client, receiver, server } = flow
  const address = 'reader@example.org'
  const sent = await client.send(message(address, { subject: 'news', stream: 'news', unsubscribe: true }))
  await receiver.call('delivered', address)
  const { id } = await messageOf(server, 'news')
  const source = await (await fetch(server.url(`/api/messages/${id}/source`))).text()
  const header = source.replace(/\r\n[ \t]+/g, '')
  assert.match(header, /^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r$/m)
  const link = /^List-Unsubscribe: ?<http:\/\/localhost:1080(\/webapi\/unsubscribe\/[^>]+)>\r$/m.exec(header)?.[1] ?? ''
  assert.match(await (await fetch(server.url(link))).text(), /Send reader@example\.org no more/)
  assert.equal(await client.suppression(address, 'news'), undefined, 'looking at the page does nothing')

  const post = async (): Promise<number> => {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
    const body = 'List-Unsubscribe=One-Click'
    return (await fetch(server.url(link), { method: 'POST', headers, body })).status
  }
  assert.deepEqual([await post(), await post()], [200, 200])
  const body = await receiver.call('unsubscribed', address)
  assert.deepEqual(
    [body['Stream'], body['Suppressing'], body['QueueMsgID'], body['Subject'], body['MessageID']],
    ['news', true, sent.recipients[0]?.queueId, 'news', sent.messageId],
  )
  const hint = async (stream: string) =>
    (await client.send(message(address, { stream }))).recipients.map(({ suppressed }) => suppressed)
  assert.deepEqual([await hint('news'), await hint('receipts')], [[true], [false]])
  await eventually(() =>
    assert.deepEqual(
      receiver.events.filter(event => event.endsWith(address)).sort(),
      ['delivered', 'delivered', 'suppressed', 'unsubscribed'].map(kind => `${kind} ${address}`),
    ),
  )
  await agree(flow, OUTGOING)
})

test('canceled before it was sent', async () => {
  await using flow = await startFlow({ events: OUTGOING })
  const { client, receiver, server } = flow
  const sendAt = new Date(Date.now() + 3_600_000).toISOString()
  const sent = await client.send({ to: ['a@example.org', 'b@example.org'], text: 'later', sendAt })
  const [a, b] = sent.recipients
  assert.equal(await client.cancel(sent.id, [a!.queueId]), 1)
  assert.equal((await receiver.call('canceled', 'a@example.org'))['QueueMsgID'], a?.queueId)
  await advance(server, '61m')
  assert.equal((await receiver.call('delivered', 'b@example.org'))['QueueMsgID'], b?.queueId)
  assert.deepEqual(
    (await client.message(sent.id)).recipients.map(({ status }) => status),
    ['cancelled', 'delivered'],
  )
  assert.equal(await client.cancel(sent.id), 0, 'what is over stays as it is')
  await agree(flow, OUTGOING)
})

test('held by a rule, and let go', async () => {
  await using flow = await startFlow({ events: OUTGOING })
  const { client, receiver, server } = flow
  await cli(server, ['queue', 'holdrules', 'add', '--recipientdom', 'moving.example'])
  const sent = await client.send(message('ann@moving.example'))
  assert.equal((await client.message(sent.id)).recipients[0]?.status, 'held')
  await cli(server, ['queue', 'holdrules', 'remove', '1', '--release'])
  await receiver.call('delivered', 'ann@moving.example')
  await agree(flow, OUTGOING)
})
