// What happens around sessions: limits per client, shutdown, metrics, logs.
import { expect, test } from 'vitest'
import { Client } from './support/client.ts'
import { settle } from './support/clock.ts'
import { Harness, type Setup } from './support/harness.ts'

/** What `count` connections in a row are greeted with. */
async function greetings(harness: Harness, count: number): Promise<string[]> {
  const lines: string[] = []
  for (let i = 0; i < count; i++) {
    using client = await Client.open(harness.port)
    lines.push((await client.until(/\r\n$/)).slice(0, 9))
  }
  return lines
}

test('connections per minute at the limit, beyond it, and in the next minute', async () => {
  using harness = await Harness.start({ options: { limits: { connectionsPerMinute: 3 } } })
  expect(await greetings(harness, 5)).toEqual(['220 mail.', '220 mail.', '220 mail.', '421 4.7.0', '421 4.7.0'])
  await harness.clock.advance(60_000)
  expect(await greetings(harness, 1)).toEqual(['220 mail.'])
})

test('open connections at the limit and beyond it', async () => {
  using harness = await Harness.start({ options: { limits: { openConnections: 2 } } })
  using first = await Client.open(harness.port)
  using second = await Client.open(harness.port)
  await first.until(/^220/)
  await second.until(/^220/)
  expect(await greetings(harness, 1)).toEqual(['421 4.7.0'])
  await first.say('QUIT')
  first.socket.destroy()
  await settle()
  expect(await greetings(harness, 1)).toEqual(['220 mail.'])
})

test('with implicit TLS a client over its limit is closed without a handshake', async () => {
  using harness = await Harness.start({
    listener: { kind: 'submission', tls: 'implicit' },
    options: { limits: { openConnections: 1 } },
  })
  using first = await Client.open(harness.port, {})
  await first.until(/^220/)
  await expect(Client.open(harness.port, {})).rejects.toThrow()
})

test('too many failed logins count on submission only', async () => {
  async function check(listener: Setup['listener'], expected: string): Promise<void> {
    using harness = await Harness.start({ listener: listener! })
    harness.directory.limitedIps.add('127.0.0.1')
    using client = await Client.open(harness.port, listener!.tls === 'implicit' ? {} : undefined)
    expect(await client.until(/\r\n$/)).toBe(expected)
  }
  await check({ kind: 'submission' }, '421 4.7.0 too many failed logins (id1)\r\n')
  await check({ kind: 'submission', tls: 'implicit' }, '421 4.7.0 too many failed logins (id1)\r\n')
  await check({ kind: 'delivery' }, '220 mail.example ESMTP mox\r\n')
})

test('two thousand connections from this machine when limits are off', async () => {
  using harness = await Harness.start({ options: { limits: false } })
  const clients = await Promise.all(Array.from({ length: 2000 }, () => Client.open(harness.port)))
  await Promise.all(clients.map(client => client.until(/^220/)))
  expect(harness.server.connections.size).toBe(2000)
  for (const client of clients) client.socket.destroy()
  while (harness.server.connections.size > 0) await settle(5)
  expect(harness.receiver.sessions.every(session => session.closed)).toBe(true)
})

test('shutdown waits for transactions until its signal, then cuts them', async () => {
  using harness = await Harness.start()
  using client = await Client.open(harness.port)
  await client.until(/^220/)
  await client.say('HELO client.example')
  await client.say('MAIL FROM:<a@example.org>')
  const stop = new AbortController()
  let drained = false
  const drain = harness.server.drain(stop.signal).then(() => {
    drained = true
  })
  await settle()
  expect(drained).toBe(false)
  await expect(Client.open(harness.port)).rejects.toThrow()
  stop.abort()
  expect(await client.rest()).toBe('421 4.3.2 shutting down (id1)\r\n')
  await drain
})

test('shutdown with nobody there', async () => {
  using harness = await Harness.start()
  await harness.server.drain(new AbortController().signal)
})

test('metrics', async () => {
  using harness = await Harness.start()
  using client = await Client.open(harness.port)
  await client.until(/^220/)
  await client.say('HELO client.example')
  await client.say('MAIL FROM:<a@example.org>')
  await client.say('RCPT TO:<refuse@example.org>')
  await client.say('RCPT TO:<b@example.org>')
  await client.say('DATA')
  await client.say('.')
  await client.say('MAGIC')
  expect(Object.fromEntries(harness.counts)).toEqual({
    'mox_smtpserver_connection_total{kind=delivery}': 1,
    'mox_smtpserver_command_duration_seconds{kind=delivery,cmd=helo,code=250,ecode=}': 1,
    'mox_smtpserver_command_duration_seconds{kind=delivery,cmd=mail,code=250,ecode=2.1.0}': 1,
    'mox_smtpserver_command_duration_seconds{kind=delivery,cmd=rcpt,code=550,ecode=5.1.1}': 1,
    'mox_smtpserver_command_duration_seconds{kind=delivery,cmd=rcpt,code=250,ecode=2.1.5}': 1,
    'mox_smtpserver_command_duration_seconds{kind=delivery,cmd=data,code=354,ecode=}': 1,
    'mox_smtpserver_command_duration_seconds{kind=delivery,cmd=unknown,code=500,ecode=5.5.1}': 1,
    'mox_smtpserver_delivery_total{result=ok,reason=accepted}': 1,
  })
})

test('protocol text at trace level, without secrets', async () => {
  using harness = await Harness.start({
    listener: { kind: 'submission' },
    options: { limits: false, allowPlainAuth: 'loopback' },
  })
  using client = await Client.open(harness.port)
  await client.until(/^220/)
  await client.say('EHLO client.example')
  const secret = 'AG1qbEBleGFtcGxlLm9yZwB3cm9uZw=='
  await client.say(`AUTH PLAIN ${secret}`)
  await client.say(`auth  PLAIN  ${secret}`)
  await client.say(` AUTH PLAIN ${secret}`)
  await client.say('AUTH PLAIN')
  await client.say(secret)
  const lines = harness.lines.filter(line => line.level === 'trace').map(line => `${line.text} ${line.fields['line']}`)
  expect(lines.filter(line => line.startsWith('client'))).toEqual([
    'client EHLO client.example',
    'client AUTH PLAIN ***',
    'client auth  PLAIN ***',
    'client  AUTH PLAIN ***',
    'client AUTH PLAIN',
    'client ***',
  ])
  expect(JSON.stringify(harness.lines)).not.toContain(secret)
  expect(harness.lines.every(line => typeof line.fields['cid'] === 'string')).toBe(true)
})
