// Clients that mean harm, or nothing in particular: every row ends, and memory stays where it was.
import { expect, test } from 'vitest'
import { AUTH_OCTETS, COMMAND_OCTETS, MAX_ERRORS, MAX_JUNK, MAX_RECIPIENTS, SIZE_SLACK } from '../src/limits.ts'
import { Client } from './support/client.ts'
import { settle } from './support/clock.ts'
import { Harness, type Setup } from './support/harness.ts'

const noLimits = { options: { limits: false } } satisfies Setup
const local = {
  listener: { kind: 'submission' },
  options: { limits: false, allowPlainAuth: 'loopback' },
} satisfies Setup

async function greeted(harness: Harness): Promise<Client> {
  const client = await Client.open(harness.port)
  await client.until(/^220/)
  await client.say('EHLO client.example')
  return client
}

/** Replies by code and enhanced code, and how many of each. */
function tally(text: string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const line of text.split('\r\n').filter(line => line !== '')) {
    const key = line.slice(0, 9)
    counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}

test('recipients: 1000, 1000 refusals, then the end', async () => {
  using harness = await Harness.start(noLimits)
  using client = await greeted(harness)
  await client.say('MAIL FROM:<a@example.org>')
  client.socket.write('RCPT TO:<b@example.org>\r\n'.repeat(100_000))
  expect(tally(await client.rest())).toEqual({ '250 2.1.5': MAX_RECIPIENTS, '452 4.5.3': 1000, '421 4.7.0': 1 })
})

test('a transaction with more than 1000 recipients delivers to the first 1000', async () => {
  using harness = await Harness.start(noLimits)
  using client = await greeted(harness)
  await client.say('MAIL FROM:<a@example.org>')
  client.socket.write('RCPT TO:<b@example.org>\r\n'.repeat(1500))
  await client.until(/(?:452 .*\r\n){500}$/)
  await client.say('DATA')
  expect(await client.say('x', '.')).toMatch(/^250 2\.0\.0/)
  expect(harness.receiver.messages[0]!.to).toHaveLength(1000)
})

test('errors and idle commands: one hundred, then the end', async () => {
  async function check(lines: readonly string[], expected: Record<string, number>): Promise<void> {
    using harness = await Harness.start(noLimits)
    using client = await greeted(harness)
    client.socket.write(lines.map(line => `${line}\r\n`).join(''))
    expect(tally(await client.rest())).toEqual(expected)
  }
  const times = (line: string): string[] => Array<string>(5000).fill(line)
  // EHLO was the first of them.
  await check(times('NOOP'), { '250 2.0.0': MAX_JUNK - 1, '421 4.7.0': 1 })
  await check(times('RSET'), { '250 2.0.0': MAX_JUNK - 1, '421 4.7.0': 1 })
  await check(times('VRFY x'), { '252 2.1.5': MAX_JUNK - 1, '421 4.7.0': 1 })
  await check(times('HELP'), { '214 2.0.0': MAX_JUNK - 1, '421 4.7.0': 1 })
  await check(times('RCPT TO:<b@example.org>'), { '503 5.5.1': MAX_ERRORS, '421 4.7.0': 1 })
  await check(times('FOO'), { '500 5.5.1': MAX_ERRORS, '421 4.7.0': 1 })
  await check(times('MAIL FROM:bad'), { '553 5.1.7': 11, '550 5.1.0': 1 })
})

test('an accepted message gives the budgets back', async () => {
  using harness = await Harness.start(noLimits)
  using client = await greeted(harness)
  for (let i = 0; i < 5; i++) {
    client.socket.write('NOOP\r\n'.repeat(98))
    await client.until(/(?:250 2\.0\.0 ok\r\n){98}$/)
    await client.say('MAIL FROM:<a@example.org>')
    await client.say('RCPT TO:<b@example.org>')
    await client.say('DATA')
    await client.say('x', '.')
  }
  expect(harness.receiver.messages).toHaveLength(5)
})

test('2,000 wrong passwords: ten are tried', async () => {
  using harness = await Harness.start(local)
  using client = await greeted(harness)
  client.socket.write('AUTH PLAIN AG1qbEBleGFtcGxlLm9yZwB3cm9uZw==\r\n'.repeat(2000))
  expect(tally(await client.rest())).toEqual({ '535 5.7.8': 10, '421 4.7.0': 1 })
})

test('failed logins take longer each time', async () => {
  using harness = await Harness.start({ ...local, options: { allowPlainAuth: 'loopback' } })
  using client = await greeted(harness)
  const wrong = async (): Promise<number> => {
    const started = harness.clock.now()
    let answered = false
    const answer = client.say('AUTH PLAIN AG1qbEBleGFtcGxlLm9yZwB3cm9uZw==').then(() => {
      answered = true
    })
    for (await settle(); !answered; await settle(3)) await harness.clock.advance(1000)
    await answer
    return (harness.clock.now() - started) / 1000
  }
  expect([await wrong(), await wrong()]).toEqual([0, 0])
  // Dripped for 25 s.
  expect(await wrong()).toBe(25)
  // A second before reading, one for the fourth failure, and dripped.
  expect(await wrong()).toBe(27)
  expect(await wrong()).toBe(28)
})

test('the command line limit, and one octet more', async () => {
  async function check(setup: Setup, line: string, first: string): Promise<void> {
    for (const cut of [0, 1, line.length - 1]) {
      using harness = await Harness.start(setup)
      using client = await greeted(harness)
      client.socket.write(line.slice(0, cut))
      await settle(5)
      client.socket.write(line.slice(cut))
      expect((await client.until(/\r\n$/)).slice(0, 9)).toBe(first)
    }
  }
  const noop = (octets: number): string => `NOOP ${'x'.repeat(octets - 7)}\r\n`
  await check(noLimits, noop(COMMAND_OCTETS), '250 2.0.0')
  await check(noLimits, noop(COMMAND_OCTETS + 1), '500 5.5.0')
  const auth = (octets: number): string => `AUTH PLAIN ${'A'.repeat(octets - 13)}\r\n`
  await check(local, auth(AUTH_OCTETS), '501 5.5.2')
  await check(local, auth(AUTH_OCTETS + 1), '500 5.5.0')
  // Delivery has no AUTH.
  await check(noLimits, auth(COMMAND_OCTETS + 1), '500 5.5.0')
})

test('the limit of an AUTH response', async () => {
  async function check(octets: number, first: string): Promise<void> {
    using harness = await Harness.start(local)
    using client = await greeted(harness)
    await client.say('AUTH PLAIN')
    expect((await client.say('A'.repeat(octets - 2))).slice(0, 9)).toBe(first)
  }
  // 12,290 octets are no multiple of four without CRLF, whatever they say.
  await check(AUTH_OCTETS, '501 5.5.2')
  await check(AUTH_OCTETS + 1, '500 5.5.0')
})

test('a line of 100 MB is not read', async () => {
  using harness = await Harness.start(noLimits)
  using client = await greeted(harness)
  client.socket.write(Buffer.alloc(100_000_000, 'x'))
  expect(tally(await client.rest())).toEqual({ '500 5.5.0': 1 })
})

test('a message within the slack is read to its end, beyond it is cut', async () => {
  async function check(octets: number, ended: boolean): Promise<void> {
    using harness = await Harness.start({ ...noLimits, listener: { maxMessageSize: 1000 } })
    using client = await greeted(harness)
    for (const line of ['MAIL FROM:<a@example.org>', 'RCPT TO:<b@example.org>', 'DATA']) await client.say(line)
    client.socket.write(Buffer.alloc(octets, 'x'))
    client.socket.write(ended ? '\r\n.\r\nNOOP\r\n' : '')
    const text = ended ? await client.until(/^250 /m) : await client.rest()
    expect(tally(text)).toEqual(ended ? { '552 5.3.4': 1, '250 2.0.0': 1 } : { '552 5.3.4': 1 })
    expect(harness.receiver.messages).toEqual([])
    expect(harness.receiver.aborted).toBe(ended ? 0 : 1)
  }
  await check(1000 + SIZE_SLACK - 2, true)
  await check(1000 + SIZE_SLACK + 1, false)
})

test('replies that are never read hold the session up, then end it', async () => {
  using harness = await Harness.start(noLimits)
  const client = await greeted(harness)
  client.socket.pause()
  // Each accepted message gives the budgets back, so that only the output can stop this.
  const message = 'MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nx\r\n.\r\n'
  const batch = Buffer.from(message.repeat(1000))
  let written = 0
  const before = process.memoryUsage().arrayBuffers
  while (written < 60_000_000 && !client.socket.writableNeedDrain) {
    client.socket.write(batch)
    written += batch.length
    await settle(50)
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(60_000_000)
  await settle(200)
  await harness.clock.advance(31_000)
  expect(harness.server.connections.size).toBe(0)
  client.socket.destroy()
}, 120_000)

test('a slow receiver holds the client up', async () => {
  using harness = await Harness.start(noLimits)
  using client = await greeted(harness)
  let release: () => void = () => {}
  harness.receiver.slowWrite = () =>
    new Promise(resolve => {
      release = resolve
    })
  for (const line of ['MAIL FROM:<a@example.org>', 'RCPT TO:<b@example.org>', 'DATA']) await client.say(line)
  client.socket.write(Buffer.alloc(50_000_000, 'x'))
  await settle(50)
  const [connection] = harness.server.connections
  expect(connection!._socket.bytesRead).toBeLessThan(1_000_000)
  harness.receiver.slowWrite = undefined
  release()
  client.socket.write('\r\n.\r\n')
  expect(await client.until(/\r\n$/)).toMatch(/^250/)
  expect(harness.receiver.messages[0]!.content).toHaveLength(50_000_002)
})

test('the client goes away in the middle of a message', async () => {
  for (const reset of [false, true]) {
    using harness = await Harness.start(noLimits)
    const client = await greeted(harness)
    for (const line of ['MAIL FROM:<a@example.org>', 'RCPT TO:<b@example.org>', 'DATA']) await client.say(line)
    client.socket.write('Subject: x\r\n\r\n.')
    await settle()
    if (reset) client.socket.resetAndDestroy()
    else client.socket.end()
    while (harness.server.connections.size > 0 || !harness.receiver.sessions[0]!.closed) await settle(5)
    expect(harness.receiver.messages).toEqual([])
    expect(harness.receiver.aborted).toBe(1)
    client.socket.destroy()
  }
})

test('the listener survives a receiver that refuses, defers and fails at the greeting', async () => {
  async function check(greeting: Harness['receiver']['greeting'], expected: string): Promise<void> {
    using harness = await Harness.start(noLimits)
    harness.receiver.greeting = greeting
    using client = await Client.open(harness.port)
    expect(await client.rest()).toBe(expected)
  }
  await check({ code: 554, enhanced: '5.7.1', text: 'not you' }, '554 5.7.1 not you (id1)\r\n')
  await check({ code: 421, enhanced: '4.3.0', text: 'later' }, '421 4.3.0 later (id1)\r\n')
  await check('throw', '421 4.3.0 error on our side (id1)\r\n')
})
