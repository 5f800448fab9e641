// The whole plugin against a real resolver: unbound on a free port, with a zone of its own and a signed one that it gets
// from a scripted server and validates. Nothing leaves the machine.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { DnsType } from '@mox/plugin-sdk'
import { describe, test } from 'vitest'
import { failure, withRig } from './support/rig.ts'
import { answer, scriptedServer } from './support/server.ts'
import { signedZone } from './support/signed-zone.ts'

const missing = spawnSync('unbound', ['-V']).error !== undefined

const config = (dir: string, port: number, upstream: string, anchor: string): string => `
server:
  directory: "${dir}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  logfile: ""
  verbosity: 1
  interface: 127.0.0.1@${port}
  do-daemonize: no
  module-config: "validator iterator"
  trust-anchor: "${anchor}"
  ede: yes
  do-not-query-localhost: no
  local-zone: "refused.test." refuse
  local-zone: "example.test." static
  local-data: "example.test. 60 IN SOA ns.example.test. host.example.test. 1 3600 900 86400 30"
  local-data: "example.test. 300 IN MX 10 Mail.example.test."
  local-data: "example.test. 300 IN MX 20 mail2.example.test."
  local-data: "mail.example.test. 120 IN A 192.0.2.25"
  local-data: "mail.example.test. 120 IN AAAA 2001:db8::25"
  local-data: "_25._tcp.mail.example.test. 120 IN TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  local-data: 'example.test. 300 IN TXT "v=spf1 " "mx -all"'
  local-data: "_imaps._tcp.example.test. 300 IN SRV 0 1 993 mail.example.test."
  local-data: "www.example.test. 90 IN CNAME mail.example.test."
${Array.from({ length: 400 }, (_, i) => `  local-data: "many.example.test. 60 IN A 198.18.${i >> 8}.${i & 255}"`).join('\n')}
  local-data: "25.2.0.192.in-addr.arpa. 300 IN PTR mail.example.test."
forward-zone:
  name: "."
  forward-addr: ${upstream.replace(':', '@')}
remote-control:
  control-enable: no
`

interface Running {
  readonly port: number
  readonly unbound: ChildProcess
}

async function startUnbound(dir: string, upstream: string, anchor: string): Promise<Running> {
  // A port that was free a moment ago.
  const placeholder = await scriptedServer()
  const port = Number(placeholder.address.split(':')[1])
  await placeholder.close()
  await writeFile(join(dir, 'unbound.conf'), config(dir, port, upstream, anchor))
  const unbound = spawn('unbound', ['-d', '-c', join(dir, 'unbound.conf')], { stdio: ['ignore', 'ignore', 'pipe'] })
  const said: string[] = []
  for await (const line of createInterface({ input: unbound.stderr })) {
    said.push(line)
    if (line.includes('start of service')) return { port, unbound }
  }
  throw new Error(`unbound did not start:\n${said.join('\n')}`)
}

describe.skipIf(missing)(missing ? 'skipped: unbound is not installed' : 'unbound', () => {
  test('answers of every kind', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'mox-unbound-'))
    const zone = signedZone('signed.example', Math.floor(Date.now() / 1000))
    const upstream = await scriptedServer(asked =>
      asked.name.toLowerCase().endsWith('signed.example') ? zone.script(asked) : answer(asked, { rcode: 5 }),
    )
    let unbound: ChildProcess | undefined
    try {
      const running = await startUnbound(dir, upstream.address, zone.anchor)
      unbound = running.unbound
      await withRig(
        [],
        async ({ resolve }) => {
          const check = async (name: string, type: DnsType, expected: string): Promise<void> => {
            const { status, canonical, records, ttl } = await resolve(name, type)
            assert.equal(`${status} ${canonical} ${JSON.stringify(records)} ${ttl}`, expected)
          }
          const { records } = await resolve('Example.Test.', 'MX')
          assert.deepEqual(
            [...records].sort((a, b) => a.preference - b.preference),
            [
              { preference: 10, exchange: 'mail.example.test' },
              { preference: 20, exchange: 'mail2.example.test' },
            ],
          )
          await check('mail.example.test', 'A', 'found mail.example.test ["192.0.2.25"] 120')
          await check('mail.example.test', 'AAAA', 'found mail.example.test ["2001:db8::25"] 120')
          await check('example.test', 'TXT', 'found example.test ["v=spf1 mx -all"] 300')
          await check('25.2.0.192.in-addr.arpa', 'PTR', 'found 25.2.0.192.in-addr.arpa ["mail.example.test"] 300')
          const srv = '[{"priority":0,"weight":1,"port":993,"target":"mail.example.test"}]'
          await check('_imaps._tcp.example.test', 'SRV', `found _imaps._tcp.example.test ${srv} 300`)
          const soa = '[{"mname":"ns.example.test","serial":1,"minimum":30}]'
          await check('example.test', 'SOA', `found example.test ${soa} 60`)
          const tlsa = (await resolve('_25._tcp.mail.example.test', 'TLSA')).records
          assert.deepEqual([tlsa.length, tlsa[0]?.usage, tlsa[0]?.data.length], [1, 3, 32])
          await check('www.example.test', 'CNAME', 'found www.example.test ["mail.example.test"] 90')
          // unbound leaves the rest of a chain of local data to us.
          await check('www.example.test', 'A', 'found mail.example.test ["192.0.2.25"] 90')
          await check('none.example.test', 'A', 'nxdomain none.example.test [] 30')
          await check('mail.example.test', 'MX', 'nodata mail.example.test [] 30')
          // Does not fit in a datagram: over TCP.
          assert.equal((await resolve('many.example.test', 'A')).records.length, 400)
          assert.equal((await failure(resolve('refused.test', 'A'))).code, 'refused')
          assert.match((await failure(resolve('example.com', 'A'))).message, /SERVFAIL/)
          // Validated, and not: unbound says which without being asked for signatures.
          const { authentic, records: addresses } = await resolve('host.signed.example', 'A')
          assert.deepEqual([authentic, addresses], [true, ['192.0.2.53']])
          assert.equal((await resolve('mail.example.test', 'A')).authentic, false)
          const { code, extended } = await failure(resolve('spoiled.signed.example', 'A'))
          assert.deepEqual([code, extended?.code], ['servfail', 6])
        },
        { servers: [`127.0.0.1:${running.port}`] },
      )
    } finally {
      if (unbound !== undefined) {
        unbound.kill()
        await once(unbound, 'exit')
      }
      await upstream.close()
      await rm(dir, { recursive: true, force: true })
    }
  })
})
