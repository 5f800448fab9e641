import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadAll, modified, prepareSelfSigned } from '../src/files.ts'
import { options } from '../src/options.ts'
import { LIFETIME, makeSelfSigned } from '../src/self-signed.ts'
import { certificateSet } from '../src/store.ts'

const NOW = Date.now()
let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mox-cert-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

describe('self-signed', () => {
  test('names, lifetime and key usage are as asked', () => {
    const c = new X509Certificate(makeSelfSigned(['localhost', '127.0.0.1', '::1', 'fe80::1:2'], NOW).certificate)
    expect(c.subject).toBe('CN=localhost')
    expect(c.subjectAltName).toBe(
      'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:FE80:0:0:0:0:0:1:2',
    )
    expect(Math.abs(Date.parse(c.validTo) - (NOW + LIFETIME))).toBeLessThan(1000)
    expect(c.ca).toBe(false)
    expect(c.verify(c.publicKey)).toBe(true)
  })

  test('is kept, and made anew when a name is missing or the end is near', async () => {
    const source = await prepareSelfSigned(dir, ['localhost'], NOW)
    const first = await readFile(join(dir, source.certificate), 'utf8')
    await prepareSelfSigned(dir, ['localhost'], NOW)
    expect(await readFile(join(dir, source.certificate), 'utf8')).toBe(first)
    await prepareSelfSigned(dir, ['localhost', 'other.test'], NOW)
    const second = await readFile(join(dir, source.certificate), 'utf8')
    expect(second).not.toBe(first)
    await prepareSelfSigned(dir, ['localhost'], NOW + LIFETIME - 86_400_000)
    expect(await readFile(join(dir, source.certificate), 'utf8')).not.toBe(second)
  })
})

describe('choice by server name', () => {
  const pair = (...names: [string, ...string[]]) => ({ source: names[0], ...makeSelfSigned(names, NOW) })
  const set = certificateSet([pair('mail.example.org'), pair('*.example.net'), pair('xn--bcher-kva.example')])
  const server = createServer({ SNICallback: (name, done) => done(null, set.context(name)) })

  async function check(servername: string, expected: string): Promise<void> {
    if (!server.listening) {
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
    }
    const { port } = server.address() as { port: number }
    const socket: TLSSocket = connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    expect(socket.getPeerCertificate().subject.CN).toBe(expected)
    socket.destroy()
  }
  test('rows', async () => {
    await check('mail.example.org', 'mail.example.org')
    await check('MAIL.example.org', 'mail.example.org')
    await check('mail.example.org.', 'mail.example.org')
    await check('a.example.net', '*.example.net')
    await check('a.b.example.net', 'mail.example.org')
    await check('xn--bcher-kva.example', 'xn--bcher-kva.example')
    await check('unknown.test', 'mail.example.org')
    server.close()
  })
})

describe('files', () => {
  async function write(name: string, certificate: string, key: string) {
    await mkdir(dir, { recursive: true })
    await writeFile(join(dir, `${name}.crt`), certificate)
    await writeFile(join(dir, `${name}.key`), key)
    return { certificate: `${name}.crt`, key: `${name}.key`, dir }
  }
  const a = makeSelfSigned(['a.test'], NOW)
  const b = makeSelfSigned(['b.test'], NOW)

  test('a change of either file shows', async () => {
    const source = await write('a', a.certificate, a.key)
    const before = await modified([source])
    expect(await modified([source])).toBe(before)
    await write('a', `${b.certificate}\n`, `${b.key}\n`)
    expect(await modified([source])).not.toBe(before)
  })

  test.each([
    ['key of another certificate', b.key, /cannot be used.*private key/s],
    ['not PEM', 'hello', /cannot be used/],
  ])('%s', async (_, key, message) => {
    const source = await write('a', a.certificate, key)
    await expect(loadAll([source])).rejects.toThrow(message)
  })

  test('missing file', async () => {
    await expect(modified([{ certificate: 'no.crt', key: 'no.key', dir }])).rejects.toThrow(
      /no\.crt cannot be read \(ENOENT\); check the path/,
    )
  })
})

test('options without any certificate say what to do', () => {
  expect(options.safeParse({}).error?.issues[0]?.message).toMatch(
    /no certificate: list at least one pair under `files`/,
  )
})
