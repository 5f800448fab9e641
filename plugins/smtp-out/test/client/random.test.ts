// Servers that say anything at any time: whatever they do, each recipient is told something, nothing hangs, and nobody is said
// to have a message that the server did not take.
import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'vitest'
import type { Behaviour, Said } from '../support/peer.ts'
import { run } from '../support/run.ts'

const ODD: readonly Said[] = [
  '250 ok',
  '250-two\n250 lines',
  '251 fine',
  '354 go',
  '334 ',
  '421 bye!close',
  '421 bye',
  '450 later',
  '452 4.5.3 enough',
  '503 order',
  '550 5.1.1 no',
  '552 5.3.4 big',
  'nonsense',
  '250-a\n550 b',
  '250 a\n250 b',
  '250-unfinished',
  '250 ok!close',
  '250 ok!reset',
  '!close',
  '!reset',
  '!half',
  '!stall',
  Buffer.from('250 half a li'),
  Buffer.from([255, 0, 13, 10]),
]
const odd = fc.constantFrom(...ODD)
/** Mostly as it should be. */
const answers = (good: Said) =>
  fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant(good) }, { weight: 1, arbitrary: odd }), {
    minLength: 1,
    maxLength: 5,
  })

const behaviours: fc.Arbitrary<Behaviour> = fc.record({
  mail: answers('250 2.1.0 ok'),
  rcpt: answers('250 2.1.5 ok'),
  data: answers('354 go'),
  end: answers('250 2.0.0 taken'),
  rset: answers('250 2.0.0 ok'),
  octets: fc.boolean(),
  extensions: fc.subarray(['PIPELINING', 'ENHANCEDSTATUSCODES', 'LIMITS RCPTMAX=2', 'LIMITS MAILMAX=2']),
})

test('random servers', async () => {
  await fc.assert(
    fc.asyncProperty(behaviours, async server => {
      const to = ['a@example.com', 'b@example.com', 'c@example.com']
      const { peer, clock, answers, error } = await run({ name: '', server, to }, { restless: true })
      strictEqual(error, undefined)
      deepStrictEqual(
        answers.map(({ id }) => id),
        [1, 2, 3],
      )
      for (const answer of answers) {
        if (answer.kind === 'ok') {
          ok(answer.code >= 200 && answer.code < 300 && answer.stage === 'end')
          ok(peer.messages.includes('Subject: hello\r\n\r\nhello\r\n'))
        } else if (answer.kind === 'reply') ok(answer.code >= 400)
        else ok(answer.text !== '')
      }
      strictEqual(clock.pending, 0)
    }),
    { numRuns: 200, seed: 7 },
  )
})

test('random servers before the first message', async () => {
  const early = fc.record({
    greeting: answers('220 mx'),
    ehlo: answers('250-mx\n250-STARTTLS\n250 AUTH PLAIN LOGIN CRAM-MD5'),
    helo: answers('250 mx'),
    starttls: answers('220 go'),
    auth: answers('235 ok'),
    authLines: answers('235 ok'),
    tls: fc.oneof(fc.constant({}), fc.record({ instead: odd })),
    octets: fc.boolean(),
  })
  const modes = fc.constantFrom('none', 'opportunistic', 'required', 'implicit')
  const mechanisms = fc.subarray(['CRAM-MD5', 'PLAIN', 'LOGIN'])
  await fc.assert(
    fc.asyncProperty(early, modes, mechanisms, async (server, mode, allowed) => {
      const login = allowed.length === 0 ? {} : { login: { mechanisms: allowed } }
      const { clock, answers, error } = await run({ name: '', server, tls: { mode }, ...login }, { restless: true })
      strictEqual(answers.length, error === undefined ? 2 : 0)
      if (error?.kind === 'tls') ok(error.problem !== undefined)
      strictEqual(clock.pending, 0)
    }),
    { numRuns: 200, seed: 7 },
  )
})
