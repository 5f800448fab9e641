import assert from 'node:assert/strict'
import { metrics } from '@mox/plugin-sdk'
import { afterAll, beforeAll, test } from 'vitest'
import { MAX_SESSIONS } from '../src/server/limits.ts'
import { readEvents } from '../web/lib/sse.ts'
import { CallFailure, openWebmail, refusal, type WebmailClient, type WebmailHost } from './webmail-host.ts'

let host: WebmailHost
beforeAll(async () => {
  host = await openWebmail()
})
afterAll(() => host.close())

const HOUR = 3_600_000

/** Answers to invalid sessions wait for the clock. */
async function delayed<T>(work: Promise<T>): Promise<T> {
  let done = false
  const ended = work.finally(() => {
    done = true
  })
  for (let i = 0; i < 1_000 && !done; i++) {
    await new Promise(resolve => setImmediate(resolve))
    if (host.clock.pending > 0) await host.clock.advance(1_000)
  }
  return await ended
}

async function state(client: WebmailClient): Promise<string> {
  return await delayed(refusal(client.call('devices', {})))
}

test('a login, and what it sets', async () => {
  const client = host.client()
  assert.equal(await refusal(client.call('devices', {})), 'noAuth: log in first')
  const prepared = await client.request('api/loginPrepare', {
    method: 'POST',
    body: '{}',
    headers: { 'Content-Type': 'application/json' },
  })
  const [loginCookie = ''] = prepared.headers.getSetCookie()
  assert.match(loginCookie, /^webmaillogin=[\w-]{22}; path=\/webmail\/; expires=[^;]+; samesite=strict; httponly$/)
  const { loginToken } = (await prepared.json()) as { loginToken: string }
  const answer = await client.request('api/login', {
    method: 'POST',
    body: JSON.stringify({ loginToken, address: 'alice+x@example.org', password: 'correct horse battery' }),
    headers: { 'Content-Type': 'application/json' },
  })
  assert.equal(answer.status, 200)
  const cookie = answer.headers.getSetCookie().find(line => line.startsWith('webmailsession='))
  assert.match(cookie ?? '', /^webmailsession=[\w-]{43}; path=\/webmail\/; samesite=strict; httponly$/)
  assert.equal(client.cookies.has('webmaillogin'), false)
  client.csrf = ((await answer.json()) as { csrf: string }).csrf
  const { devices } = await client.call('devices', {})
  assert.deepEqual(
    devices.map(({ current, loginAddress, remoteIp }) => ({ current, loginAddress, remoteIp })),
    [{ current: true, loginAddress: 'alice+x@example.org', remoteIp: '127.0.0.1' }],
  )
  await client.call('logout', {})
  assert.equal(await refusal(client.call('devices', {})), 'noAuth: log in first')
})

test('logins that fail', async () => {
  const login = async (address: string, password: string) => await refusal(host.client().login(address, password))
  assert.equal(await login('alice@example.org', 'wrong'), 'loginFailed: wrong user name or password')
  assert.equal(await login('nobody@example.org', 'wrong'), 'loginFailed: wrong user name or password')
  assert.equal(await login('gone@example.org', 'correct horse battery'), 'loginFailed: moved away')
  assert.equal(await login('gone@example.org', 'wrong'), 'loginFailed: wrong user name or password')
  const client = host.client()
  const params = { address: 'alice@example.org', password: 'correct horse battery' }
  const foreign = { ...params, loginToken: 'x'.repeat(22) }
  assert.match(await refusal(client.call('login', foreign)), /^badRequest: the login took too long/)
  await client.call('loginPrepare', {})
  assert.match(await refusal(client.call('login', foreign)), /^badRequest: the login took too long/)
})

test('streams of several accounts on one response', async () => {
  const browser = await host.login()
  const alice = browser.csrf
  await browser.login('bob@example.org')
  const bob = browser.csrf
  const ask = (body: unknown): Promise<Response> =>
    browser.request('events/accounts', { method: 'POST', body: JSON.stringify(body) })
  const refused = [
    {},
    [],
    [{ csrf: alice }],
    [{ csrf: alice, request: { x: 1 } }],
    Array(6).fill({ csrf: bob, request: {} }),
  ]
  for (const body of refused) {
    const response = await ask(body)
    assert.deepEqual([response.status, (await response.json()).error.code], [400, 'badRequest'], JSON.stringify(body))
  }
  const body = [
    { csrf: alice, request: {} },
    { csrf: 'x', request: {} },
    { csrf: bob, request: {} },
  ]
  const response = await delayed(ask(body))
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  const events = readEvents(response.body!)
  const next = async (): Promise<string> => {
    const { value } = await delayed(events.next())
    const { account, reason } = JSON.parse(value?.data ?? '{}')
    return `${value?.name} ${account ?? reason}`
  }
  assert.deepEqual((await Promise.all([next(), next(), next()])).toSorted(), [
    '0/hello alice',
    '1/goodbye session',
    '2/hello bob',
  ])
  const content = Buffer.from('Subject: x\r\n\r\n')
  // Ended alone: the other goes on.
  await browser.call('logout', {})
  await (await host.store('bob')).append({ mailbox: 'Inbox', content })
  assert.equal(await next(), '2/goodbye session')
  await (await host.store('alice')).append({ mailbox: 'Inbox', content })
  assert.match(await next(), /^0\/changes /)
  await events.return(undefined)
})

test('the CSRF token is needed, and its own', async () => {
  const client = await host.login()
  const other = await host.login()
  const { csrf } = client
  client.csrf = ''
  assert.equal(await state(client), 'noAuth: log in first')
  for (const wrong of ['x', other.csrf]) {
    client.csrf = wrong
    assert.equal(await state(client), 'badAuth: the session has ended; log in again')
  }
  client.csrf = csrf
  assert.equal(await state(client), 'done')
  client.cookies.set('webmailsession', 'x'.repeat(43))
  assert.equal(await state(client), 'badAuth: the session has ended; log in again')
})

test('a session lasts 24 hours after its last use, also over a restart', async () => {
  const client = await host.login()
  await host.clock.advance(23 * HOUR)
  assert.equal(await state(client), 'done')
  await host.restart()
  await host.clock.advance(23 * HOUR)
  assert.equal(await state(client), 'done')
  await host.clock.advance(24 * HOUR)
  assert.equal(await state(client), 'badAuth: the session has ended; log in again')
})

test('devices are listed and revoked, but not those of others', async () => {
  const [a, b, bob] = [await host.login(), await host.login(), await host.login('bob@example.org')]
  const other = (await a.call('devices', {})).devices.find(d => !d.current)
  assert.ok(other)
  assert.equal(await refusal(bob.call('deviceRevoke', { id: other.id })), 'notFound: there is no such login any more')
  assert.equal(await state(b), 'done')
  await a.call('deviceRevoke', { id: other.id })
  assert.equal(await state(b), 'badAuth: the session has ended; log in again')
  assert.equal(await state(a), 'done')
})

test('an account has only so many sessions', async () => {
  const first = await host.login('bob@example.org')
  for (let i = 0; i < MAX_SESSIONS; i++) {
    await host.clock.advance(1)
    await host.login('bob@example.org')
  }
  const last = await host.login('bob@example.org')
  assert.equal((await last.call('devices', {})).devices.length, MAX_SESSIONS)
  assert.equal(await state(first), 'badAuth: the session has ended; log in again')
})

test('a new password and a disabled login end sessions', async () => {
  const client = await host.login('bob@example.org')
  assert.equal(await state(client), 'done')
  await host.mox('account password bob another_long_password')
  assert.equal(await state(client), 'badAuth: the session has ended; log in again')
  await host.mox('account password bob correct_horse_battery')
  assert.equal(await state(client), 'badAuth: the session has ended; log in again')
  const again = await host.login('bob@example.org')
  await host.mox('account disable bob away')
  assert.equal(await state(again), 'badAuth: the session has ended; log in again')
  await host.mox('account enable bob')
  assert.equal(await state(again), 'badAuth: the session has ended; log in again')
})

test('too many failed logins', async () => {
  const limited = await openWebmail({ loginLimits: { perMinute: 2, perDay: 10 } })
  try {
    for (let i = 0; i < 2; i++) await refusal(limited.client().login('alice@example.org', `wrong ${i}`))
    const client = limited.client()
    const error: unknown = await client.login('alice@example.org').catch((e: unknown) => e)
    assert.ok(error instanceof CallFailure)
    assert.equal(`${error.status} ${error.code}`, '429 tooMany')
    assert.equal(error.response.headers.get('Retry-After'), '60')
  } finally {
    await limited.close()
  }
})

test('open streams are counted', async () => {
  const client = await host.login()
  const counted = async () => /^mox_webmail_streams (\d+)$/m.exec(await host.service(metrics).render())?.[1]
  const abort = new AbortController()
  const response = await client.request('events', {
    ...{ method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' }, signal: abort.signal },
  })
  await response.body?.getReader().read()
  assert.equal(await counted(), '1')
  abort.abort()
  for (let i = 0; i < 10_000 && (await counted()) !== '0'; i++) await new Promise(resolve => setImmediate(resolve))
  assert.equal(await counted(), '0')
})

test('several accounts in one browser: each call is for the one whose token it has', async () => {
  const client = host.client()
  await client.login('alice@example.org')
  const alice = client.csrf
  await client.login('bob@example.org')
  const bob = client.csrf
  const as = async (csrf: string): Promise<string[]> => {
    client.csrf = csrf
    return (await client.call('devices', {})).devices.filter(d => d.current).map(d => d.loginAddress)
  }
  assert.deepEqual([await as(alice), await as(bob)], [['alice@example.org'], ['bob@example.org']])
  // A message is for the account that has it, and for nobody else.
  const store = await host.store('bob')
  const { id } = await store.append({ mailbox: 'Inbox', content: Buffer.from('Subject: of bob\r\n\r\nx\r\n') })
  client.csrf = alice
  assert.equal((await client.request(`msg/${id}/raw`)).status, 200)
  assert.match(await refusal(client.call('message', { id })), /^notFound/)
  assert.match(await refusal(client.call('messagesDelete', { ids: [id] })), /^notFound/)
  const other = host.client()
  await other.login('alice@example.org')
  assert.equal((await other.request(`msg/${id}/raw`)).status, 404)
  // Logging in again to one of them ends its former session here, and no other.
  await client.login('alice+again@example.org')
  const again = client.csrf
  assert.equal(client.cookies.get('webmailsession')?.split('.').length, 2)
  assert.deepEqual([await as(again), await as(bob)], [['alice+again@example.org'], ['bob@example.org']])
  client.csrf = alice
  assert.match(await state(client), /^badAuth/)
  client.csrf = again
  await client.call('logout', {})
  assert.deepEqual(await as(bob), ['bob@example.org'])
  assert.equal((await client.request(`msg/${id}/raw`)).status, 200)
  client.csrf = bob
  await client.call('logout', {})
  assert.equal(client.cookies.has('webmailsession'), false)
  // What is no token, or one of too many, does no harm.
  client.cookies.set(
    'webmailsession',
    ['x', '', 'y'.repeat(43), ...Array.from({ length: 50 }, () => 'z'.repeat(43))].join('.'),
  )
  assert.match(await state(client), /^badAuth/)
})
