import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type {
  Attempt,
  Command,
  Job,
  Mailboxes,
  MessageNotes,
  QueueControl,
  Retired,
  Storage,
  StoredMessage,
} from '@mox/plugin-sdk'
import { type Path, parseAddress } from '@mox/plugin-sdk/mail'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { coreCommands } from '../src/cli/commands/index.ts'
import { parseMessage } from '../src/cli/commands/parse.ts'
import { type Rendered, render } from '../src/cli/render.ts'
import type { LocalContext } from '../src/cli/types.ts'

const T0 = Date.UTC(2026, 2, 1, 8, 5, 9, 120)
const path = (text: string): Path => {
  const parsed = parseAddress(text)
  if (!parsed.ok) throw new Error(text)
  return parsed.path
}
const info = {
  messageId: 12,
  receivedAt: T0,
  account: 'alice',
  reversePath: path('alice@example.org'),
  messageIdHeader: '<x@example.org>',
  subject: 'Hi\u001b[2J',
  size: 1234,
  has8bit: false,
  smtputf8: false,
}
const attempt: Attempt = {
  number: 1,
  startedAt: T0 + 1000,
  endedAt: T0 + 1250,
  outcome: 'temporary',
  code: 451,
  enhanced: '4.2.1',
  text: 'mailbox busy\ntry later',
  transport: 'direct',
  remoteHost: 'mx.example.net',
  remoteIp: '192.0.2.1',
  tls: { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', verified: true },
  trace: [{ hook: 'beforeDeliver', plugin: 'throttle', verdict: 'pass', ms: 0.2 }],
}
const job: Job = {
  ...info,
  id: 34,
  recipient: path('bob@example.net'),
  recipientDomain: 'example.net',
  due: T0 + 450_000,
  hold: false,
  attempts: 1,
  maxAttempts: 0,
  results: [attempt],
  notify: [],
  extra: { order: '7' },
  dialedIps: {},
}
const { due: _due, hold: _hold, ...left } = job
const retired: Retired = {
  ...left,
  id: 35,
  recipient: path('carol@example.com'),
  results: [
    { number: 1, startedAt: T0, endedAt: T0 + 5, outcome: 'delivered', code: 250, enhanced: '2.0.0', text: 'ok' },
  ],
  extra: {},
  status: 'delivered',
  lastActivity: T0 + 5,
  keepUntil: T0 + 10,
  trace: [{ hook: 'onRetire.tx', plugin: 'reports', verdict: 'failed', reason: 'disk full', ms: 3, failed: true }],
}
const message: StoredMessage = {
  ...info,
  id: 12,
  kind: 'submission',
  source: 'submission',
  prefix: Buffer.from('Received: x\r\n'),
  contentId: 1,
  remoteIp: '127.0.0.1',
  helo: 'laptop',
  protocol: 'ESMTPSA',
  recipients: ['bob@example.net', 'carol@example.com'],
  facts: { auth: { spf: 'pass' } },
  trace: [
    { hook: 'onReceive.rcpt', plugin: 'greylist', verdict: 'pass', recipient: 'bob@example.net', ms: 12.5 },
    { hook: 'onReceive.data', plugin: 'filter', verdict: 'tag', reason: 'newsletter', ms: 1 },
  ],
}

let seen: unknown[] = []
function commandsOn(options: { problems?: string[]; mailboxes?: boolean } = {}): readonly Command[] {
  const storage = {
    messages: {
      get: async (id: number) => (id === 12 ? message : undefined),
      list: async (page: { limit: number; before?: number }) => {
        seen.push(page)
        return Array(Math.min(page.limit, 3)).fill(message)
      },
    },
    queue: {
      get: async (id: number) => (id === 34 ? job : undefined),
      list: async (filter: { messageId?: number }) => {
        seen.push(filter)
        return filter.messageId === 99 ? [] : [job, { ...job, id: 36, hold: true, reversePath: null, results: [] }]
      },
    },
    history: {
      get: async (id: number) => (id === 35 ? retired : undefined),
      list: async (filter: { messageId?: number }) => {
        seen.push(filter)
        return filter.messageId === 99 ? [] : [retired]
      },
    },
    outbox: {
      list: async (o: unknown) => {
        seen.push(o)
        return [
          {
            id: 1,
            eventId: 'e',
            hook: 'onRetire.done',
            subscriber: 'webhooks',
            payload: {},
            createdAt: T0,
            due: T0,
            attempts: 9,
            lastError: 'down',
            dead: true,
          },
        ]
      },
      revive: async (ids: unknown) => {
        seen.push(ids)
        return 2
      },
    },
    write: async (work: () => Promise<unknown>) => await work(),
    notify: (channel: string) => seen.push(channel),
    verify: async () => options.problems ?? [],
  } as unknown as Storage
  const mailboxes = {
    copies: async () => [{ account: 'bob', id: 5, mailboxId: 2, uid: 9 }],
    verify: async () => options.problems?.map(p => `mailboxes: ${p}`) ?? [],
  } as unknown as Mailboxes
  const none = async () => 0
  const queue: QueueControl = {
    ...{ kick: () => {}, pause: () => {}, resume: () => {}, status: () => ({ paused: false, running: 0, domains: 0 }) },
    ...{
      hold: none,
      release: none,
      schedule: none,
      postpone: none,
      setTransport: none,
      setRequireTls: none,
      end: none,
    },
    dump: async () => undefined,
    attemptsLeft: () => [],
    transports: () => [],
  }
  const notes: MessageNotes = {
    title: 'what the sender was told',
    list: async (about, limit) => {
      seen.push([about, limit])
      const all = [
        { at: T0, queueId: 34, recipient: 'bob@example.net', text: 'failed: DSN <d1@mail.test> to account alice' },
        { at: T0 + 1000, queueId: 0, recipient: 'carol@example.net', text: 'delivered: DSN <d2@mail.test> queued' },
      ]
      return about.messageId === 12 ? all.filter(n => about.queueId === undefined || n.queueId === about.queueId) : []
    },
  }
  const stored = options.mailboxes === false ? undefined : mailboxes
  return coreCommands({ storage, mailboxes: stored, notes: [notes], queue, now: () => T0 })
}

async function run(
  line: string,
  options: {
    problems?: string[]
    flags?: Record<string, string | number | boolean>
    limit?: number
    mailboxes?: boolean
  } = {},
): Promise<string> {
  const words = line.split(' ')
  const command = commandsOn(options).find(c => c.path.every((word, i) => words[i] === word))!
  const input = {
    arguments: words.slice(command.path.length),
    flags: new Map(Object.entries(options.flags ?? {})),
    limit: options.limit ?? 100,
  }
  const result = (await command.run(input)) as Rendered
  const text = render(result, { json: options.flags?.['json'] === true, columns: undefined })
  return result.kind === 'text' && result.failed === true ? `FAILED ${text}` : text
}

let dir: string
beforeEach(async () => {
  seen = []
  dir = await mkdtemp(join(tmpdir(), 'mox-commands-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

test('outbox', async () => {
  expect(await run('outbox list', { flags: { dead: true } })).toContain(
    'webhooks  2026-03-01T08:05:09Z         9  dead  down',
  )
  expect(await run('outbox retry all')).toBe('2 events will be tried again\n')
  await run('outbox retry 3 4')
  expect(seen).toEqual([{ dead: true, limit: 101 }, 'outbox', 'all', 'outbox', [3, 4]])
  await expect(run('outbox retry all 3')).rejects.toThrow('give ids, or "all" alone')
})

test('verify', async () => {
  expect(await run('verify')).toBe('no problems found\n')
  expect(await run('verify', { problems: ['content 7 is missing'] })).toBe(
    'FAILED content 7 is missing\nmailboxes: content 7 is missing\n2 problems found\n',
  )
  expect(await run('verify', { problems: ['x'], mailboxes: false })).toBe('FAILED x\n1 problem found\n')
})

test('message list', async () => {
  expect(await run('message list', { limit: 2 })).toContain(
    '12  2026-03-01T08:05:09Z  submission  alice    alice@example.org  bob@example.net and 1 more  1234  Hi\\u001b[2J\n2 shown',
  )
  expect(await run('message list', { limit: 2 })).toContain('--after 12')
  expect(await run('message list', { limit: 3, flags: { after: 40 } })).not.toContain('--after')
  expect(seen).toEqual([{ limit: 3 }, { limit: 3 }, { limit: 4, before: 40 }])
  for (const after of [0, -1, 1.5])
    await expect(run('message list', { flags: { after } })).rejects.toThrow(`--after ${after} is no message id`)
})

test('message explain', async () => {
  expect(await run('message explain 12')).toBe(`message     12
received    2026-03-01T08:05:09Z
from        alice@example.org
to          bob@example.net, carol@example.com
subject     Hi\\u001b[2J
message-id  <x@example.org>
size        1234 bytes
kind        submission
source      submission
account     alice
client      127.0.0.1, helo laptop, ESMTPSA
fact auth   {"spf":"pass"}

what was said when it came in
  onReceive.rcpt  greylist  pass  12.500 ms  bob@example.net
  onReceive.data  filter    tag    1.000 ms  newsletter

recipient bob@example.net  q34  queued, next attempt 2026-03-01T08:12:39Z
  notify  never
  extra   order=7
  attempt 1  2026-03-01T08:05:10Z, 250 ms  temporary
    451 4.2.1 mailbox busy try later
    transport direct, mx.example.net [192.0.2.1], TLSv1.3 TLS_AES_128_GCM_SHA256, verified
    what was said before it
      beforeDeliver  throttle  pass  0.200 ms

recipient bob@example.net  q36  queued, on hold
  notify  never
  extra   order=7

recipient carol@example.com  q35  delivered 2026-03-01T08:05:09Z
  notify  never
  attempt 1  2026-03-01T08:05:09Z, 5 ms  delivered
    250 2.0.0 ok

  what was said when it left the queue
    onRetire.tx  reports  failed (failed)  3.000 ms  disk full

copies in mailboxes
  account bob, mailbox id 2, uid 9

what the sender was told
  2026-03-01T08:05:09Z  bob@example.net  q34  failed: DSN <d1@mail.test> to account alice
  2026-03-01T08:05:10Z  carol@example.net  delivered: DSN <d2@mail.test> queued
`)
  expect(await run('message explain q34')).toMatch(
    /\nwhat the sender was told\n.*q34 {2}failed: DSN <d1@mail\.test>.*\n$/,
  )
  expect(seen.at(-1)).toEqual([{ messageId: 12, queueId: 34 }, 1000])
  const one = await run('message explain q35')
  expect(one).toContain('recipient carol@example.com')
  expect(one).not.toContain('q34')
  expect(one).not.toContain('what the sender was told')
  expect(JSON.parse(await run('message explain 12', { flags: { json: true } }))).toMatchObject({
    message: { id: 12 },
    queued: [{ id: 34 }, { id: 36 }],
    retired: [{ id: 35 }],
    notes: [{ title: 'what the sender was told', notes: [{ queueId: 34 }, { queueId: 0 }] }],
  })
  expect(await run('message explain 7')).toContain('message 7 is no longer stored')
  await expect(run('message explain 99')).rejects.toThrow(
    'no message has the id 99; see mox message list, or write q99 for a queue id',
  )
  await expect(run('message explain q1')).rejects.toThrow('no recipient has the queue id 1')
  await expect(run('message explain abc')).rejects.toThrow('"abc" is no message id')
})

const MESSAGE = `From: =?utf-8?q?J=C3=B6rg?= <a@example.org>
To: b@example.org
Subject: parts
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

caf=C3=A9
--x
Content-Type: application/pdf
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename="../a\u202e.pdf"

AAAA
--x
Content-Type: message/rfc822

Subject: inner

text
`.replaceAll('\n', '\r\n')

test('message parse', async () => {
  const file = join(dir, 'm.eml')
  await writeFile(file, MESSAGE)
  const context = {} as LocalContext
  const parse = async (name: string, flags: [string, boolean][] = []): Promise<string> => {
    const result = await parseMessage({ arguments: [name], flags: new Map(flags), limit: 1 }, context)
    return render(result as Rendered, { json: false, columns: undefined })
  }
  expect(await parse(file)).toBe(`From: Jörg <a@example.org>
To: b@example.org
Subject: parts
5 header fields

multipart/mixed (7bit) 301 octets
  problem: unclosed
  1 text/plain (utf-8, quoted-printable) 5 octets, 1 lines
  2 application/pdf (base64, attachment) 3 octets, 1 lines  "a.pdf"
  3 message/rfc822 (7bit) 24 octets
    3.1 text/plain (7bit) 6 octets, 1 lines
`)
  expect(JSON.parse(await parse(file, [['json', true]]))).toMatchObject({
    contentType: 'multipart/mixed',
    parts: [{ path: '1' }, { filename: 'a.pdf', decodedSize: 3 }, { parts: [{ path: '3.1' }] }],
  })
  await expect(parse(join(dir, 'none'))).rejects.toThrow(/cannot read .* \(ENOENT\)/)
})
