// The TypeScript client against the real server, and the OpenAPI description.
import assert from 'node:assert/strict'
import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, test } from 'vitest'
import { MoxApiError, MoxClient } from '../src/client.ts'
import { type Api, openApi } from './support/api.ts'
import { PASSWORD } from './support/world.ts'

let api: Api
let client: MoxClient
beforeAll(async () => {
  api = await openApi()
  const { Authorization } = await api.key('alice')
  client = new MoxClient({ url: `http://127.0.0.1:${api.port()}/webapi`, key: Authorization.slice('Bearer '.length) })
})
afterAll(async () => {
  await api.close()
})

test('every call', async () => {
  const message = { to: ['ann@example.net'], text: 'Hi', sendAt: '2030-01-02T00:00:00Z' }
  const sent = await client.send(message, { idempotencyKey: 'k' })
  assert.deepEqual(await client.send(message, { idempotencyKey: 'k' }), sent)
  assert.equal((await client.messages({ to: 'ann' })).messages[0]?.id, sent.id)
  assert.equal((await client.message(sent.id)).recipients[0]?.status, 'scheduled')
  assert.equal(await client.reschedule(sent.id, new Date('2030-01-03T00:00:00Z')), 1)
  assert.equal(await client.cancel(sent.id), 1)
  const batch = await client.sendBatch({
    message: { text: '{{a}}' },
    messages: [{ to: ['b@example.net'], variables: { a: 1 } }],
  })
  assert.equal(batch.accepted, 1)
  await client.suppress({ address: 'x+y@example.net' })
  assert.equal((await client.suppressions()).suppressions.length, 1)
  assert.equal((await client.suppression('x+y@example.net'))?.cause, 'manual')
  await client.unsuppress('x+y@example.net')
  assert.equal(await client.suppression('x+y@example.net'), undefined)
  assert.equal((await client.statistics()).days[0]?.messages, 2)
})

test('events, one after the other', async () => {
  const { Authorization } = await api.key('alice', { permissions: 'all', test: true })
  const tests = new MoxClient({
    url: `http://127.0.0.1:${api.port()}/webapi/`,
    key: Authorization.slice('Bearer '.length),
  })
  await tests.send({ to: ['delayed@example.net'], text: 'x' })
  const kinds: string[] = []
  for await (const event of tests.events()) {
    kinds.push(event.kind)
    if (event.kind === 'delivered') break
  }
  assert.deepEqual(kinds, ['delayed', 'delivered'])
})

test('errors say what the server said', async () => {
  const check = async (call: Promise<unknown>, status: number, code: string) =>
    await assert.rejects(call, error => {
      assert.ok(error instanceof MoxApiError)
      assert.deepEqual([error.status, error.code], [status, code])
      return true
    })
  await check(client.send({ to: ['bad'], text: 'x' }), 422, 'badAddress')
  await check(client.message(999), 404, 'notFound')
  const url = `http://127.0.0.1:${api.port()}/webapi/`
  await check(new MoxClient({ url, key: 'mox_wrong' }).messages(), 401, 'unauthorized')
  await check(new MoxClient({ url: `http://127.0.0.1:${api.port()}/`, key: 'x' }).messages(), 404, 'unknown')
  const byLogin = new MoxClient({ url, user: 'jösé@example.org', password: PASSWORD })
  assert.deepEqual((await byLogin.messages({ stream: 'none' })).messages, [])
})

test('OpenAPI', async () => {
  const { status, json } = await api.ask('v1/openapi.json', { user: null })
  assert.equal(status, 200)
  assert.deepEqual([json.openapi, json.servers], ['3.1.0', [{ url: 'https://mail.example.org/webapi/v1' }]])
  assert.deepEqual(Object.keys(json.paths), [
    ...['/messages', '/messages/batch', '/messages/{id}', '/messages/{id}/cancel', '/messages/{id}/reschedule'],
    ...['/events', '/statistics', '/suppressions', '/suppressions/{address}'],
  ])
  const { post, get } = json.paths['/messages']
  const body = post.requestBody.content['application/json'].schema
  assert.deepEqual([body.type, body.additionalProperties, body.properties.subject.type], ['object', false, 'string'])
  assert.deepEqual(Object.keys(post.responses), ['202', 'default'])
  assert.deepEqual(post.parameters, [{ in: 'header', name: 'Idempotency-Key', schema: { type: 'string' } }])
  assert.ok(
    get.parameters.some(
      (p: { name: string; schema: { maximum: number } }) => p.name === 'limit' && p.schema.maximum === 1000,
    ),
  )
  // Against the JSON Schema of OpenAPI 3.1 itself.
  const validator = new Validator()
  assert.deepEqual(await validator.validate(json), { valid: true })
  assert.equal(validator.version, '3.1')
  const text = JSON.stringify(json)
  for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g))
    assert.ok(json.components.schemas[name ?? ''])
  const page = await api.ask('v1/', { user: null })
  assert.match(page.body, /GET \/events/)
})
