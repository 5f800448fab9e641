// Hashes, the queue before them, and what is remembered.
import { seededRandom, VirtualClock } from '@mox/plugin-sdk/testkit'
import { expect, test } from 'vitest'
import { Argon2, BusyError, CONCURRENCY, formatHash, isOutdated, parseHash, WAITING } from '../src/argon2.ts'
import { type Credential, makeVerifier, parseCredential, plainCredential } from '../src/credential.ts'
import { Passwords, REMEMBER_MS, REMEMBERED } from '../src/passwords.ts'
import { CREDENTIAL, type CredentialRow } from '../src/schema.ts'
import { context, ending, openWorld } from './support/world.ts'

/** Counts, and answers when it is told to. */
class CountingArgon2 extends Argon2 {
  hashes = 0
  verifications = 0
  right = true
  override async verify(): Promise<boolean> {
    this.verifications++
    await new Promise(setImmediate)
    return this.right
  }
}

test('PHC strings', async () => {
  const argon2 = new Argon2()
  const hash = await argon2.hash('correct horse', Buffer.from('0123456789abcdef'))
  const text = formatHash(hash)
  expect(parseHash(text)).toEqual(hash)
  expect(await argon2.verify('correct horse', hash)).toBe(true)
  expect(await argon2.verify('wrong horse', hash)).toBe(false)
  const check = (m: number, t: number, p: number, expected: boolean): void =>
    expect(parseHash(text.replace('m=19456,t=2,p=1', `m=${m},t=${t},p=${p}`)) !== undefined, `${m} ${t} ${p}`).toBe(
      expected,
    )
  check(8, 1, 1, true)
  check(7, 1, 1, false)
  check(262_144, 20, 16, true)
  check(262_145, 1, 1, false)
  check(19_456, 21, 1, false)
  check(19_456, 0, 1, false)
  check(262_144, 1, 17, false)
  expect(parseHash(text.replace('argon2id', 'argon2i'))).toBeUndefined()
  expect(parseHash(text.replace('v=19', 'v=16'))).toBeUndefined()
  expect(parseHash(`${text}$`)).toBeUndefined()
  expect(isOutdated(hash)).toBe(false)
  expect(isOutdated({ ...hash, passes: 3 })).toBe(true)
})

test('so many wait for a place, and no more', async () => {
  const argon2 = new Argon2()
  const cheap = { memory: 8, passes: 1, lanes: 1, salt: Buffer.alloc(16), tag: Buffer.alloc(32) }
  const all = Array.from({ length: CONCURRENCY + WAITING }, () => argon2.verify('x', cheap))
  await expect(argon2.verify('x', cheap)).rejects.toThrow(BusyError)
  expect((await Promise.all(all)).every(right => !right)).toBe(true)
  expect(await argon2.verify('x', cheap)).toBe(false)
})

test('what was right is remembered for a while; equal checks share one computation', async () => {
  const clock = new VirtualClock()
  const argon2 = new CountingArgon2()
  const passwords = new Passwords(argon2, clock, seededRandom())
  const verifier = await makeVerifier('correct horse', new Argon2(), seededRandom())
  const alice = parseCredential('alice', verifier) as Credential
  const bob = parseCredential('bob', verifier) as Credential
  let counted = 0
  const check = async (credential: Credential | string, password: string): Promise<boolean> =>
    await passwords.check(credential, password, () => {
      counted++
      return () => void counted--
    })
  const twenty = await Promise.all(Array.from({ length: 20 }, () => check(alice, 'correct horse')))
  expect([twenty.every(Boolean), argon2.verifications, counted]).toEqual([true, 1, 0])
  await check(alice, 'correct horse')
  expect(argon2.verifications).toBe(1)
  await check(bob, 'correct horse')
  expect(argon2.verifications).toBe(2)
  await clock.advance(REMEMBER_MS - 1)
  await check(alice, 'correct horse')
  expect(argon2.verifications).toBe(2)
  await clock.advance(1)
  await check(alice, 'correct horse')
  expect(argon2.verifications).toBe(3)
  passwords.clear()
  await check(alice, 'correct horse')
  expect(argon2.verifications).toBe(4)

  argon2.right = false
  await check(alice, 'wrong horse')
  await check(alice, 'wrong horse')
  expect([argon2.verifications, counted]).toEqual([6, 2])
  argon2.right = true
  expect(await check('nobody@example.org', 'anything')).toBe(false)
  expect([argon2.verifications, counted]).toEqual([7, 3])
  await Promise.all([check('one@example.org', 'x'), check('two@example.org', 'x'), check('two@example.org', 'x')])
  expect([argon2.verifications, counted]).toEqual([9, 5])

  for (let i = 0; i <= REMEMBERED; i++) await check(alice, `password ${i}`)
  const before = argon2.verifications
  await check(alice, `password ${REMEMBERED}`)
  expect(argon2.verifications).toBe(before)
  await check(alice, 'password 0')
  expect(argon2.verifications).toBe(before + 1)
})

test('a password of the config file: right at once, wrong as slow as any', async () => {
  const argon2 = new CountingArgon2()
  const passwords = new Passwords(argon2, new VirtualClock(), seededRandom())
  const plain = plainCredential('alice', 'correct horse', () => Buffer.alloc(16))
  const count = () => () => {}
  expect(await passwords.check(plain, 'correct horse', count)).toBe(true)
  expect(argon2.verifications).toBe(0)
  expect(await passwords.check(plain, 'wrong horse', count)).toBe(false)
  expect(argon2.verifications).toBe(1)
})

test('verifier texts', async () => {
  const verifier = await makeVerifier('correct horse', new Argon2(), seededRandom())
  const [argon2, sha256, sha1] = verifier.split(' ')
  const check = (text: string, expected: 'now' | 'outdated' | undefined): void => {
    const credential = parseCredential('a', text)
    expect(credential && (credential.outdated ? 'outdated' : 'now'), text).toBe(expected)
  }
  check(verifier, 'now')
  check(`${argon2} ${sha256}`, 'outdated')
  check(`${argon2}`, 'outdated')
  check(verifier.replace('t=2', 't=1'), 'outdated')
  check(`${argon2} ${sha1} ${sha1}`, undefined)
  check(`${sha256} ${sha1}`, undefined)
  check(`${verifier} x`, undefined)
  check('', undefined)
})

test('a stored password is renewed by a login when parameters have changed', async () => {
  const world = await openWorld({ domains: { 'example.org': {} } })
  try {
    await world.mox('account add bob bob@example.org')
    await world.mox('account password bob correct_horse')
    const stored = async (): Promise<string> =>
      (await world.storage.db<CredentialRow>(CREDENTIAL).where({ account: 'bob' }).first())?.verifier ?? ''
    const old = (await stored()).split(' ')[0]!
    await world.storage.write(async db => void (await db<CredentialRow>(CREDENTIAL).update({ verifier: old })))
    await world.restart()
    expect(ending(await world.directory.login('bob@example.org', 'wrong horse', context()))).toBe('535 badpassword')
    expect(await stored()).toBe(old)
    expect(ending(await world.directory.login('bob@example.org', 'correct horse', context()))).toBe(
      'ok bob bob@example.org',
    )
    // Stopping waits for it.
    await world.restart()
    expect(await stored()).toMatch(/^\$argon2id\S+ SCRAM-SHA-256\S+ SCRAM-SHA-1\S+$/)
    expect(ending(await world.directory.login('bob@example.org', 'correct horse', context()))).toBe(
      'ok bob bob@example.org',
    )
  } finally {
    await world.close()
  }
})
