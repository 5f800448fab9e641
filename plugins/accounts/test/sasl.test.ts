// PLAIN and LOGIN over the whole plugin: messages and how they end.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MESSAGE_LIMIT } from '../src/sasl/exchange.ts'
import { context, converse, openWorld, PASSWORD, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await openWorld({
    domains: { 'example.org': {}, 'off.example': { disabled: true } },
    accounts: {
      alice: { addresses: ['alice@example.org', 'alice@off.example'], password: PASSWORD },
      bob: { addresses: ['bob@example.org'], password: PASSWORD, loginDisabled: 'ask the office' },
      catchall: { addresses: ['@example.org'], password: PASSWORD },
      nopass: { addresses: ['nopass@example.org'] },
    },
    postmaster: 'alice',
    loginLimits: false,
  })
})
afterAll(async () => await world.close())

async function check(mechanism: string, responses: readonly (string | null)[], expected: readonly string[]) {
  expect(await converse(world.directory.sasl(mechanism, context()), responses), JSON.stringify(responses)).toEqual(
    expected,
  )
}

const P = PASSWORD

test('PLAIN', async () => {
  await check('PLAIN', [`\0alice@example.org\0${P}`], ['ok alice alice@example.org'])
  await check('plain', [`\0alice@example.org\0${P}`], ['ok alice alice@example.org'])
  await check('PLAIN', [null, `\0alice@example.org\0${P}`], ['challenge ', 'ok alice alice@example.org'])
  await check('PLAIN', [`alice@example.org\0alice@example.org\0${P}`], ['ok alice alice@example.org'])
  await check('PLAIN', [`bob@example.org\0alice@example.org\0${P}`], ['535 badcreds'])
  await check('PLAIN', [`\0Alice+shop@Example.ORG\0${P}`], ['ok alice Alice+shop@example.org'])
  await check('PLAIN', [`\0 alice@example.org \0${P}`], ['ok alice alice@example.org'])
  await check('PLAIN', [`\0ａｌｉｃｅ@example.org\0${P}`], ['ok alice alice@example.org'])
  await check('PLAIN', [`\0alice@off.example\0${P}`], ['ok alice alice@off.example'])
  await check('PLAIN', [`\0alice@example.org\0correct\u00a0horse`], ['ok alice alice@example.org'])
  await check('PLAIN', [`\0anybody@example.org\0${P}`], ['ok catchall anybody@example.org'])
  await check('PLAIN', [`\0postmaster@example.org\0${P}`], ['ok catchall postmaster@example.org'])
  await check('PLAIN', [`\0postmaster@mail.example.net\0${P}`], ['535 baduser'])
  await check('PLAIN', [`\0alice\0${P}`], ['535 baduser'])
  await check('PLAIN', [`\0alice@example.com\0${P}`], ['535 baduser'])
  await check('PLAIN', ['\0alice@example.org\0wrong horse'], ['535 badpassword'])
  await check('PLAIN', [`\0alice@example.org\0${P}\n`], ['535 badpassword'])
  await check('PLAIN', [`\0nopass@example.org\0${P}`], ['535 badpassword'])
  await check('PLAIN', [`\0bob@example.org\0${P}`], ['525 logindisabled'])
  await check('PLAIN', ['\0bob@example.org\0wrong horse'], ['535 badpassword'])
  await check('PLAIN', [''], ['501 badprotocol'])
  await check('PLAIN', ['\0alice@example.org'], ['501 badprotocol'])
  await check('PLAIN', ['\0\0'], ['501 badprotocol'])
  await check('PLAIN', ['\0alice@example.org\0'], ['501 badprotocol'])
  await check('PLAIN', [`\0alice@example.org\0${P}\0`], ['501 badprotocol'])
})

test('bytes that are no UTF-8, and messages at and beyond the limit', async () => {
  const bad = Buffer.concat([Buffer.from('\0alice@example.org\0'), Buffer.from([0xff, 0xfe])])
  expect(await converse(world.directory.sasl('PLAIN', context()), [bad])).toEqual(['501 badprotocol'])
  const start = '\0alice@example.org\0'
  await check('PLAIN', [start + 'x'.repeat(MESSAGE_LIMIT - start.length)], ['535 badpassword'])
  await check('PLAIN', [start + 'x'.repeat(MESSAGE_LIMIT - start.length + 1)], ['501 badprotocol'])
})

test('LOGIN', async () => {
  const ok = 'ok alice alice@example.org'
  await check('LOGIN', [null, 'alice@example.org', P], ['challenge Username:', 'challenge Password:', ok])
  await check('LOGIN', ['alice@example.org', P], ['challenge Password:', ok])
  await check('LOGIN', ['alice@example.org', 'wrong'], ['challenge Password:', '535 badpassword'])
  await check('LOGIN', ['nobody@example.com', P], ['challenge Password:', '535 baduser'])
  await check('LOGIN', ['', P], ['challenge Password:', '501 badprotocol'])
  await check('LOGIN', ['alice@example.org', ''], ['challenge Password:', '501 badprotocol'])
  await check('LOGIN', ['alice@example.org', null], ['challenge Password:', '501 badprotocol'])
})

test('an exchange has one result', async () => {
  const plain = world.directory.sasl('PLAIN', context())
  expect(await converse(plain, [`\0alice@example.org\0${P}`, 'more'])).toEqual([
    'ok alice alice@example.org',
    '501 badprotocol',
  ])
  const login = world.directory.sasl('LOGIN', context())
  expect(await converse(login, [null])).toEqual(['challenge Username:'])
  login?.abort()
  login?.abort()
  expect(await converse(login, ['alice@example.org'])).toEqual(['501 badprotocol'])
  expect(world.counted.get('mox_authentication_total{submission login aborted}')).toBe(1)
  await check('CRAM-MD5', [null], ['no such mechanism'])
})

test('mechanisms, strongest first', () => {
  const check = (tls: boolean, allowPlain: boolean, expected: string): void =>
    expect(world.directory.mechanisms({ tls, allowPlain }).join(' ')).toBe(expected)
  const scram = 'SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-1'
  check(true, false, `${scram} PLAIN LOGIN`)
  check(false, true, `${scram} PLAIN LOGIN`)
  check(false, false, scram)
})
