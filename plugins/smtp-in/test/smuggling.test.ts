// Sequences that look like the end of a message to somebody: none ends it here, and none gets into a stored message.
import { expect, test } from 'vitest'
import { Client } from './support/client.ts'
import { settle } from './support/clock.ts'
import { Harness } from './support/harness.ts'

const LOOK_ALIKES: readonly string[] = [
  '\n.\n',
  '\n.\r\n',
  '\r\n.\n',
  '\r.\r',
  '\r.\r\n',
  '\r\n.\r',
  '\r.\n',
  '\n.\r',
  '\n\n.\n\n',
  '\n\n.\r\n',
  '\r\r.\r\r',
  '\n\r.\n\r',
  '\n\r.\r\n',
  '\r\n.\n\r',
  '\r\n.\r\r\n',
  '\r\n.\0\r\n\n',
  '\0\n.\r\n',
  '\r\n\0.\r\n\n',
  '\r\n.\0\n',
  '\r\0\n.\r\n',
  '\r\n.\r\0\n',
  '\n.\0\r\n',
  '\n..\r\n',
  '\n..\n',
  '\r..\r\n',
  '\r\n..\n',
  '\r\n..\r',
  '\r\n .\n',
  '\r\n.\t\n',
  '\x85.\x85\n',
  '\n.\x85',
  '\x0b\n.\x0b\r\n',
  '\x0c\n.\x0c\r\n',
]
const INJECTED = 'MAIL FROM:<smuggled@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nsmuggled\r\n'

/** Sends the look-alike in the middle of a message, then the real end; both replies that follow. */
async function attempt(
  sequence: string,
  cut: 'whole' | 'octets' | 'split',
): Promise<{ replies: string; stored: number }> {
  using harness = await Harness.start({ options: { limits: false } })
  using client = await Client.open(harness.port)
  await client.until(/^220/)
  await client.say('HELO client.example')
  await client.say('MAIL FROM:<a@example.org>')
  await client.say('RCPT TO:<b@example.org>')
  await client.say('DATA')
  const before = Buffer.from('Subject: x\r\n\r\nhello')
  const middle = Buffer.from(sequence, 'latin1')
  const after = Buffer.from(`${INJECTED}.\r\nNOOP\r\n`)
  const pieces =
    cut === 'whole'
      ? [Buffer.concat([before, middle, after])]
      : cut === 'octets'
        ? [before, ...[...middle].map(octet => Buffer.of(octet)), after]
        : [
            Buffer.concat([before, middle.subarray(0, middle.length >> 1)]),
            Buffer.concat([middle.subarray(middle.length >> 1), after]),
          ]
  for (const piece of pieces) {
    client.socket.write(piece)
    await settle(3)
  }
  const replies = await client.until(/^250 2\.0\.0 ok\r\n/m)
  return { replies, stored: harness.receiver.messages.length }
}

test('there are 33 of them', () => {
  expect(new Set(LOOK_ALIKES).size).toBe(33)
})

test.each(['whole', 'octets', 'split'] as const)('look-alikes %s', async cut => {
  for (const sequence of LOOK_ALIKES) {
    const { replies, stored } = await attempt(sequence, cut)
    const lines = replies.split('\r\n').filter(line => line !== '')
    expect({ sequence, stored, lines: lines.length, first: lines[0]?.slice(0, 9) }).toEqual({
      sequence,
      stored: 0,
      lines: 2,
      first: '500 5.5.2',
    })
  }
})
