// Any stream of bytes gets the same replies however it is cut into packets.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Client } from './support/client.ts'
import { settle } from './support/clock.ts'
import { Harness } from './support/harness.ts'

const word = fc.constantFrom(
  'EHLO client.example\r\n',
  'HELO x\r\n',
  'MAIL FROM:<a@example.org>\r\n',
  'MAIL FROM:<> SIZE=10\r\n',
  'MAIL FROM:<refuse@example.org>\r\n',
  'RCPT TO:<b@example.org>\r\n',
  'RCPT TO:<defer@example.org> NOTIFY=NEVER\r\n',
  'DATA\r\n',
  'Subject: x\r\n\r\n',
  '.\r\n',
  '..\r\n',
  '\r\n.\r\n',
  'a.\r',
  'RSET\r\n',
  'NOOP\r\n',
  'AUTH LOGIN\r\n',
  'AUTH PLAIN AG1qbEBleGFtcGxlLm9yZwBzZWNyZXQxMg==\r\n',
  'bWpsQGV4YW1wbGUub3Jn\r\n',
  'c2VjcmV0MTI=\r\n',
  '*\r\n',
  '\0',
  'QUIT\r\n',
)

async function replies(input: string, cuts: readonly number[]): Promise<string> {
  using harness = await Harness.start({
    listener: { kind: 'submission' },
    options: { limits: false, allowPlainAuth: 'loopback' },
  })
  using client = await Client.open(harness.port)
  await client.until(/^220/)
  const bytes = Buffer.from(input, 'latin1')
  let at = 0
  for (const cut of [...cuts, bytes.length]) {
    const to = Math.min(Math.max(cut, at), bytes.length)
    if (to > at) client.socket.write(bytes.subarray(at, to))
    at = to
    await settle(2)
  }
  client.socket.end()
  const text = await client.rest()
  return `${text}${harness.receiver.messages.map(m => m.content.toString('latin1')).join('|')}`
}

test('the same replies and messages', async () => {
  const login = 'EHLO x\r\nAUTH PLAIN AG1qbEBleGFtcGxlLm9yZwBzZWNyZXQxMg==\r\n'
  const begin = `${login}MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n`
  const start = fc.constantFrom('', 'EHLO x\r\n', login, begin, `${begin}DATA\r\n`)
  const input = fc.tuple(start, fc.array(word, { maxLength: 20 })).map(([first, rest]) => first + rest.join(''))
  const cuts = fc.array(fc.nat(400), { maxLength: 10 }).map(list => list.sort((a, b) => a - b))
  await fc.assert(
    fc.asyncProperty(input, cuts, async (text, at) => {
      expect(await replies(text, at)).toBe(await replies(text, []))
    }),
    { numRuns: 150, seed: 2 },
  )
})
