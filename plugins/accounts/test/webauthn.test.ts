// Passkeys without a browser: answers as an authenticator makes them, and every way in which one can be wrong.
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { loginSecurity } from '@mox/plugin-sdk'
import { expect, test } from 'vitest'
import { PASSKEYS } from '../src/second-factors.ts'
import { codeAt, parseSecret, STEP_MS } from '../src/totp.ts'
import { answered, creationOptions, registered, requestOptions, siteOf } from '../src/webauthn.ts'
import { context, ending, OPTIONS, openWorld } from './support/world.ts'

const HOST = 'mail.example.org:8443'
const CHALLENGE = 'Y2hhbGxlbmdl'
const ID = Buffer.from('credential')
const EC = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })

interface Made {
  readonly type?: string
  readonly challenge?: string
  readonly origin?: string
  readonly crossOrigin?: boolean
  readonly site?: string
  readonly flags?: number
  readonly counter?: number
  readonly id?: Buffer
  readonly key?: { readonly publicKey: KeyObject; readonly privateKey: KeyObject }
}

const b64 = (bytes: Buffer | string): string => Buffer.from(bytes).toString('base64url')

function clientData({
  type = 'webauthn.get',
  challenge = CHALLENGE,
  origin = `https://${HOST}`,
  crossOrigin,
}: Made): string {
  return JSON.stringify({ type, challenge, origin, ...(crossOrigin === undefined ? {} : { crossOrigin }) })
}

function head({ site = 'mail.example.org', flags = 0x01, counter = 7 }: Made): Buffer {
  const rest = Buffer.alloc(5)
  rest[0] = flags
  rest.writeUInt32BE(counter, 1)
  return Buffer.concat([createHash('sha256').update(site).digest(), rest])
}

function registration(made: Made = {}) {
  const { id = ID, key = EC } = made
  const credential = Buffer.concat([Buffer.alloc(16), Buffer.from([0, id.length]), id, Buffer.from('cose')])
  return {
    id: b64(ID),
    clientData: b64(clientData({ type: 'webauthn.create', ...made })),
    authenticatorData: b64(Buffer.concat([head({ flags: 0x41, ...made }), credential])),
    publicKey: b64(key.publicKey.export({ format: 'der', type: 'spki' })),
  }
}

function answer(made: Made = {}) {
  const { key = EC } = made
  const [data, said] = [head(made), clientData(made)]
  const signed = Buffer.concat([data, createHash('sha256').update(said).digest()])
  const digest = key.privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  const signature = sign(digest, signed, key.privateKey)
  return { id: b64(ID), clientData: b64(said), authenticatorData: b64(data), signature: b64(signature) }
}

const der = (key: Made['key'] = EC): Buffer => key.publicKey.export({ format: 'der', type: 'spki' })

test('what browsers are asked', () => {
  expect([siteOf('Mail.example.org:8443'), siteOf('localhost')]).toEqual(['mail.example.org', 'localhost'])
  const options = creationOptions(HOST, {
    account: 'alice',
    loginAddress: 'a@example.org',
    challenge: 'c',
    known: ['k'],
  })
  expect(options).toMatchObject({
    challenge: 'c',
    rp: { id: 'mail.example.org' },
    user: { name: 'a@example.org' },
    excludeCredentials: [{ type: 'public-key', id: 'k' }],
    attestation: 'none',
  })
  expect(requestOptions(HOST, 'c', ['k'])).toMatchObject({
    ...{ challenge: 'c', rpId: 'mail.example.org' },
    allowCredentials: [{ type: 'public-key', id: 'k' }],
  })
})

test('a new passkey', () => {
  const ok = (made: Made = {}): boolean => registered(HOST, CHALLENGE, registration(made)) !== undefined
  expect(registered(HOST, CHALLENGE, registration())).toEqual(der())
  const wrong: Made[] = [
    { type: 'webauthn.get' },
    { challenge: 'b3RoZXI' },
    { origin: 'https://mail.example.org' },
    { origin: `https://evil.test` },
    { origin: 'nothing' },
    { crossOrigin: true },
    { site: 'example.org' },
    { flags: 0x40 },
    { flags: 0x01 },
    { id: Buffer.from('other') },
    { key: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }) },
    { key: generateKeyPairSync('rsa', { modulusLength: 1_024 }) },
  ]
  for (const made of wrong) expect(ok(made), JSON.stringify(made)).toBe(false)
  expect(ok({ key: generateKeyPairSync('ed25519') as never })).toBe(true)
  expect(ok({ key: generateKeyPairSync('rsa', { modulusLength: 2_048 }) })).toBe(true)
  const good = registration()
  for (const bad of [
    { ...good, clientData: b64('[') },
    { ...good, clientData: b64('null') },
    { ...good, authenticatorData: good.authenticatorData.slice(0, 60) },
    { ...good, publicKey: b64('no key') },
  ])
    expect(registered(HOST, CHALLENGE, bad)).toBeUndefined()
})

test('an answer, by each kind of key', () => {
  const counter = (made: Made = {}, key: Made['key'] = made.key): number | undefined =>
    answered(HOST, CHALLENGE, der(key), answer(made))
  for (const key of [EC, generateKeyPairSync('ed25519'), generateKeyPairSync('rsa', { modulusLength: 2_048 })])
    expect(counter({ key: key as never })).toBe(7)
  const wrong: Made[] = [
    { type: 'webauthn.create' },
    { challenge: '' },
    { origin: 'https://evil.test' },
    { crossOrigin: true },
    { site: 'evil.test' },
    { flags: 0 },
  ]
  for (const made of wrong) expect(counter(made), JSON.stringify(made)).toBeUndefined()
  expect(counter({}, generateKeyPairSync('ec', { namedCurve: 'prime256v1' }))).toBeUndefined()
  const good = answer()
  for (const bad of [
    { ...good, signature: b64('x') },
    { ...good, signature: '' },
    { ...good, authenticatorData: b64(head({ counter: 8 })) },
    { ...good, clientData: `${good.clientData}IA` },
  ])
    expect(answered(HOST, CHALLENGE, der(), bad)).toBeUndefined()
})

test('in a login: for its account, once, and never a copy', async () => {
  const world = await openWorld({ ...OPTIONS, loginLimits: false })
  try {
    const security = world.host.service(loginSecurity)
    const asked = { host: HOST, challenge: CHALLENGE }
    const check = async (made: Made = {}, account = 'alice'): Promise<string> =>
      ending(await security.checkPasskey(account, 'alice@example.org', asked, answer(made), context()))
    await expect(security.passkeyOptions('alice', 'a', HOST, CHALLENGE)).rejects.toThrow(/turn on the second factor/)
    const text = security.newSecret()
    const step = Math.floor(world.host.clock.now() / STEP_MS)
    await security.enable('alice', text, codeAt(parseSecret(text) ?? Buffer.alloc(0), step))
    expect(await security.passkeyRequest('alice', HOST, CHALLENGE)).toBeUndefined()
    expect(await check()).toBe('535 badcode')
    const add = (made: Made = {}) => security.addPasskey('alice', 'Laptop', HOST, CHALLENGE, registration(made))
    expect([await add({ challenge: '' }), await add()]).toEqual([false, true])
    await expect(add()).rejects.toThrow(/there already/)
    expect(await security.passkeyRequest('alice', HOST, CHALLENGE)).toMatchObject({
      allowCredentials: [{ id: b64(ID) }],
    })
    expect([await check(), await check(), await check({ counter: 8 })]).toEqual([
      'ok alice alice@example.org',
      '535 badcode',
      'ok alice alice@example.org',
    ])
    await world.mox('account add bob bob@example.org')
    expect(await check({ counter: 9 }, 'bob')).toBe('535 badcode')
    const [passkey] = (await security.state('alice')).passkeys
    expect(passkey).toMatchObject({ id: b64(ID), name: 'Laptop', usedAt: expect.any(Number) })
    expect([await security.removePasskey('bob', b64(ID)), await security.removePasskey('alice', b64(ID))]).toEqual([
      false,
      true,
    ])
    expect(await check({ counter: 9 })).toBe('535 badcode')
    for (let i = 0; i < PASSKEYS; i++) {
      const id = Buffer.from(`credential ${i}`)
      const made = { ...registration({ id }), id: b64(id) }
      expect(await security.addPasskey('alice', `${i}`, HOST, CHALLENGE, made)).toBe(true)
    }
    await expect(add()).rejects.toThrow(/at most 20/)
    // Devices that do not count.
    await security.disable('alice')
    expect((await security.state('alice')).passkeys).toEqual([])
  } finally {
    await world.close()
  }
})
