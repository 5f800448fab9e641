// Commands and the service's way with endpoints of the database: what they print, what they refuse.
import { deepStrictEqual, match, rejects, strictEqual } from 'node:assert'
import { type CommandInput, commands } from '@mox/plugin-sdk'
import { TEST_NOW } from '@mox/plugin-sdk/testkit'
import { afterEach, beforeEach, test } from 'vitest'
import { IDS_LIMIT } from '../src/commands/calls.ts'
import { parseSecret, signature } from '../src/secret.ts'
import { answer, type HookWorld, openHooks, openReceiver, type Receiver } from './support.ts'

let receiver: Receiver
let world: HookWorld
beforeEach(async () => {
  receiver = await openReceiver()
  world = await openHooks({ options: { accounts: { alice: { outgoing: { url: receiver.url } } } } })
})
afterEach(async () => {
  await world.close()
  await receiver.close()
})

async function run(line: string, flags: Record<string, string | number | boolean> = {}, limit = 100) {
  const words = line.split(' ')
  const all = world.host.service(commands)
  const command = all
    .filter(one => one.path.every((word, i) => word === words[i]))
    .sort((a, b) => b.path.length - a.path.length)[0]
  if (command === undefined) throw new Error(`no command ${line}`)
  for (const name of Object.keys(flags))
    strictEqual(
      command.flags?.some(flag => flag.name === name),
      true,
      name,
    )
  const input: CommandInput = {
    arguments: words.slice(command.path.length),
    flags: new Map(Object.entries(flags)),
    limit,
  }
  return await command.run(input)
}

const rows = async (line: string, flags: Record<string, string | number | boolean> = {}, limit = 100) => {
  const result = await run(line, flags, limit)
  if (result.kind !== 'rows') throw new Error(`${line} gives no rows`)
  return result.rows
}
const text = async (line: string, flags: Record<string, string | number | boolean> = {}) => {
  const result = await run(line, flags)
  return result.kind === 'text' ? result.text : JSON.stringify(result)
}

test('endpoints of the database', async () => {
  const secret = await text(`webhook endpoint add bob crm ${receiver.url}`, {
    ...{ events: 'failed, complained', authorization: 'Bearer x', concurrency: 2 },
  })
  strictEqual(parseSecret(secret)?.length, 32)
  deepStrictEqual(await rows('webhook endpoint list', { account: 'bob' }), [
    {
      ...{ account: 'bob', name: 'crm', url: receiver.url, events: 'failed complained', signed: true, waiting: 0 },
      ...{ source: 'database', disabled: '' },
    },
  ])
  deepStrictEqual(
    (await rows('webhook endpoint list')).map(row => row['name']),
    ['outgoing', 'crm'],
  )
  await world.add({ account: 'bob', kind: 'failed' })
  await world.add({ account: 'bob', kind: 'delivered' })
  await world.quiet()
  const [first] = receiver.requests
  const signed = (secrets: string[], request = first) =>
    signature(
      secrets.map(one => parseSecret(one)!),
      String(request?.headers['webhook-id']),
      TEST_NOW / 1_000,
      request?.body ?? '',
    )
  deepStrictEqual([receiver.requests.length, first?.headers.authorization], [1, 'Bearer x'])
  strictEqual(first?.headers['webhook-signature'], signed([secret]))

  // Both secrets sign until the next rotation.
  const second = await text('webhook endpoint rotate bob crm')
  const third = await text('webhook endpoint rotate bob crm')
  await world.add({ account: 'bob', kind: 'failed' })
  await world.quiet()
  strictEqual(receiver.requests[1]?.headers['webhook-signature'], signed([third, second], receiver.requests[1]))

  receiver.answer = answer(500)
  await world.add({ account: 'bob', kind: 'failed' })
  await world.quiet()
  strictEqual(await text('webhook endpoint remove bob crm'), 'removed')
  await world.quiet()
  deepStrictEqual(
    (await rows('queue webhook retired list', { account: 'bob', result: 'failure' })).map(row => row['last']),
    ['the endpoint was removed'],
  )
  deepStrictEqual(await rows('webhook endpoint list', { account: 'bob' }), [])
})

test('endpoints that are refused', async () => {
  const check = (line: string, error: RegExp, flags = {}) => rejects(run(`webhook endpoint ${line}`, flags), error)
  await check('add alice outgoing https://example.org/', /has an endpoint outgoing already/)
  await check('add carol x https://example.org/', /there is no account "carol"; see mox account list/)
  await check('add alice X https://example.org/', /name must be lower-case/)
  await check('add alice x nonsense', /URL is no URL/)
  await check('add alice x https://a:b@example.org/', /use authorization/)
  await check('add alice x http://10.0.0.1/', /not a public address/)
  await check('add alice x https://example.org/', /no kind of event/, { events: 'nonsense' })
  await check('add alice x https://example.org/', /concurrency must be 1 to 100/, { concurrency: 101 })
  await check('add alice x https://example.org/', /printable ASCII/, { authorization: 'a\nb' })
  await check('remove alice outgoing', /no endpoint outgoing in the database/)
  await check('rotate alice outgoing', /has no endpoint outgoing/)
  await check('enable alice outgoing', /is not disabled/)
})

test('test calls', async () => {
  receiver.answer = answer(200, {}, 'thanks')
  match(await text('webhook test alice outgoing'), /^HTTP status 200 after \d+ ms: thanks$/)
  receiver.answer = answer(404, {}, 'where?')
  const failed = await run('webhook test alice outgoing', { event: 'incoming' })
  deepStrictEqual(failed, { kind: 'text', text: 'HTTP status 404: where?', failed: true })
  const sent = receiver.requests.map(({ body, headers }) => [
    (JSON.parse(body) as { Event: string }).Event,
    headers['x-mox-webhook-id'],
    headers['x-mox-webhook-attempt'],
    String(headers['webhook-id']).startsWith('test-'),
  ])
  deepStrictEqual(sent, [
    ['delivered', '1', '1', true],
    ['incoming', '1', '1', true],
  ])
  await rejects(run('webhook test alice nowhere'), /has no endpoint nowhere; see mox webhook endpoint list/)
  const own = await world.webhooks.test({ account: 'alice', endpoint: 'outgoing', payload: { own: 1 } })
  deepStrictEqual([own.code, receiver.requests[2]?.body], [404, '{"own":1}'])
  deepStrictEqual(await world.webhooks.list({}, { limit: 10 }), [])
})

test('calls', async () => {
  receiver.answer = answer(500, {}, 'no')
  for (const kind of ['failed', 'delivered', 'delayed'] as const) await world.add({ kind })
  await world.quiet()
  const ids = async (line: string, flags = {}, limit = 100) => (await rows(line, flags, limit)).map(row => row['id'])
  deepStrictEqual(await ids('queue webhook list'), [2, 3, 1])
  deepStrictEqual(await ids('queue webhook list', { asc: false }), [1, 3, 2])
  deepStrictEqual(await ids('queue webhook list', {}, 1), [2])
  deepStrictEqual(await ids('queue webhook list', { n: 2 }), [2, 3])
  deepStrictEqual(await ids('queue webhook list', { sort: 'submitted' }), [3, 2, 1])
  deepStrictEqual(await ids('queue webhook list', { sort: 'submitted', asc: true }), [1, 2, 3])
  for (const [sort, all] of [
    ['nextattempt', [2, 3, 1]],
    ['submitted', [3, 2, 1]],
  ] as const) {
    const first = await run('queue webhook list', { sort, n: 1 })
    const place = first.kind === 'rows' ? first.next?.replace('--after ', '') : undefined
    deepStrictEqual(await ids('queue webhook list', { sort, after: place ?? '' }), all.slice(1))
  }
  strictEqual('next' in (await run('queue webhook list', { n: 3 })), false)
  await rejects(
    run('queue webhook list', { sort: 'queued' }),
    /--sort "queued" is unknown; choose nextattempt or submitted/,
  )
  await rejects(run('queue webhook retired list', { sort: 'nextattempt' }), /choose lastactivity or submitted/)
  for (const n of [0, 1.5]) await rejects(run('queue webhook list', { n }), /must be a whole number from 1/)
  for (const after of ['', '5', '5.0', 'x.1', '-1.1'])
    await rejects(run('queue webhook list', { after }), /is no place in a list/)
  deepStrictEqual(await ids('queue webhook list', { event: 'failed' }), [1])
  deepStrictEqual(await ids('queue webhook list', { ids: '3, 1' }), [3, 1])
  deepStrictEqual(await ids('queue webhook list', { nextattempt: '>1s' }), [1])
  deepStrictEqual(await ids('queue webhook list', { submitted: '<-1s' }), [])
  deepStrictEqual(await ids('queue webhook list', { endpoint: 'other' }), [])
  strictEqual((await rows('queue webhook list', { ids: '1' }))[0]?.['last'], 'HTTP status 500')
  const printed = await run('queue webhook print 1')
  strictEqual(printed.kind === 'value' && (printed.value as { payload: string }).payload.includes('"failed"'), true)
  await rejects(run('queue webhook print 99'), /no webhook call has the id 99/)
  await rejects(run('queue webhook print x'), /is no id/)
  await rejects(run('queue webhook list', { event: 'x' }), /--event "x" is unknown/)
  await rejects(run('queue webhook list', { submitted: 'x' }), /no time filter/)
  await rejects(
    run('queue webhook list', {
      ids: Array(IDS_LIMIT + 1)
        .fill(1)
        .join(),
    }),
    /at most 1000 at a time/,
  )
  deepStrictEqual(await ids('queue webhook list', { ids: Array(IDS_LIMIT).fill(1).join() }), [1])

  await rejects(run('queue webhook cancel'), /give a filter such as --account or --ids, or --all/)
  await rejects(run('queue webhook schedule 1h'), /or --all/)
  strictEqual(await text('queue webhook schedule 1h', { event: 'delayed' }), '1 call rescheduled')
  strictEqual((await world.webhooks.get(3))?.due, TEST_NOW + 3_600_000)
  strictEqual(await text('queue webhook schedule 2m', { now: true, ids: '3' }), '1 call rescheduled')
  strictEqual((await world.webhooks.get(3))?.due, TEST_NOW + 120_000)
  strictEqual(await text('queue webhook cancel', { ids: '2,3' }), '2 calls cancelled')
  strictEqual(await text('queue webhook cancel', { all: true }), '1 call cancelled')
  deepStrictEqual(await ids('queue webhook retired list', { sort: 'submitted', n: 2 }), [3, 2])
  deepStrictEqual((await ids('queue webhook retired list')).sort(), [1, 2, 3])
  deepStrictEqual(await ids('queue webhook retired list', { result: 'success' }), [])
  deepStrictEqual(await ids('queue webhook retired list', { lastactivity: '<-1h' }), [])
  await rejects(run('queue webhook retired list', { result: 'x' }), /success or failure/)
  strictEqual((await run('queue webhook retired print 3')).kind, 'value')
})

test('sending again', async () => {
  const eventId = await world.add()
  await world.quiet()
  strictEqual(await text('webhook replay', { event: eventId }), '1 call made')
  strictEqual(await text('webhook replay', { event: eventId, endpoint: 'other' }), '0 calls made')
  await world.quiet()
  strictEqual(await text('webhook replay', { from: '-1h' }), '1 call made')
  strictEqual(await text('webhook replay', { from: '2029-01-01', to: '2029-12-31', account: 'alice' }), '0 calls made')
  strictEqual(await text('webhook replay', { 'failed-since': '-1h' }), '0 calls made')
  await rejects(run('webhook replay'), /give one of --event, --from and --failed-since/)
  await rejects(run('webhook replay', { event: eventId, from: '-1h' }), /give one of/)
  await rejects(run('webhook replay', { from: 'yesterday' }), /no duration/)
})
