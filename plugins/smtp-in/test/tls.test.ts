// STARTTLS injections, failed handshakes, session tickets, channel bindings and SCRAM over them.
import { connect as connectTcp } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { handshakeFailure } from '../src/tls.ts'
import { Client } from './support/client.ts'
import { settle } from './support/clock.ts'
import { type Hash, ITERATIONS, SALT, scramProofs } from './support/fakes.ts'
import { Harness } from './support/harness.ts'

/** Sent in the clear right behind STARTTLS. */
const INJECTIONS: readonly string[] = [
  'NOOP\r\n',
  'EHLO evil.example\r\n',
  'HELO evil.example\r\n',
  'MAIL FROM:<evil@example.org>\r\n',
  'EHLO evil.example\r\nMAIL FROM:<evil@example.org>\r\nRCPT TO:<b@example.org>\r\n',
  'RSET\r\n',
  'QUIT\r\n',
  'AUTH PLAIN AG1qbEBleGFtcGxlLm9yZwBzZWNyZXQxMg==\r\n',
  'DATA\r\nSubject: evil\r\n\r\nx\r\n.\r\n',
  'STARTTLS\r\n',
  'NOOP',
  'MAIL FROM:<evil',
  '\r\n',
  `${'NOOP\r\n'.repeat(300)}`,
]

const TIMINGS = ['same packet', 'next packet', 'after the reply'] as const

test('there are 14 injections', () => expect(INJECTIONS.length).toBe(14))

describe.each(TIMINGS)('injected in the %s', timing => {
  test.each(INJECTIONS.map((text, i) => [i, text] as const))('%d', async (_i, text) => {
    using harness = await Harness.start({ listener: { tls: 'starttls' }, options: { limits: false } })
    using client = await Client.open(harness.port)
    await client.until(/^220/)
    await client.say('HELO client.example')
    if (timing === 'same packet') client.socket.write(`STARTTLS\r\n${text}`)
    else {
      client.socket.write('STARTTLS\r\n')
      if (timing === 'next packet') client.socket.write(text)
    }
    expect(await client.until(/\r\n$/)).toBe('220 2.0.0 go ahead\r\n')
    if (timing === 'after the reply') client.socket.write(text)
    const secured = await client.startTls().catch(() => undefined)
    const session = harness.receiver.sessions[0]!
    if (secured === undefined) {
      // Garbage in front of the handshake: no session comes of it.
      await settle()
      expect(harness.server.connections.size).toBe(0)
      return
    }
    // The first reply within TLS is the one to the first command within TLS, and nothing is remembered.
    expect(await client.say('MAIL FROM:<a@example.org>')).toBe('503 5.5.1 say EHLO first (id1)\r\n')
    expect(session.info.helo).toBe('')
    expect(session.info.tls?.version).toBe('TLSv1.3')
    expect(await client.say('HELO client.example')).toBe('250 mail.example\r\n')
    expect(harness.receiver.messages).toEqual([])
  })
})

describe('failed handshakes are counted by reason', () => {
  async function check(send: (client: Client) => void, reason: string): Promise<void> {
    using harness = await Harness.start({ listener: { tls: 'starttls' } })
    using client = await Client.open(harness.port)
    await client.until(/^220/)
    await client.say('HELO client.example')
    await client.say('STARTTLS')
    send(client)
    await client.rest()
    await settle()
    expect(harness.counts.get('mox_smtpserver_delivery_starttls_total{}')).toBe(1)
    const failed = [...harness.counts].filter(([key]) =>
      key.startsWith('mox_smtpserver_delivery_starttls_errors_total'),
    )
    expect(failed).toEqual([[`mox_smtpserver_delivery_starttls_errors_total{reason=${reason}}`, 1]])
    expect(harness.server.connections.size).toBe(0)
  }

  test('the client goes', async () => await check(client => client.socket.end(), 'eof'))
  test('not TLS', async () => await check(client => client.socket.write('EHLO client.example\r\n'), 'nottls'))
  test('an old version', async () => {
    // A TLS 1.0 ClientHello.
    const hello = Buffer.concat([
      Buffer.from('160301002d010000290301', 'hex'),
      Buffer.alloc(32, 7),
      Buffer.from('000002002f0100', 'hex'),
    ])
    await check(client => client.socket.write(hello), 'unsupportedversions')
  })
  test('the client refuses our certificate', async () => {
    const alert = (client: Client): void => {
      client.socket.removeAllListeners('error')
      const secure = connectTls({
        socket: client.socket,
        maxVersion: 'TLSv1.2',
        ciphers: 'ECDHE-RSA-AES128-GCM-SHA256',
      })
      secure.on('error', () => client.socket.destroy())
    }
    await check(alert, 'other')
  })
  test('time is up', async () => {
    using harness = await Harness.start({ listener: { tls: 'starttls' } })
    using client = await Client.open(harness.port)
    await client.until(/^220/)
    await client.say('HELO client.example')
    await client.say('STARTTLS')
    await harness.clock.advance(61_000)
    expect(await client.rest()).toBe('')
  })
})

test('labels of handshake failures', () => {
  const failure = (code: string, message: string = ''): string =>
    handshakeFailure(Object.assign(new Error(message), { code }))
  expect(handshakeFailure(undefined)).toBe('eof')
  expect(failure('ECONNRESET')).toBe('eof')
  expect(failure('ERR_TLS_HANDSHAKE_TIMEOUT')).toBe('timeout')
  expect(failure('ERR_SSL_WRONG_VERSION_NUMBER')).toBe('nottls')
  expect(failure('ERR_SSL_UNSUPPORTED_PROTOCOL')).toBe('unsupportedversions')
  expect(failure('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'tlsv1 alert unknown ca:SSL alert number 48')).toBe(
    'alert-48-unknown-ca',
  )
  expect(failure('ERR_SSL_SOMETHING_ELSE')).toBe('other')
})

test('the server name is asked for at every handshake', async () => {
  using harness = await Harness.start({ listener: { kind: 'submission', tls: 'implicit' } })
  using _named = await Client.open(harness.port, { servername: 'mail.example' })
  using unnamed = await Client.open(harness.port, {})
  await unnamed.until(/^220/)
  expect(harness.certificates.asked).toContain('mail.example')
  expect(harness.certificates.asked).toContain(undefined)
})

test('certificates that fail cost a handshake, not the process', async () => {
  for (const tls of ['implicit', 'starttls'] as const) {
    using harness = await Harness.start({ listener: { tls } })
    harness.certificates.context = () => {
      throw new Error('key file is gone')
    }
    if (tls === 'implicit') await expect(Client.open(harness.port, {})).rejects.toThrow()
    else {
      using client = await Client.open(harness.port)
      await client.until(/^220/)
      await client.say('HELO client.example')
      await client.say('STARTTLS')
      await expect(client.startTls()).rejects.toThrow()
    }
    await settle()
    expect(harness.counts.get('mox_smtpserver_errors_total{error=certificates}')).toBe(1)
    expect(harness.server.connections.size).toBe(0)
  }
})

test('TLS 1.1 is refused', async () => {
  using harness = await Harness.start({ listener: { kind: 'submission', tls: 'implicit' } })
  const old: ConnectionOptions = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' }
  await expect(Client.open(harness.port, old)).rejects.toThrow()
  expect(harness.receiver.sessions).toEqual([])
})

/** Whether a second handshake with the first one's ticket is an abbreviated one. */
async function resumes(kind: 'delivery' | 'submission'): Promise<boolean> {
  using harness = await Harness.start({ listener: { kind, tls: 'implicit' } })
  using first = await Client.open(harness.port, { maxVersion: 'TLSv1.2' })
  await first.until(/^220/)
  const session = (first.socket as TLSSocket).getSession()!
  using second = await Client.open(harness.port, { maxVersion: 'TLSv1.2', session })
  await second.until(/^220/)
  return (second.socket as TLSSocket).isSessionReused()
}

test('session tickets for submission, none for delivery', async () => {
  expect(await resumes('submission')).toBe(true)
  expect(await resumes('delivery')).toBe(false)
})

describe('SCRAM', () => {
  type Binding = 'tls-exporter' | 'tls-unique' | undefined

  function bindingData(socket: TLSSocket, type: Binding): Buffer {
    if (type === 'tls-exporter') return socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
    if (type === 'tls-unique') return (socket.isSessionReused() ? socket.getPeerFinished() : socket.getFinished())!
    return Buffer.alloc(0)
  }

  /** A whole login: the reply to the last message. RFC 5802 §5. */
  async function login(client: Client, hash: Hash, type: Binding, spoil: boolean = false): Promise<string> {
    await client.until(/^220/)
    await client.say('EHLO client.example')
    const gs2 = type === undefined ? 'n,,' : `p=${type},,`
    const bare = 'n=mjl@example.org,r=client'
    const mechanism = `SCRAM-SHA-${hash === 'sha1' ? '1' : '256'}${type === undefined ? '' : '-PLUS'}`
    const base64 = (text: string | Buffer): string => Buffer.from(text as string).toString('base64')
    const first = await client.say(`AUTH ${mechanism} ${base64(gs2 + bare)}`)
    const serverFirst = Buffer.from(first.slice(4), 'base64').toString()
    expect(serverFirst).toBe(`r=clientserver,s=${SALT.toString('base64')},i=${ITERATIONS}`)
    const data = bindingData(client.socket as TLSSocket, type)
    const binding = base64(Buffer.concat([Buffer.from(gs2), spoil ? Buffer.alloc(data.length) : data]))
    const withoutProof = `c=${binding},r=clientserver`
    const { proof, server } = scramProofs(hash, `${bare},${serverFirst},${withoutProof}`)
    const final = await client.say(base64(`${withoutProof},p=${base64(proof)}`))
    if (!final.startsWith('334 ')) return final
    expect(Buffer.from(final.slice(4), 'base64').toString()).toBe(`v=${base64(server)}`)
    return await client.say('')
  }

  const welcome = '235 2.7.0 welcome\r\n'
  const start = (): Promise<Harness> => Harness.start({ listener: { kind: 'submission', tls: 'implicit' } })

  test.each([
    ['sha256', undefined, undefined],
    ['sha1', undefined, undefined],
    ['sha256', 'tls-exporter', 'TLSv1.3'],
    ['sha1', 'tls-exporter', 'TLSv1.3'],
    ['sha256', 'tls-unique', 'TLSv1.2'],
    ['sha1', 'tls-unique', 'TLSv1.2'],
  ] as const)('%s with binding %s', async (hash, type, version) => {
    using harness = await start()
    using client = await Client.open(harness.port, version === undefined ? {} : { maxVersion: version })
    expect(await login(client, hash, type)).toBe(welcome)
    expect(harness.receiver.sessions[0]!.info.account).toBe('mjl')
  })

  test('tls-unique on a resumed connection', async () => {
    using harness = await start()
    using first = await Client.open(harness.port, { maxVersion: 'TLSv1.2' })
    await first.until(/^220/)
    const session = (first.socket as TLSSocket).getSession()!
    using client = await Client.open(harness.port, { maxVersion: 'TLSv1.2', session })
    expect((client.socket as TLSSocket).isSessionReused()).toBe(true)
    expect(await login(client, 'sha256', 'tls-unique')).toBe(welcome)
  })

  test('a wrong binding, and binding types that do not go with the TLS version', async () => {
    using harness = await start()
    using wrong = await Client.open(harness.port, {})
    expect(await login(wrong, 'sha256', 'tls-exporter', true)).toMatch(/^535 5\.7\.8/)
    const binding = harness.directory.contexts[0]!.channelBinding!
    expect(binding('tls-exporter')).toHaveLength(32)
    expect(binding('tls-unique')).toBeUndefined()
    expect(binding('tls-server-end-point')).toBeUndefined()
    using old = await Client.open(harness.port, { maxVersion: 'TLSv1.2' })
    expect(await login(old, 'sha256', 'tls-unique', true)).toMatch(/^535 5\.7\.8/)
    expect(harness.directory.contexts[1]!.channelBinding!('tls-exporter')).toBeUndefined()
  })

  test('the last message wants an empty answer', async () => {
    using harness = await start()
    using client = await Client.open(harness.port, {})
    const say = client.say.bind(client)
    client.say = async (...lines) => await say(...lines.map(line => (line === '' ? 'eA==' : line)))
    expect(await login(client, 'sha256', undefined)).toMatch(/^501 5\.5\.2 expected an empty response/)
    expect(harness.receiver.sessions[0]!.info.account).toBeUndefined()
  })
})

test('a client that connects and leaves before the handshake is done', async () => {
  using harness = await Harness.start({ listener: { kind: 'submission', tls: 'implicit' } })
  const socket = connectTcp({ host: '127.0.0.1', port: harness.port })
  await new Promise(resolve => socket.once('connect', resolve))
  socket.end('\x16')
  await new Promise(resolve => socket.once('close', resolve))
  await settle()
  expect(harness.counts.get('mox_smtpserver_errors_total{error=tls-eof}')).toBe(1)
  expect(harness.server._pendingSockets.size).toBe(0)
})
