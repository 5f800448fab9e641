// The second factor in the webmail: two steps of a login, what needs the password again, and which sessions go on.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'vitest'
import { codeAt, parseSecret, STEP_MS } from '../../accounts/src/totp.ts'
import { CODE_SECONDS, CODE_TRIES } from '../src/server/limits.ts'
import { openWebmail, PASSWORD, refusal, type WebmailClient, type WebmailHost } from './webmail-host.ts'

let host: WebmailHost
let alice: WebmailClient
let secret: string
let codes: readonly string[]

const code = (): string => codeAt(parseSecret(secret) ?? Buffer.alloc(0), Math.floor(host.clock.now() / STEP_MS))

beforeEach(async () => {
  host = await openWebmail()
  alice = await host.login()
  secret = (await alice.call('secondFactorBegin', {})).secret
  codes = (await alice.call('secondFactorEnable', { password: PASSWORD, secret, code: code() })).recoveryCodes
  await host.clock.advance(STEP_MS)
})
afterEach(() => host.close())

async function firstStep(): Promise<WebmailClient> {
  const client = host.client()
  await client.login('alice@example.org')
  assert.equal(client.csrf, '')
  assert.notEqual(client.proof, '')
  assert.equal(client.cookies.has('webmailsession'), false)
  return client
}

const answer = async (client: WebmailClient, text: string): Promise<string> =>
  await refusal(
    client.call('loginCode', { proof: client.proof, code: text }).then(({ csrf }) => {
      client.csrf = csrf
    }),
  )

test('the key for an app, and what is known then', async () => {
  const { secret: other, uri } = await alice.call('secondFactorBegin', {})
  assert.match(other, /^[A-Z2-7]{32}$/)
  assert.equal(uri, `otpauth://totp/mail.example.org:alice%40example.org?secret=${other}&issuer=mail.example.org`)
  const state = await alice.call('loginSecurity', {})
  assert.deepEqual([state.available, state.recoveryCodes, state.appPasswords], [true, 10, []])
  assert.equal(typeof state.secondFactorSince, 'number')
})

test('a login has two steps; this session goes on, others end', async () => {
  const client = await firstStep()
  assert.equal(await refusal(client.call('devices', {})), 'noAuth: log in first')
  assert.equal(await answer(client, '000000'), 'loginFailed: wrong code')
  assert.equal(await answer(client, code()), 'done')
  assert.equal((await client.call('devices', {})).devices.length, 2)
  // It is over.
  assert.equal(await answer(client, codes[0] ?? ''), 'badRequest: the login took too long; begin again')
  await client.call('secondFactorDisable', { password: PASSWORD })
  assert.equal((await client.call('devices', {})).devices.length, 1)
  const again = host.client()
  await again.login('alice@example.org')
  assert.notEqual(again.csrf, '')
})

test('a recovery code does as well', async () => {
  const client = await firstStep()
  assert.equal(await answer(client, codes[0] ?? ''), 'done')
  assert.equal((await client.call('loginSecurity', {})).recoveryCodes, 9)
})

test('some tries, some time', async () => {
  const client = await firstStep()
  for (let i = 1; i < CODE_TRIES; i++) assert.equal(await answer(client, '000000'), 'loginFailed: wrong code')
  assert.equal(await answer(client, '000000'), 'badRequest: that was wrong too often; begin again')
  assert.equal(await answer(client, code()), 'badRequest: the login took too long; begin again')
  const late = await firstStep()
  await host.clock.advance(CODE_SECONDS * 1_000)
  assert.equal(await answer(late, code()), 'badRequest: the login took too long; begin again')
  late.proof = 'made up'
  assert.equal(await answer(late, code()), 'badRequest: the login took too long; begin again')
})

test('an open browser is not enough to change it', async () => {
  const wrong = 'refused: the password is wrong'
  const password = 'wrong horse'
  assert.equal(await refusal(alice.call('secondFactorDisable', { password })), wrong)
  assert.equal(await refusal(alice.call('recoveryCodesRenew', { password })), wrong)
  assert.equal(await refusal(alice.call('appPasswordAdd', { password, name: 'Phone' })), wrong)
  assert.equal(await refusal(alice.call('secondFactorEnable', { password, secret, code: code() })), wrong)
  assert.match(
    await refusal(alice.call('secondFactorEnable', { password: PASSWORD, secret, code: code() })),
    /^refused: there is a second factor already/,
  )
  await alice.call('secondFactorDisable', { password: PASSWORD })
  assert.match(
    await refusal(alice.call('secondFactorEnable', { password: PASSWORD, secret, code: '000000' })),
    /^refused: this is not the code of now/,
  )
  const { password: made } = await alice.call('appPasswordAdd', { password: PASSWORD, name: 'Phone' })
  const client = host.client()
  assert.equal(await refusal(client.login('alice@example.org', made)), 'loginFailed: wrong user name or password')
  const [one] = (await alice.call('loginSecurity', {})).appPasswords
  assert.equal(one?.name, 'Phone')
  await alice.call('appPasswordRemove', { id: one?.id ?? '' })
  assert.match(await refusal(alice.call('appPasswordRemove', { id: one?.id ?? '' })), /^notFound/)
})
