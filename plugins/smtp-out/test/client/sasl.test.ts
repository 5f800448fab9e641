// Mechanisms against the examples of their RFCs, against our own server side, and against servers that cheat.
import { deepStrictEqual, ok, rejects, strictEqual, throws } from 'node:assert/strict'
import { afterAll, beforeAll, test } from 'vitest'
import { context, openWorld, PASSWORD, type World } from '../../../accounts/test/support/world.ts'
import { ITERATIONS_MAXIMUM, ITERATIONS_MINIMUM } from '../../src/client/limits.ts'
import { type Connection, chooseMechanism } from '../../src/client/sasl/choose.ts'
import { type Mechanism, SaslError } from '../../src/client/sasl/mechanism.ts'
import { saslPrep } from '../../src/client/sasl/prepare.ts'
import { type ChannelBinding, Scram, type ScramHash } from '../../src/client/sasl/scram.ts'
import { cramMd5, login, plain } from '../../src/client/sasl/simple.ts'

const answer = async (mechanism: Mechanism, challenge: string): Promise<string> =>
  (await mechanism.respond(Buffer.from(challenge))).toString()

async function checkScram(
  hash: ScramHash,
  nonce: string,
  dialogue: readonly [clientFirst: string, serverFirst: string, clientFinal: string, serverFinal: string],
): Promise<void> {
  const scram = new Scram({ hash, username: 'user', password: 'pencil', binding: { kind: 'none' }, nonce })
  strictEqual(scram.first.toString(), dialogue[0])
  strictEqual(await answer(scram, dialogue[1]), dialogue[2])
  strictEqual(scram.complete, false)
  strictEqual(await answer(scram, dialogue[3]), '')
  strictEqual(scram.complete, true)
  await rejects(answer(scram, ''), SaslError)
}

test('RFC 5802 §5', async () => {
  const nonce = 'fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j'
  await checkScram('SHA-1', 'fyko+d2lbbFgONRv9qkxdawL', [
    'n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL',
    `r=${nonce},s=QSXCR+Q6sek8bf92,i=4096`,
    `c=biws,r=${nonce},p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=`,
    'v=rmF9pqV8S7suAoZWja4dJRkFsKQ=',
  ])
})

test('RFC 7677 §3', async () => {
  const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
  await checkScram('SHA-256', 'rOprNGfwEbeRWgbNEkqO', [
    'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
    `r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`,
    `c=biws,r=${nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`,
    'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  ])
})

test('RFC 2195 §2, RFC 4616 §4, LOGIN', async () => {
  const cram = cramMd5('tim', 'tanstaaftanstaaf')
  strictEqual(cram.first, undefined)
  strictEqual(await answer(cram, '<1896.697170952@postoffice.reston.mci.net>'), 'tim b913a602c7eda7a495b4e6e7334d3890')
  await rejects(answer(cram, 'more'), SaslError)
  strictEqual(plain('tim', 'tanstaaftanstaaf').first?.toString(), '\0tim\0tanstaaftanstaaf')
  await rejects(answer(plain('tim', 'x'), ''), SaslError)
  const simple = login('tim', 'x')
  strictEqual(simple.first, undefined)
  deepStrictEqual([await answer(simple, 'User Name'), await answer(simple, 'Password')], ['tim', 'x'])
  await rejects(answer(simple, 'Again'), SaslError)
})

const make = (binding: ChannelBinding = { kind: 'none' }, username = 'user'): Scram =>
  new Scram({ hash: 'SHA-256', username, password: 'pencil', binding, nonce: 'abc' })

test('what a SCRAM server may not say', async () => {
  const check = async (serverFirst: string, expected: RegExp): Promise<void> =>
    await rejects(answer(make(), serverFirst), { name: 'SaslError', message: expected })
  const salt = 's=QSXCR+Q6sek8bf92'
  await check('', /does not keep to SCRAM/)
  await check(`r=abcdef,${salt}`, /does not keep/)
  await check(`m=x,r=abcdef,${salt},i=4096`, /does not keep/)
  await check(`r=abcdef,s=???,i=4096`, /does not keep/)
  await check(`r=abcdef,${salt},i=04096`, /does not keep/)
  await check(`r=abcdef,${salt},i=99999999999`, /does not keep/)
  await check(`r=abc def,${salt},i=4096`, /does not keep/)
  await check(`r=abc,${salt},i=4096`, /not ours/)
  await check(`r=xabc,${salt},i=4096`, /not ours/)
  await check(`r=abcd,${salt},i=${ITERATIONS_MINIMUM - 1}`, /4095 iterations/)
  await check(`r=abcd,${salt},i=${ITERATIONS_MAXIMUM + 1}`, /1000001 iterations/)
  ok((await answer(make(), `r=abcd,${salt},i=${ITERATIONS_MINIMUM}`)).startsWith('c=biws,r=abcd,p='))
  ok((await answer(make(), `r=abcd,${salt},i=${ITERATIONS_MINIMUM},x=future`)).startsWith('c=biws,r=abcd,p='))

  const final = async (text: string): Promise<void> => {
    const scram = make()
    await answer(scram, `r=abcd,${salt},i=4096`)
    await rejects(answer(scram, text), SaslError)
    strictEqual(scram.complete, false)
  }
  await final('')
  await final('v=')
  await final('v=AAAA')
  await final(`v=${Buffer.alloc(32).toString('base64')}`)
  await final('e=invalid-proof')
})

test('the largest number of iterations is computed', async () => {
  const proof = await answer(make(), `r=abcd,s=QSXCR+Q6sek8bf92,i=${ITERATIONS_MAXIMUM}`)
  ok(proof.startsWith('c=biws,r=abcd,p='))
})

test('names and channel bindings in the first message', () => {
  const check = (binding: ChannelBinding, name: string, expected: string): void =>
    strictEqual(make(binding, name).first.toString(), expected)
  check({ kind: 'none' }, 'a=b,c', 'n,,n=a=3Db=2Cc,r=abc')
  check({ kind: 'unseen' }, 'user', 'y,,n=user,r=abc')
  check({ kind: 'bound', type: 'tls-exporter', data: Buffer.from('x') }, 'user', 'p=tls-exporter,,n=user,r=abc')
})

test('which mechanism is used', () => {
  const everything = 'SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN'
  const binding = { type: 'tls-exporter', data: Buffer.from('x') }
  const check = (announced: string, allowed: string, connection: Partial<Connection>, expected: string): void => {
    const mechanism = chooseMechanism(
      { username: 'user', password: 'pencil', mechanisms: allowed.split(' ') },
      { announced: announced.split(' '), binding: undefined, secret: false, ...connection },
    )
    const first = mechanism?.first?.toString() ?? ''
    const flag = mechanism?.name.startsWith('SCRAM') === true ? ` ${first.slice(0, first.indexOf(','))}` : ''
    strictEqual(`${mechanism?.name}${flag}`, expected, `${announced} / ${allowed}`)
  }
  check(everything, everything, { binding, secret: true }, 'SCRAM-SHA-256-PLUS p=tls-exporter')
  check(everything, everything, {}, 'SCRAM-SHA-256 n')
  check('SCRAM-SHA-256 PLAIN', everything, { binding, secret: true }, 'SCRAM-SHA-256 y')
  check('SCRAM-SHA-1 SCRAM-SHA-1-PLUS', everything, { binding, secret: true }, 'SCRAM-SHA-1-PLUS p=tls-exporter')
  // The server would take "y" for an attack: it did announce -PLUS.
  check(everything, 'SCRAM-SHA-256', { binding, secret: true }, 'SCRAM-SHA-256 n')
  check('CRAM-MD5 PLAIN', everything, { binding, secret: true }, 'CRAM-MD5')
  check('PLAIN LOGIN', 'LOGIN PLAIN', { secret: true }, 'LOGIN')
  check('PLAIN LOGIN', everything, { secret: true }, 'PLAIN')
  check('PLAIN LOGIN', everything, {}, 'undefined')
  check('PLAIN LOGIN', 'SCRAM-SHA-256', { secret: true }, 'undefined')
  check('XOAUTH2 SCRAM-SHA-512', 'XOAUTH2 SCRAM-SHA-512', { secret: true }, 'undefined')
})

test('SASLprep', () => {
  // RFC 4013 §3.
  const check = (text: string, expected: string): void => strictEqual(saslPrep(text), expected)
  check('I\u00adX', 'IX')
  check('user', 'user')
  check('USER', 'USER')
  check('\u00aa', 'a')
  check('\u2168', 'IX')
  check('a\u00a0b', 'a b')
  check('pa\u0308ss', 'p\u00e4ss')
  for (const bad of ['', '\u0007', '\u00ad', 'a\0b', '\ufffd', '\ud800']) throws(() => saslPrep(bad), SaslError)
})

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(async () => await world.close())

/** How a login at our own server side ends. */
async function logIn(mechanism: Mechanism, fields: Parameters<typeof context>[0] = {}): Promise<string> {
  const exchange = world.directory.sasl(mechanism.name, context(fields))
  let response: Buffer | null = mechanism.first ?? null
  for (;;) {
    const step = await exchange?.step(response)
    if (step === undefined) return 'unknown'
    if (step.kind === 'done') {
      if (!step.result.ok) return step.result.result
      if (step.data !== undefined) await mechanism.respond(step.data)
      return mechanism.complete ? 'ok' : 'incomplete'
    }
    response = await mechanism.respond(step.data)
  }
}

test('against our own server side', async () => {
  const channelBinding = (type: string): Buffer | undefined =>
    type === 'tls-exporter' ? Buffer.alloc(32, 7) : undefined
  const check = async (
    mechanism: string,
    expected: string,
    { password = PASSWORD, announced = mechanism, data = Buffer.alloc(32, 7) } = {},
  ): Promise<void> => {
    const chosen = chooseMechanism(
      { username: 'alice@example.org', password, mechanisms: [mechanism] },
      { announced: announced.split(' '), binding: { type: 'tls-exporter', data }, secret: true },
    )
    ok(chosen !== undefined)
    strictEqual(await logIn(chosen, { channelBinding }), expected, mechanism)
  }
  const all = world.directory.mechanisms({ tls: true, allowPlain: false }).join(' ')
  for (const mechanism of ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'SCRAM-SHA-1-PLUS', 'SCRAM-SHA-1', 'PLAIN', 'LOGIN'])
    await check(mechanism, 'ok', { announced: all })
  await check('SCRAM-SHA-256', 'badcreds', { announced: all, password: 'wrong horse' })
  // Somebody between us changed the list, or the connection.
  await check('SCRAM-SHA-256', 'badchanbind')
  await check('SCRAM-SHA-256-PLUS', 'badchanbind', { announced: all, data: Buffer.alloc(32, 8) })
})
