// Webhooks of the real localserve under trouble, and calls about mail that comes in: nothing is lost, nothing changes places,
// nothing is told twice.
import assert from 'node:assert/strict'
import { MoxClient } from '@mox/plugin-webapi/client'
import { test } from 'vitest'
import { advance } from '../kit/bench.ts'
import { moxJson } from '../kit/cli.ts'
import { agree, clientOf, startFlow } from '../kit/flows.ts'
import { startServer } from '../kit/server.ts'
import { eventually } from '../kit/temp.ts'

interface Structure {
  readonly ContentType: string
  readonly ContentDisposition: string
  readonly Filename: string
  readonly Parts: readonly Structure[]
}

test('mail that comes in: the call says where, and v0 opens its parts', async () => {
  await using flow = await startFlow({ events: 'incoming' })
  const { receiver, server, key } = flow
  const session = await server.smtp('smtp')
  await session.ehlo()
  const lines = [
    'From: Ann <ann@example.org>',
    'To: support@localhost',
    'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=',
    'Message-ID: <in1@example.org>',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=b1',
    '',
    '--b1',
    'Content-Type: text/plain; charset=iso-8859-1',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    'Gr=FC=DFe',
    '--b1',
    'Content-Type: text/csv; name=table.csv',
    'Content-Disposition: attachment; filename=table.csv',
    'Content-Transfer-Encoding: base64',
    '',
    Buffer.from('a,b\n1,2\n').toString('base64'),
    '--b1--',
    '',
  ]
  const content = Buffer.from(lines.join('\r\n'))
  assert.equal((await session.send({ from: 'ann@example.org', to: ['support@localhost'], content })).code, 250)
  await session.quit()

  const [call] = await eventually(() => {
    assert.equal(receiver.taken.length, 1)
    return receiver.taken
  })
  const body = call?.body ?? {}
  const meta = body['Meta'] as { MsgID: number; RcptTo: string; MailFrom: string; MailboxName: string }
  assert.deepEqual(
    [body['Subject'], String(body['Text']).trim(), body['From'], meta.RcptTo, meta.MailFrom, meta.MailboxName],
    ['Grüße', 'Grüße', [{ Name: 'Ann', Address: 'ann@example.org' }], 'support@localhost', 'ann@example.org', 'Inbox'],
  )
  const { Parts } = body['Structure'] as Structure
  assert.deepEqual(
    Parts.map(part => [part.ContentType, part.ContentDisposition, part.Filename]),
    [
      ['text/plain', '', ''],
      ['text/csv', 'attachment', 'table.csv'],
    ],
  )
  const part = async (path: readonly number[]): Promise<[number, string, string]> => {
    const answer = await fetch(server.url('/webapi/v0/MessagePartGet'), {
      method: 'POST',
      headers: { Authorization: `Basic ${btoa('mox@localhost:moxmoxmox')}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ MsgID: meta.MsgID, PartPath: path }),
    })
    return [answer.status, answer.headers.get('content-type') ?? '', await answer.text()]
  }
  assert.deepEqual(await part([1]), [200, 'text/csv', 'a,b\n1,2\n'])
  const [status, , refused] = await part([2])
  assert.deepEqual([status, JSON.parse(refused).Code], [400, 'partNotFound'])
  const { events } = await clientOf(server, key).eventPage({ kinds: 'incoming' })
  assert.deepEqual(
    events.map(event => [event.eventId, event.mailboxMessageId]),
    [[call?.id, meta.MsgID]],
  )
})

test('a reply to a unique sender address is mail that came in', async () => {
  await using flow = await startFlow({ events: 'incoming,unrecognized' })
  const { receiver, server } = flow
  const app = new MoxClient({ url: server.url('/webapi/'), user: 'mox+fromid@localhost', password: 'moxmoxmox' })
  const { recipients } = await app.send({ to: ['ann@example.org'], subject: 'Your order', text: 'Thanks.' })
  const to = `mox+${recipients[0]?.fromId}@localhost`
  const session = await server.smtp('smtp')
  await session.ehlo()
  const content = Buffer.from(`From: ann@example.org\r\nTo: ${to}\r\nSubject: Re: Your order\r\n\r\nWhen?\r\n`)
  assert.equal((await session.send({ from: 'ann@example.org', to: [to], content })).code, 250)
  await session.quit()
  await advance(server, '5m')
  const calls = await eventually(() => {
    assert.equal(receiver.taken.length, 2)
    return receiver.taken
  })
  // What was sent came in too: localserve takes it for ann.
  assert.deepEqual(
    calls.map(({ body }) => [body['Event'], body['Subject'], (body['Meta'] as { RcptTo: string }).RcptTo]).sort(),
    [
      ['incoming', 'Re: Your order', to],
      ['incoming', 'Your order', 'ann@example.org'],
    ],
  )
})

test('a receiver that is down for two days gets everything, in order, once', async () => {
  await using flow = await startFlow()
  const { client, receiver, server } = flow
  receiver.down = true
  const send = async (to: string) => await client.send({ to: [to], subject: to, text: 'x' })
  await send('queue-greylist@example.org')
  for (let i = 0; i < 5; i++) await send(`before${i}@example.org`)
  await advance(server, '1d')
  await send('permerror@example.org')
  for (let i = 0; i < 5; i++) await send(`later${i}@example.org`)
  await advance(server, '1d')
  assert.ok(receiver.refused >= 9, `${receiver.refused} calls were refused`)
  assert.equal(receiver.taken.length, 0)
  receiver.down = false
  await advance(server, '17h')
  await agree(flow)
  const count = (event: string) => receiver.events.filter(one => one.startsWith(`${event} `)).length
  // Each delivery is a message that came in, too.
  assert.deepEqual(['delayed', 'failed', 'delivered', 'incoming'].map(count), [1, 1, 11, 11])
  assert.equal(new Set(receiver.taken.map(({ id }) => id)).size, receiver.taken.length)
  const waiting = await moxJson<unknown[]>(['queue', 'webhook', 'list', '--config', server.configFile])
  assert.deepEqual(waiting, [])
})

test('killed after messages left the queue and before anybody was told', async () => {
  await using flow = await startFlow()
  const { client, receiver, server, key } = flow
  receiver.down = true
  const addresses = Array.from({ length: 20 }, (_, i) => `r${i}@example.org`)
  await Promise.all(addresses.map(to => client.send({ to: [to], subject: to, text: 'x' })))
  await eventually(async () => {
    const { events } = await client.eventPage({ kinds: 'delivered', limit: 1000 })
    assert.equal(events.length, addresses.length)
    assert.ok(receiver.refused > 0)
  })
  await server.kill()
  receiver.down = false
  await using again = await startServer({ dir: server.dir, args: ['localserve', '--dir', server.dir] })
  await advance(again, '2m')
  await eventually(() => {
    const told = receiver.events.filter(event => event.startsWith('delivered '))
    assert.deepEqual(told.sort(), addresses.map(to => `delivered ${to}`).sort())
  })
  await agree({ client: clientOf(again, key), receiver })
  await again.stop()
})

test('killed while messages leave the queue', async () => {
  await using flow = await startFlow()
  const { client, receiver, server, key } = flow
  const addresses = Array.from({ length: 60 }, (_, i) => `r${i}@example.org`)
  const sent = addresses.map(async to => await client.send({ to: [to], subject: to, text: 'x' }))
  await eventually(() => assert.ok(receiver.taken.length > 2))
  await Promise.all(sent)
  await server.kill()
  await using again = await startServer({ dir: server.dir, args: ['localserve', '--dir', server.dir] })
  const after = clientOf(again, key)
  // Deliveries and the call that were under way failed, for all that the server knows, and are tried again.
  await advance(again, '20m')
  await eventually(async () => {
    const { events } = await after.eventPage({ limit: 1000 })
    const ids = [...new Set(receiver.taken.map(({ id }) => id))]
    assert.equal(ids.length, events.length)
    assert.deepEqual(
      ids,
      events.map(({ eventId }) => eventId),
    )
    const told = events.filter(({ kind }) => kind === 'delivered').map(({ recipient }) => recipient)
    assert.equal(new Set(told).size, addresses.length)
    assert.equal(told.length, addresses.length)
  })
  // Calls whose results were not written yet are repeated, with the same ids: at most one portion.
  const repeated = receiver.taken.length - new Set(receiver.taken.map(({ id }) => id)).size
  assert.ok(repeated <= 64, `${repeated} calls were repeated`)
  await again.stop()
})
