// The second factor and app passwords: the codes of RFC 6238, once each, and what is good where.
import { type LoginSecurity, loginSecurity } from '@mox/plugin-sdk'
import { seededRandom } from '@mox/plugin-sdk/testkit'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { APP_PASSWORDS, RECOVERY_CODES, WRONG_CODES } from '../src/second-factors.ts'
import { APP_PASSWORD, appPassword, base32, codeAt, parseSecret, recoveryCode, STEP_MS, stepOf } from '../src/totp.ts'
import { context, converse, ending, OPTIONS, openWorld, PASSWORD, type World } from './support/world.ts'

const RFC_SECRET = Buffer.from('12345678901234567890')

test('RFC 6238 appendix B, in six digits', () => {
  const rows: readonly [number, string][] = [
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ]
  for (const [seconds, code] of rows) {
    const step = Math.floor((seconds * 1_000) / STEP_MS)
    expect(codeAt(RFC_SECRET, step)).toBe(code)
    const at = (offset: number, last = -1) => stepOf(RFC_SECRET, code, (step + offset) * STEP_MS, last)
    expect([at(-2), at(-1), at(0), at(1), at(2)]).toEqual([undefined, step, step, step, undefined])
    expect([at(0, step - 1), at(0, step), at(1, step)]).toEqual([step, undefined, undefined])
  }
})

test('RFC 4648 §10, and secrets', () => {
  const rows = [
    ['', ''],
    ['f', 'MY'],
    ['fo', 'MZXQ'],
    ['foo', 'MZXW6'],
    ['foob', 'MZXW6YQ'],
    ['fooba', 'MZXW6YTB'],
    ['foobar', 'MZXW6YTBOI'],
  ] as const
  for (const [text, expected] of rows) expect(base32(Buffer.from(text))).toBe(expected)
  expect(parseSecret(base32(RFC_SECRET))).toEqual(RFC_SECRET)
  for (const bad of [
    '',
    base32(RFC_SECRET).toLowerCase(),
    `${base32(RFC_SECRET)}A`,
    base32(RFC_SECRET).slice(1),
    '1'.repeat(32),
  ])
    expect(parseSecret(bad), bad).toBeUndefined()
  const random = seededRandom(1)
  expect(recoveryCode(random)).toMatch(/^[a-z2-7]{5}-[a-z2-7]{5}$/)
  expect(appPassword(random)).toMatch(APP_PASSWORD)
})

let world: World
let security: LoginSecurity
let secret: Buffer
let codes: readonly string[]

const step = (): number => Math.floor(world.host.clock.now() / STEP_MS)
const now = (): string => codeAt(secret, step())

beforeEach(async () => {
  world = await openWorld({ ...OPTIONS, loginLimits: { perMinute: 10, perDay: 30 } })
  security = world.host.service(loginSecurity)
  const text = security.newSecret()
  secret = parseSecret(text) ?? Buffer.alloc(0)
  codes = (await security.enable('alice', text, now())) ?? []
  await world.host.advance(STEP_MS)
})
afterEach(async () => await world.close())

const ALICE = 'alice@example.org'
const plain = async (password: string): Promise<string> =>
  (await converse(world.directory.sasl('PLAIN', context()), [`\0${ALICE}\0${password}`]))[0] ?? ''
const page = async (password: string): Promise<string> =>
  ending(await world.directory.login(ALICE, password, context({ protocol: 'webmail', asksForCode: true })))
const code = async (text: string): Promise<string> => ending(await security.checkCode('alice', ALICE, text, context()))

test('turned on with a code, and off again; sessions end with both', async () => {
  expect(codes).toHaveLength(RECOVERY_CODES)
  expect(new Set(codes).size).toBe(RECOVERY_CODES)
  const on = await world.directory.passwordVersion('alice')
  expect(await security.state('alice')).toEqual({
    secondFactorSince: expect.any(Number),
    recoveryCodes: RECOVERY_CODES,
    appPasswords: [],
    passkeys: [],
  })
  await expect(security.enable('alice', base32(secret), now())).rejects.toThrow(/turn it off first/)
  expect([await security.disable('alice'), await security.disable('alice')]).toEqual([true, false])
  const off = await world.directory.passwordVersion('alice')
  expect(off).not.toBe(on)
  expect(await page(PASSWORD)).toBe(`ok alice ${ALICE}`)
  expect(await security.enable('alice', base32(secret), '000000')).toBeUndefined()
  await expect(security.enable('alice', 'short', now())).rejects.toThrow(/no secret of ours/)
  await expect(security.renewRecoveryCodes('alice')).rejects.toThrow(/there is no second factor/)
  expect(await page(PASSWORD)).toBe(`ok alice ${ALICE}`)
})

test('with it, the password alone is good nowhere; a code is good once, also for two at a time', async () => {
  expect(await page(PASSWORD)).toBe('535 secondfactor')
  expect(await page('wrong horse')).toBe('535 badpassword')
  expect(await plain(PASSWORD)).toBe('535 badpassword')
  expect(ending(await world.directory.login(ALICE, PASSWORD, context({ protocol: 'webapi' })))).toBe('535 badpassword')
  const both = await Promise.all([code(now()), code(now())])
  expect(both.sort()).toEqual(['535 badcode', `ok alice ${ALICE}`])
  expect(await code(now())).toBe('535 badcode')
  await world.host.advance(STEP_MS)
  expect(await code(` ${now().slice(0, 3)} ${now().slice(3)}`)).toBe(`ok alice ${ALICE}`)
  await world.restart()
  security = world.host.service(loginSecurity)
  expect([await page(PASSWORD), await plain(PASSWORD)]).toEqual(['535 secondfactor', '535 badpassword'])
})

test('recovery codes are good once each, until there are new ones', async () => {
  const [first = '', second = '', third = ''] = codes
  expect([await code(first), await code(first)]).toEqual([`ok alice ${ALICE}`, '535 badcode'])
  expect(await code(second.toUpperCase().replace('-', ' '))).toBe(`ok alice ${ALICE}`)
  expect((await security.state('alice')).recoveryCodes).toBe(RECOVERY_CODES - 2)
  const [fresh = ''] = await security.renewRecoveryCodes('alice')
  expect([await code(third), await code(fresh)]).toEqual(['535 badcode', `ok alice ${ALICE}`])
})

test('app passwords are for programs alone, and can be taken back', async () => {
  const { id, password } = await security.addAppPassword('alice', ' Phone ')
  expect(password).toMatch(APP_PASSWORD)
  expect([await plain(password), await plain(password.toUpperCase()), await page(password)]).toEqual([
    `ok alice ${ALICE}`,
    '535 badpassword',
    '535 badpassword',
  ])
  const [used] = (await security.state('alice')).appPasswords
  expect(used).toEqual({ id, name: 'Phone', createdAt: expect.any(Number), usedAt: expect.any(Number) })
  // Of others it is no password.
  await world.mox('account add bob bob@example.org')
  const bob = await converse(world.directory.sasl('PLAIN', context()), [`\0bob@example.org\0${password}`])
  expect(bob).toEqual(['535 badpassword'])
  expect(await security.removeAppPassword('bob', id)).toBe(false)
  expect([await security.removeAppPassword('alice', id), await plain(password)]).toEqual([true, '535 badpassword'])
  for (const bad of ['', ' ', 'a\u0000', 'x'.repeat(101)])
    await expect(security.addAppPassword('alice', bad)).rejects.toThrow(/what it is for/)
  for (let i = 0; i < APP_PASSWORDS; i++) await security.addAppPassword('alice', `${i}`)
  await expect(security.addAppPassword('alice', 'one more')).rejects.toThrow(/at most 50/)
})

test('SCRAM knows nothing of the password any more', async () => {
  const first = (): Promise<string[]> =>
    converse(world.directory.sasl('SCRAM-SHA-256', context()), [`n,,n=${ALICE},r=nonce`])
  const salt = async (): Promise<string> => /,s=([^,]+)/.exec((await first())[0] ?? '')?.[1] ?? ''
  const withFactor = await salt()
  expect(await salt()).toBe(withFactor)
  await security.disable('alice')
  expect(await salt()).not.toBe(withFactor)
})

test('guessing codes is slow, from one address and from many', async () => {
  for (let i = 0; i < 10; i++) expect(await code('000000')).toBe('535 badcode')
  expect(await code(now())).toBe('454 toomany')
  const from = (n: number, text: string) =>
    security.checkCode('alice', ALICE, text, context({ remoteIp: `10.${n}.0.1` })).then(ending)
  for (let i = 10; i < WRONG_CODES; i++) expect(await from(i, '000000')).toBe('535 badcode')
  expect(await from(99, now())).toBe('454 toomany')
  await world.host.advance(3_600_000)
  expect(await from(99, now())).toBe(`ok alice ${ALICE}`)
})

test('an account whose logins are disabled is not let in by a code', async () => {
  await world.mox('account add bob bob@example.org')
  await world.mox('account password bob correct_horse')
  const text = security.newSecret()
  const of = (at: number): string => codeAt(parseSecret(text) ?? secret, at)
  await security.enable('bob', text, of(step()))
  await world.mox('account disable bob away')
  await world.host.advance(STEP_MS)
  const login = await world.directory.login('bob@example.org', 'correct horse', context({ asksForCode: true }))
  expect(ending(login)).toBe('525 logindisabled')
  expect(ending(await security.checkCode('bob', 'bob@example.org', of(step()), context()))).toBe('525 logindisabled')
})

test('operators see it and turn it off', async () => {
  const { id } = await security.addAppPassword('alice', 'Phone')
  expect(await world.mox('account second-factor show alice')).toEqual({
    kind: 'value',
    value: { account: 'alice', since: expect.any(String), 'recovery-codes': 10, 'app-passwords': 1 },
  })
  expect(await world.rows('account app-password list alice')).toEqual([
    { id, name: 'Phone', created: expect.any(String), used: '' },
  ])
  expect(await world.refusal('account app-password revoke alice none')).toMatch(/alice has no app password none/)
  await world.mox(`account app-password revoke alice ${id}`)
  await world.mox('account second-factor disable alice')
  expect(await world.refusal('account second-factor disable alice')).toBe('alice has no second factor')
  expect(await world.refusal('account second-factor show nobody')).toMatch(/there is no account/)
  expect(await plain(PASSWORD)).toBe(`ok alice ${ALICE}`)
})

test('an account that is added again has neither', async () => {
  await world.mox('account add bob bob@example.org')
  const text = security.newSecret()
  await security.enable('bob', text, codeAt(parseSecret(text) ?? secret, step()))
  await security.addAppPassword('bob', 'Phone')
  await world.mox('account remove bob')
  await world.mox('account add bob bob@example.org')
  expect(await security.state('bob')).toEqual({ recoveryCodes: 0, appPasswords: [], passkeys: [] })
})
