// Groups of servers, words that ask us to be slower, warm-up days, options.
import { deepStrictEqual, match, strictEqual } from 'node:assert'
import type { AttemptStage } from '@mox/plugin-sdk'
import { sampleAttempt } from '@mox/plugin-sdk/testkit'
import { test } from 'vitest'
import { groupOf } from '../src/hosts.ts'
import { CONCURRENCY, options, PER_MINUTE, WARM_UP_DAYS } from '../src/options.ts'
import { slowDownWords, WORDS_LENGTH } from '../src/signal.ts'
import { WarmUp } from '../src/warm-up.ts'

const DAY = 86_400_000

test('groups of servers', () => {
  const check = (host: string, expected: string) => strictEqual(groupOf(host), expected, host)
  check('gmail-smtp-in.l.google.com', 'google')
  check('ASPMX.L.GOOGLE.COM.', 'google')
  check('aspmx3.googlemail.com', 'google')
  check('example-com.mail.protection.outlook.com', 'microsoft')
  check('mta5.am0.yahoodns.net', 'yahoo')
  check('notgoogle.com', 'notgoogle.com')
  check('google.com.evil.example', 'com.evil.example')
  check('mx1.example.com', 'example.com')
  check('a.mx.example.com', 'mx.example.com')
  check('mx.example.co.uk', 'example.co.uk')
  check('example.co.uk', 'example.co.uk')
  check('mx.vk.ru', 'mx.vk.ru')
  check('mail.example', 'mail.example')
  check('localhost', 'localhost')
  check('192.0.2.1', '192.0.2.1')
  check('2001:db8::1', '2001:db8::1')
  check('', '')
})

test('what asks us to be slower', () => {
  const check = (reply: string, expected: string | undefined, stage: AttemptStage | undefined = 'rcpt') => {
    const [, code, enhanced = '', text = ''] = /^(\d+)(?: (\d\.\d+\.\d+))? ?(.*)$/s.exec(reply) ?? []
    const outcome = Number(code) >= 500 ? 'permanent' : Number(code) >= 400 || code === '0' ? 'temporary' : 'delivered'
    const attempt = sampleAttempt({
      code: Number(code),
      enhanced,
      text,
      outcome,
      ...(stage === undefined ? {} : { stage }),
    })
    strictEqual(slowDownWords(attempt), expected, reply)
  }
  check('421 4.7.28 too much', '421 4.7.28 too much')
  check('421 too many connections', '421 too many connections', 'greeting')
  check('450 4.7.1 rate limited', '450 4.7.1 rate limited')
  check('451 4.7.650 the mail server has been throttled', '451 4.7.650 the mail server has been throttled', 'end')
  check('450 4.7.1 Greylisting in action', undefined)
  check('451 4.7.1 you are gray-listed', undefined)
  check('450 4.2.1 mailbox busy', undefined)
  check('450 try later', undefined)
  check('454 4.7.0 TLS not available', undefined, 'starttls')
  check('454 4.7.0 no', undefined, 'auth')
  check('550 5.7.1 no', undefined)
  check('0 no answer', undefined, 'connect')
  check('250 2.0.0 ok', undefined)
  check('421 a\nb\u001b[2J\u202ec', '421 a b [2J c')
  check(`421 ${'x'.repeat(5_000)}`, `421 ${'x'.repeat(WORDS_LENGTH - 4)}`)
})

test('the first days of an address', () => {
  const warmUp = new WarmUp('192.0.2.1', { since: '2030-01-02', perDay: [2, 3], transports: ['direct'] })
  const day = (n: number) => Date.parse('2030-01-02T00:00:00Z') + n * DAY
  const ok = sampleAttempt({ outcome: 'delivered', code: 250, transport: 'direct' })
  const blocked = (now: number, transport = 'direct') => warmUp.blocked(transport, now)?.reason
  strictEqual(warmUp.state(day(-1) + 5).limit, 2, 'before its first day, as on it')
  deepStrictEqual(warmUp.count(ok, day(0)), { day: '2030-01-02', sent: 1 })
  strictEqual(warmUp.count({ ...ok, code: 0 }, day(0)), undefined)
  strictEqual(warmUp.count({ ...ok, transport: 'relay' }, day(0)), undefined)
  strictEqual(blocked(day(0)), undefined)
  warmUp.start('direct', 7)
  warmUp.start('relay', 8)
  strictEqual(blocked(day(0)), '2 of 2 messages today from 192.0.2.1, day 1 of its warm-up')
  strictEqual(warmUp.blocked('direct', day(0))?.until, day(1))
  strictEqual(blocked(day(0), 'relay'), undefined)
  warmUp.end(7)
  strictEqual(blocked(day(0)), undefined)
  warmUp.count(ok, day(0))
  strictEqual(blocked(day(1) - 1), '2 of 2 messages today from 192.0.2.1, day 1 of its warm-up')
  strictEqual(blocked(day(1)), undefined)
  for (let i = 0; i < 3; i++) warmUp.count(ok, day(1))
  strictEqual(blocked(day(1)), '3 of 3 messages today from 192.0.2.1, day 2 of its warm-up')
  strictEqual(blocked(day(2)), undefined)
  deepStrictEqual(warmUp.state(day(2)), { day: 3, sent: 0, limit: undefined })
  strictEqual(warmUp.count(ok, day(2)), undefined)
})

test('options', () => {
  const check = (input: unknown, expected: unknown) => {
    const result = options.safeParse(input)
    const said = result.success
      ? result.data
      : result.error.issues.map(i => `${i.path.join('.')}: ${i.message}`).join('; ')
    if (expected instanceof RegExp) match(String(said), expected)
    else deepStrictEqual(said, expected)
  }
  const standard = { concurrency: 10, perMinute: 0, destinations: {}, warmUp: {} }
  check(undefined, standard)
  check(
    { concurrency: CONCURRENCY, perMinute: PER_MINUTE },
    { ...standard, concurrency: CONCURRENCY, perMinute: PER_MINUTE },
  )
  check({ concurrency: CONCURRENCY + 1 }, /^concurrency/)
  check({ perMinute: PER_MINUTE + 1 }, /^perMinute/)
  check(
    { destinations: { google: { perMinute: 5 } } },
    { ...standard, destinations: { google: { concurrency: 10, perMinute: 5 } } },
  )
  check({ warmUp: { 'mail.example.org': { since: '2030-01-01', perDay: [1] } } }, /^warmUp: names must be IP addresses/)
  check({ warmUp: { '192.0.2.1': { since: 'monday', perDay: [1] } } }, /^warmUp\.192\.0\.2\.1\.since: must be a day/)
  check({ warmUp: { '192.0.2.1': { since: '2030-02-30', perDay: [1] } } }, /must be a day/)
  check({ warmUp: { '192.0.2.1': { since: '2030-01-01', perDay: [] } } }, /perDay/)
  check({ warmUp: { '192.0.2.1': { since: '2030-01-01', perDay: new Array(WARM_UP_DAYS + 1).fill(1) } } }, /perDay/)
})
