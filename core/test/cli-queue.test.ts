// mox queue …: flags to filters, pages and operations, what is printed, and what is refused.
import type { Attempt, CommandInput, Job, QueueControl, Retired, Storage } from '@mox/plugin-sdk'
import { type Path, parseAddress } from '@mox/plugin-sdk/mail'
import { beforeEach, expect, test } from 'vitest'
import { parseWords } from '../src/cli/args.ts'
import { IDS_LIMIT } from '../src/cli/commands/filters.ts'
import { coreCommands } from '../src/cli/commands/index.ts'
import { SCHEDULE_LIMIT } from '../src/cli/commands/queue-change.ts'
import { type Rendered, render } from '../src/cli/render.ts'

const T0 = Date.UTC(2026, 2, 1, 8, 5, 9, 120)
const HOUR = 3_600_000
const path = (text: string): Path => {
  const parsed = parseAddress(text)
  if (!parsed.ok) throw new Error(text)
  return parsed.path
}
const attempt: Attempt = {
  ...{ number: 1, startedAt: T0 + 1000, endedAt: T0 + 1250, outcome: 'temporary', code: 451, enhanced: '4.2.1' },
  text: 'mailbox busy\ntry later',
}
const job: Job = {
  ...{ id: 34, messageId: 12, receivedAt: T0, account: 'alice', reversePath: path('alice@example.org') },
  ...{ messageIdHeader: '<x@example.org>', subject: 'Hi', size: 1234, has8bit: false, smtputf8: false },
  ...{ recipient: path('bob@example.net'), recipientDomain: 'example.net', due: T0 + 450_000, hold: false },
  ...{ attempts: 1, maxAttempts: 0, results: [attempt], extra: {}, dialedIps: {} },
}
const { due: _, hold: __, ...left } = job
const retired: Retired = {
  ...left,
  ...{ id: 35, recipient: path('carol@example.com'), status: 'failed', lastActivity: T0 + 5, keepUntil: T0 + 10 },
  ...{ results: [{ ...attempt, outcome: 'permanent', code: 550, enhanced: '5.1.1', text: 'nobody' }], trace: [] },
}

let seen: unknown[] = []
beforeEach(() => {
  seen = []
})

let paused = false
const told =
  (name: string) =>
  async (...given: unknown[]) => {
    seen.push([name, ...given])
    return name === 'hold' ? 1 : 3
  }
const queue: QueueControl = {
  kick: () => void seen.push('kick'),
  pause: () => {
    paused = true
  },
  resume: () => {
    paused = false
  },
  status: () => ({ paused, running: 2, domains: 1 }),
  ...{ hold: told('hold'), release: told('release'), schedule: told('schedule'), postpone: told('postpone') },
  ...{ setTransport: told('setTransport'), setRequireTls: told('setRequireTls'), end: told('end') },
  attemptsLeft: () => [],
  transports: () => [],
  dump: async id => (id === 34 ? chunks() : undefined),
}
async function* chunks() {
  yield Buffer.from('Received: x\r\n')
  yield Buffer.from('\r\nhello\r\n')
}
const storage = {
  queue: {
    list: async (filter: unknown, page: unknown) => {
      seen.push(filter, page)
      return [job, { ...job, id: 36, hold: true, reversePath: null, results: [], transport: 'relay' }]
    },
  },
  history: {
    get: async (id: number) => (id === 35 ? retired : undefined),
    list: async (filter: unknown, page: unknown) => {
      seen.push(filter, page)
      return [retired]
    },
  },
} as unknown as Storage
const commands = coreCommands({ storage, mailboxes: undefined, notes: [], queue, now: () => T0 })

function prepare(words: readonly string[]) {
  const command = commands
    .filter(c => c.path.every((word, i) => words[i] === word))
    .sort((a, b) => b.path.length - a.path.length)[0]
  if (command === undefined) throw new Error(`no command ${words.join(' ')}`)
  const { input }: { input: CommandInput } = parseWords(command, words.slice(command.path.length))
  return { command, input }
}

/** A word may have spaces when it is given by itself. */
async function run(line: string, ...more: string[]): Promise<string> {
  const { command, input } = prepare([...line.split(' '), ...more])
  const result = (await command.run(input)) as Rendered
  return render(result, { json: input.flags.get('json') === true, columns: undefined })
}

async function refused(line: string, expected: RegExp, ...more: string[]): Promise<void> {
  seen = []
  await expect((async () => await run(line, ...more))(), line).rejects.toThrow(expected)
  expect(seen, line).toEqual([])
}

test('list', async () => {
  expect(await run('queue list --from alice --to bob --account alice --message 12 --hold=false')).toBe(
    `id  message  queued                from               to               attempts  next                  last
34       12  2026-03-01T08:05:09Z  alice@example.org  bob@example.net         1  2026-03-01T08:12:39Z  451 4.2.1 mailbox busy try later
36       12  2026-03-01T08:05:09Z  <>                 bob@example.net         1  on hold
`,
  )
  expect(seen).toEqual([
    { from: 'alice', to: 'bob', account: 'alice', messageId: 12, hold: false },
    { limit: 101, ascending: true },
  ])
  expect(await run('queue list --limit 1')).toContain(
    `1 shown, there are more; see --limit, or go on with --after ${T0 + 450_000}.34`,
  )
  expect(await run('queue list --n 1')).toContain('1 shown')
  const rows = JSON.parse(await run('queue list --json')) as Record<string, unknown>[]
  expect(rows[1]).toMatchObject({ id: 36, hold: true, transport: 'relay', cursor: `${T0 + 450_000}.36` })
})

test('filters', async () => {
  const check = async (flags: string[], expected: object) => {
    seen = []
    await run('queue list', ...flags)
    expect(seen[0], flags.join(' ')).toEqual(expected)
  }
  await check(['--ids', '3, 4'], { ids: [3, 4] })
  await check(['--to', '@Example.COM'], { to: '@example.com' })
  await check(['--to', 'Bob@EXAMPLE'], { to: 'Bob@example' })
  await check(['--to', ''], {})
  await check(['--transport', ''], { transport: '' })
  await check(['--transport', 'relay'], { transport: 'relay' })
  await check(['--submitted', '<-24h'], { receivedBefore: T0 - 24 * HOUR })
  await check(['--submitted', '>-1h30m'], { receivedAfter: T0 - 1.5 * HOUR })
  await check(['--nextattempt', '>1h'], { dueAfter: T0 + HOUR })
  await check(['--nextattempt', '<now'], { dueBefore: T0 })
  await check(['--nextattempt', '< 3d'], { dueBefore: T0 + 72 * HOUR })
  await check(['--hold'], { hold: true })
  await refused(
    'queue list',
    /--submitted "24h" is no time to compare with; write one such as "<-24h"/,
    '--submitted=24h',
  )
  await refused('queue list --nextattempt <soon', /--nextattempt "<soon" is no time/)
  await refused('queue list --n 0', /--n 0 must be a whole number from 1/)
  await refused('queue list --ids 1,x', /"x" is no queue id/)
  await run('queue list', `--ids=${Array(IDS_LIMIT).fill('1').join()}`)
  await refused(
    'queue list',
    /give at most 1000 at a time/,
    `--ids=${Array(IDS_LIMIT + 1)
      .fill('1')
      .join()}`,
  )
})

test('sorting and pages', async () => {
  const check = async (line: string, expected: object) => {
    seen = []
    await run(line)
    expect(seen[1], line).toEqual({ limit: 101, ...expected })
  }
  await check('queue list --sort nextattempt', { ascending: true })
  await check('queue list --asc=false', { ascending: false })
  await check('queue list --sort queued', { ascending: false, byId: true })
  await check('queue list --sort queued --asc', { ascending: true, byId: true })
  await check('queue list --after 1772352309120.34', { ascending: true, after: { value: 1_772_352_309_120, id: 34 } })
  await check('queue retired list', { ascending: false })
  await check('queue retired list --sort queued --asc', { ascending: true, byId: true })
  await refused('queue list --sort lastactivity', /--sort "lastactivity" is unknown; choose nextattempt or queued/)
  await refused('queue retired list --sort nextattempt', /choose lastactivity or queued/)
  for (const cursor of ['34', '5.0', 'x.1', '5.1.1', '1'.repeat(16) + '.1'])
    await refused(`queue list --after ${cursor}`, /is no place in a list; copy it from the end/)
})

test('retired', async () => {
  expect(await run('queue retired list --status failed --submitted <-1h --transport relay')).toContain(
    'carol@example.com  failed         1  550 5.1.1 nobody',
  )
  await run('queue retired list --result success --lastactivity >-1d --ids 35')
  await run('queue retired list --result failure')
  expect(seen.filter((_, i) => i % 2 === 0)).toEqual([
    { status: 'failed', receivedBefore: T0 - HOUR, transport: 'relay' },
    { delivered: true, activeAfter: T0 - 24 * HOUR, ids: [35] },
    { delivered: false },
  ])
  await refused('queue retired list --status gone', /--status "gone" is unknown; choose one of delivered, failed/)
  await refused('queue retired list --result ok', /--result "ok" is unknown; choose success or failure/)
  expect(JSON.parse(await run('queue retired print 35'))).toMatchObject({ id: 35, status: 'failed' })
  await refused('queue retired print 34', /no retired recipient has the queue id 34; see mox queue retired list/)
  for (const id of ['x', '0', '-1', '1.5', '1'.repeat(16)])
    await refused(`queue retired print ${id}`, /is no queue id; it is a number such as 12/)
})

test('brake and kick', async () => {
  expect(await run('queue pause')).toBe('paused, 2 in progress\n')
  expect(await run('queue resume')).toBe('running, 2 in progress\n')
  expect(await run('queue kick')).toBe('running, 2 in progress\n')
  expect(JSON.parse(await run('queue status'))).toEqual({ paused: false, running: 2, domains: 1 })
  expect(await run('queue kick --to bob')).toBe('3 recipients\n')
  expect(await run('queue kick --all --n 5')).toBe('3 recipients\n')
  expect(seen).toEqual(['kick', ['schedule', { to: 'bob' }, T0], ['schedule', { max: 5 }, T0]])
})

test('operations', async () => {
  const check = async (words: string[], ...expected: unknown[]) => {
    seen = []
    const [line = '', ...more] = words
    expect(await run(line, ...more)).toBe(expected[0] === 'hold' ? '1 recipient\n' : '3 recipients\n')
    expect(seen, words.join(' ')).toEqual([expected])
  }
  const bob = { to: 'bob' }
  await check(['queue hold --ids 34,36 --account alice'], 'hold', { ids: [34, 36], account: 'alice' })
  await check(['queue unhold --all'], 'release', {})
  await check(['queue schedule --to bob'], 'schedule', bob, T0)
  await check([`queue schedule --to bob --in ${SCHEDULE_LIMIT}`], 'schedule', bob, T0 + SCHEDULE_LIMIT * 1000)
  await check(['queue schedule --to bob 1h30m'], 'postpone', bob, 1.5 * HOUR)
  await check(['queue schedule --to bob -15m'], 'postpone', bob, -HOUR / 4)
  await check(['queue schedule --to bob --now 3d'], 'schedule', bob, T0 + 72 * HOUR)
  await check(['queue schedule --to bob --now 0'], 'schedule', bob, T0)
  await check(['queue schedule --to bob 365d'], 'postpone', bob, SCHEDULE_LIMIT * 1000)
  await check(['queue transport --to bob relay'], 'setTransport', bob, 'relay')
  await check(['queue transport --to bob', ''], 'setTransport', bob, '')
  await check(['queue requiretls --to bob yes'], 'setRequireTls', bob, true)
  await check(['queue requiretls --to bob no'], 'setRequireTls', bob, false)
  await check(['queue requiretls --hold default'], 'setRequireTls', { hold: true }, undefined)
  await check(['queue fail --message 12'], 'end', { messageId: 12 }, 'failed', 'delivery ended by an administrator')
  await check(['queue drop --from x --n 2'], 'end', { from: 'x', max: 2 }, 'cancelled', 'dropped by an administrator')
})

test('operations that are refused', async () => {
  const choose = /choose recipients with --ids, --account, .*, --hold, or write --all/
  for (const verb of ['hold', 'unhold', 'schedule', 'transport relay', 'requiretls no', 'fail', 'drop']) {
    await refused(`queue ${verb}`, choose)
    await refused(`queue ${verb} --n 3`, choose)
    await refused(`queue ${verb} --all --to bob`, /--all is everything; leave it out, or what chooses beside it/)
  }
  await refused('queue fail --to', /--to needs a value/)
  await refused(`queue schedule --all --in ${SCHEDULE_LIMIT + 1}`, /must be a number of seconds from 0 to/)
  await refused('queue schedule --all --in 5 5s', /give a duration or --in, not both/)
  await refused('queue schedule --all 366d', /is no duration of at most a year; write one such as 1h30m/)
  await refused('queue schedule --all soon', /"soon" is no duration/)
  await refused('queue requiretls --all maybe', /"maybe" is unknown; write yes, no or default/)
  await refused('queue requiretls --all toString', /is unknown/)
  await refused('queue transport --all', /NAME is missing/)
})

test('dump', async () => {
  const { command, input } = prepare(['queue', 'dump', '34'])
  const result = await command.run(input)
  let text = ''
  if (result.kind === 'bytes') for await (const chunk of result.chunks) text += chunk
  expect(text).toBe('Received: x\r\n\r\nhello\r\n')
  await refused('queue dump 99', /no message is kept for the queue id 99; see mox queue list/)
  await refused('queue dump', /ID is missing/)
})
