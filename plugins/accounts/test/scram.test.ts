// SCRAM: the exchanges of the RFCs, a client of our own against the whole plugin, and everything a client may do wrong.
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { loginSecurity, type SaslExchange, type SaslStep } from '@mox/plugin-sdk'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { NONCE_LENGTH } from '../src/sasl/scram-messages.ts'
import { deriveKeys, formatKeys, hmac, parseKeys, proofIsRight, type ScramHash } from '../src/scram.ts'
import { codeAt, parseSecret, STEP_MS } from '../src/totp.ts'
import { context, converse, ending, openWorld, PASSWORD, type World } from './support/world.ts'

interface Example {
  readonly hash: ScramHash
  readonly clientFirstBare: string
  readonly serverFirst: string
  readonly clientFinal: string
  readonly serverFinal: string
}

async function checkExample(example: Example): Promise<void> {
  const { hash, clientFirstBare, serverFirst, clientFinal, serverFinal } = example
  const salt = Buffer.from(/,s=([^,]+)/.exec(serverFirst)![1]!, 'base64')
  const keys = await deriveKeys(hash, 'pencil', salt, 4096)
  const [withoutProof, proof] = clientFinal.split(',p=') as [string, string]
  const message = `${clientFirstBare},${serverFirst},${withoutProof}`
  expect(proofIsRight(keys, message, Buffer.from(proof, 'base64'))).toBe(true)
  expect(proofIsRight(keys, `${message}x`, Buffer.from(proof, 'base64'))).toBe(false)
  expect(proofIsRight(keys, message, Buffer.from(proof, 'base64').subarray(1))).toBe(false)
  expect(`v=${hmac(hash, keys.serverKey, message).toString('base64')}`).toBe(serverFinal)
  expect(parseKeys(formatKeys(keys))).toEqual(keys)
}

test('RFC 5802 §5', async () => {
  const nonce = 'fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j'
  await checkExample({
    hash: 'SHA-1',
    clientFirstBare: 'n=user,r=fyko+d2lbbFgONRv9qkxdawL',
    serverFirst: `r=${nonce},s=QSXCR+Q6sek8bf92,i=4096`,
    clientFinal: `c=biws,r=${nonce},p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=`,
    serverFinal: 'v=rmF9pqV8S7suAoZWja4dJRkFsKQ=',
  })
})

test('RFC 7677 §3', async () => {
  const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
  await checkExample({
    hash: 'SHA-256',
    clientFirstBare: 'n=user,r=rOprNGfwEbeRWgbNEkqO',
    serverFirst: `r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`,
    clientFinal: `c=biws,r=${nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`,
    serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  })
})

let world: World
beforeAll(async () => {
  world = await openWorld({
    domains: { 'example.org': {} },
    accounts: {
      alice: { addresses: ['alice@example.org', 'a,b=c@example.org'.replace(',', '!')], password: PASSWORD },
      bob: { addresses: ['bob@example.org'], password: PASSWORD, loginDisabled: 'ask the office' },
      nopass: { addresses: ['nopass@example.org'] },
    },
    loginLimits: false,
  })
  await world.mox('account add carol carol@example.org')
  await world.mox('account password carol database_password')
})
afterAll(async () => await world.close())

interface ClientOptions {
  readonly mechanism?: string
  readonly name?: string
  readonly password?: string
  readonly header?: string
  /** What the client binds; default the same as the server's. */
  readonly binding?: Buffer
  readonly initial?: boolean
  /** Changes the messages on their way. */
  readonly first?: (text: string) => string
  readonly final?: (text: string) => string
}

const EXPORTER = Buffer.from('e'.repeat(32))
const UNIQUE = Buffer.from('u'.repeat(12))
const channelBinding = (type: string): Buffer | undefined =>
  type === 'tls-exporter' ? EXPORTER : type === 'tls-unique' ? UNIQUE : undefined

/** A client of RFC 5802 that shares no code with the server: how it ended, and whether the server proved itself. */
async function client(options: ClientOptions, tls: boolean = true): Promise<string> {
  const mechanism = options.mechanism ?? 'SCRAM-SHA-256'
  const [digest, length] = mechanism.includes('256') ? (['sha256', 32] as const) : (['sha1', 20] as const)
  const mac = (key: Buffer, text: string): Buffer => createHmac(digest, key).update(text).digest()
  const exchange = world.directory.sasl(mechanism, context(tls ? { channelBinding } : {})) as SaslExchange
  const header = options.header ?? 'n,,'
  const bare = `n=${options.name ?? 'alice@example.org'},r=0123456789abcdef`
  const sent = Buffer.from((options.first ?? (t => t))(header + bare))
  let step: SaslStep
  if (options.initial === false) {
    expect(ending(await exchange.step(null))).toBe('challenge ')
    step = await exchange.step(sent)
  } else step = await exchange.step(sent)
  if (step.kind === 'done') return ending(step)
  const serverFirst = step.data.toString()
  const [, nonce, salt, iterations] = /^r=(0123456789abcdef[^,]{24,}),s=([^,]+),i=(\d+)$/.exec(serverFirst)!
  const salted = pbkdf2Sync(
    options.password ?? PASSWORD,
    Buffer.from(salt!, 'base64'),
    Number(iterations),
    length,
    digest,
  )
  const binding =
    options.binding ?? (header.startsWith('p=') ? channelBinding(/p=([^,]+)/.exec(header)![1]!)! : Buffer.alloc(0))
  const withoutProof = `c=${Buffer.concat([Buffer.from(header), binding]).toString('base64')},r=${nonce}`
  const message = `${bare},${serverFirst},${withoutProof}`
  const key = mac(salted, 'Client Key')
  const signature = mac(createHash(digest).update(key).digest(), message)
  const proof = Buffer.from(key.map((octet, i) => octet ^ signature[i]!)).toString('base64')
  const end = await exchange.step(Buffer.from((options.final ?? (t => t))(`${withoutProof},p=${proof}`)))
  if (end.kind === 'done' && end.result.ok)
    expect(end.data?.toString()).toBe(`v=${mac(mac(salted, 'Server Key'), message).toString('base64')}`)
  else if (end.kind === 'done') expect(end.data).toBeUndefined()
  return ending(end)
}

async function check(options: ClientOptions, expected: string, tls?: boolean): Promise<void> {
  expect(await client(options, tls), JSON.stringify(options)).toBe(expected)
}

const OK = 'ok alice alice@example.org'
const PLUS = { mechanism: 'SCRAM-SHA-256-PLUS', header: 'p=tls-exporter,,' }

test('right and wrong passwords', async () => {
  await check({}, OK)
  await check({ initial: false }, OK)
  await check({}, OK, false)
  await check({ mechanism: 'SCRAM-SHA-1' }, OK)
  await check({ name: 'carol@example.org', password: 'database password' }, 'ok carol carol@example.org')
  await check(
    { mechanism: 'SCRAM-SHA-1', name: 'carol@example.org', password: 'database password' },
    'ok carol carol@example.org',
  )
  await check({ name: 'alice+x@example.org' }, 'ok alice alice+x@example.org')
  await check({ name: 'a!b=3Dc@example.org' }, 'ok alice a!b=c@example.org')
  await check({ header: 'n,a=alice@example.org,' }, OK)
  await check({ password: 'wrong horse' }, '535 badcreds')
  await check({ name: 'nobody@example.org' }, '535 baduser')
  await check({ name: 'alice' }, '535 baduser')
  await check({ name: 'nopass@example.org' }, '535 badcreds')
  await check({ name: 'bob@example.org' }, '525 logindisabled')
  await check({ name: 'bob@example.org', password: 'wrong horse' }, '535 badcreds')
})

test('channel binding', async () => {
  await check(PLUS, OK)
  await check({ ...PLUS, mechanism: 'SCRAM-SHA-1-PLUS' }, OK)
  await check({ ...PLUS, header: 'p=tls-unique,,' }, OK)
  await check({ ...PLUS, mechanism: 'SCRAM-SHA-256' }, OK)
  await check({ ...PLUS, header: 'p=tls-server-end-point,,' }, '535 badchanbind')
  await check(PLUS, '535 badchanbind', false)
  await check({ ...PLUS, binding: Buffer.from('f'.repeat(32)) }, '535 badchanbind')
  await check({ ...PLUS, binding: UNIQUE }, '535 badchanbind')
  await check({ ...PLUS, header: 'n,,' }, '501 badprotocol')
  await check({ ...PLUS, header: 'y,,' }, '501 badprotocol')
  await check({ header: 'y,,' }, '535 badchanbind')
  await check({ header: 'y,,' }, OK, false)
  expect(world.host.log.texts('warn').filter(t => t.includes('channel binding')).length).toBe(5)
})

test('malformed messages', async () => {
  const bad = '501 badprotocol'
  for (const first of [
    '',
    'n,,',
    'n',
    'x,,n=alice@example.org,r=abc',
    'p=,,n=alice@example.org,r=abc',
    'p=tls unique,,n=alice@example.org,r=abc',
    'n,,r=abc,n=alice@example.org',
    'n,,n=,r=abc',
    'n,,n=alice=40example.org,r=abc',
    'n,,n=alice@example.org=,r=abc',
    'n,,n=alice@example.org,r=',
    'n,,n=alice@example.org,r=a b',
    'n,,n=alice@example.org',
    'n,,m=x,n=alice@example.org,r=abc',
    'n,,n=alice@example.org,r=abc,m=x',
    'n,,n=alice@example.org,r=abc,1=x',
    'n,,n=alice@example.org,r=abc,x=',
    'n,a=bob@example.org,n=alice@example.org,r=abc',
    'n,alice,n=alice@example.org,r=abc',
    'n,,n=alice\0@example.org,r=abc',
    `n,,n=alice@example.org,r=${'a'.repeat(NONCE_LENGTH + 1)}`,
  ])
    await check({ first: () => first }, bad)
  const longest = `n,,n=alice@example.org,r=${'a'.repeat(NONCE_LENGTH)},x=ignored`
  const [challenge] = await converse(world.directory.sasl('SCRAM-SHA-256', context()), [longest])
  expect(challenge).toMatch(/^challenge r=a+/)

  await check({ final: t => t.replace(',p=', ',x=ignored,p=') }, '535 badcreds')
  await check({ final: () => '' }, bad)
  await check({ final: t => t.replace('c=biws', 'c=biws=') }, bad)
  await check({ final: t => t.replace('c=biws', 'c=eSws') }, bad)
  await check({ final: t => t.replace('c=biws,', '') }, bad)
  await check({ final: t => t.replace(',r=0', ',r=1') }, bad)
  await check({ final: t => t.replace(',p=', ',m=x,p=') }, bad)
  await check({ final: t => t.replace(/,p=.*/, '') }, bad)
  await check({ final: t => t.replace(/,p=.*/, ',p=') }, bad)
  await check({ final: t => t.replace(/,p=.*/, ',p=AAAA') }, '535 badcreds')
  await check({ final: t => `${t},x=1` }, bad)
  await check({ final: t => t + 'x'.repeat(5000) }, bad)
})

test('a name that nobody has gets the same salt always, also after a restart', async () => {
  const saltOf = async (name: string, mechanism: string): Promise<string> => {
    const [said] = await converse(world.directory.sasl(mechanism, context()), [`n,,n=${name},r=abcdefgh`])
    return /,s=.*/.exec(said!)![0]
  }
  const before = await saltOf('nobody@example.org', 'SCRAM-SHA-256')
  expect(before).toMatch(/^,s=[A-Za-z0-9+/]{22}==,i=10000$/)
  expect(await saltOf('Nobody+x@Example.org', 'SCRAM-SHA-256')).toBe(before)
  expect(await saltOf('nobody2@example.org', 'SCRAM-SHA-256')).not.toBe(before)
  const sha1 = await saltOf('nobody@example.org', 'SCRAM-SHA-1')
  expect(sha1).toMatch(/^,s=[A-Za-z0-9+/]{22}==,i=8192$/)
  expect(sha1.slice(0, 20)).not.toBe(before.slice(0, 20))
  for (const name of ['alice@example.org', 'carol@example.org'])
    expect(await saltOf(name, 'SCRAM-SHA-256')).toMatch(/^,s=[A-Za-z0-9+/]{22}==,i=10000$/)
  const carol = await saltOf('carol@example.org', 'SCRAM-SHA-1')
  await world.restart()
  expect(await saltOf('nobody@example.org', 'SCRAM-SHA-256')).toBe(before)
  expect(await saltOf('carol@example.org', 'SCRAM-SHA-1')).toBe(carol)
})

test('verifiers', () => {
  const key = (n: number): string => Buffer.alloc(n, 1).toString('base64')
  const check = (text: string, expected: boolean): void => expect(parseKeys(text) !== undefined, text).toBe(expected)
  check(`SCRAM-SHA-256$4096:${key(16)}$${key(32)}:${key(32)}`, true)
  check(`SCRAM-SHA-1$8192:${key(16)}$${key(20)}:${key(20)}`, true)
  check(`SCRAM-SHA-256$4095:${key(16)}$${key(32)}:${key(32)}`, false)
  check(`SCRAM-SHA-256$1000000:${key(16)}$${key(32)}:${key(32)}`, true)
  check(`SCRAM-SHA-256$1000001:${key(16)}$${key(32)}:${key(32)}`, false)
  check(`SCRAM-SHA-256$4096:${key(16)}$${key(20)}:${key(32)}`, false)
  check(`SCRAM-SHA-512$4096:${key(16)}$${key(32)}:${key(32)}`, false)
  check('', false)
})

test('with a second factor the right password is as good as none', async () => {
  const carol = { name: 'carol@example.org', password: 'database password' }
  await check(carol, 'ok carol carol@example.org')
  const security = world.host.service(loginSecurity)
  const secret = security.newSecret()
  const code = codeAt(parseSecret(secret) ?? Buffer.alloc(0), Math.floor(world.host.clock.now() / STEP_MS))
  await security.enable('carol', secret, code)
  await check(carol, '535 badcreds')
  await check({ ...carol, mechanism: 'SCRAM-SHA-1' }, '535 badcreds')
  await security.disable('carol')
  await check(carol, 'ok carol carol@example.org')
})
