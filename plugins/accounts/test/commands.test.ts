// The commands on a real database: rows, refusals that say what to do, and that a change is in use at once and after a
// restart.
import { createHash } from 'node:crypto'
import type { StoredMessage } from '@mox/plugin-sdk'
import type { Path } from '@mox/plugin-sdk/mail'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseSize } from '../src/commands/limits.ts'
import { GENERATED_LENGTH, generatePassword } from '../src/commands/password.ts'
import { context, ending, openWorld, PASSWORD, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await openWorld({
    domains: { 'example.org': { aliases: { staff: { members: ['alice@example.org'] } } } },
    accounts: {
      alice: { addresses: ['alice@example.org'], fullName: 'Alice', password: PASSWORD },
      dave: { addresses: ['dave@example.org'] },
    },
    postmaster: 'alice',
  })
})
afterAll(async () => await world.close())

type Flags = Readonly<Record<string, string | number | boolean>>

async function done(line: string, expected: RegExp, flags?: Flags): Promise<void> {
  const result = await world.mox(line, flags)
  expect(result.kind === 'text' ? result.text : JSON.stringify(result), line).toMatch(expected)
}

async function refused(line: string, expected: RegExp, flags?: Flags): Promise<void> {
  expect(await world.refusal(line, flags), line).toMatch(expected)
}

async function login(name: string, password: string): Promise<string> {
  return ending(await world.directory.login(name, password, context({ remoteIp: '192.0.2.77' })))
}

test('domains', async () => {
  await done('domain add bücher.example', /^added xn--bcher-kva\.example; next: mox account add/, { separators: '+ -' })
  await done('domain add cased.example', /added/, { 'case-sensitive': true, separators: '', disabled: true })
  await refused('domain add BÜCHER.example', /xn--bcher-kva\.example is there already, in the database/)
  await refused('domain add example.org', /is there already, in the config/)
  await refused('domain add a_b', /is no domain/)
  await refused('domain add other.example', /"x" is no separator/, { separators: 'x' })
  expect(await world.rows('domain list')).toEqual([
    row('example.org', 'config', false, '+', false, 2, 1),
    row('cased.example', 'database', true, '', true, 0, 0),
    row('xn--bcher-kva.example', 'database', false, '+ -', false, 0, 0),
  ])
  await done('domain enable cased.example', /cased\.example is enabled/)
  expect((await world.directory.domain('cased.example'))?.disabled).toBe(false)
  await done('domain disable cased.example', /is disabled/)
  expect((await world.directory.domain('cased.example'))?.disabled).toBe(true)
  await refused('domain disable example.org', /is in the config file; set `disabled` there and reload/)
  await refused('domain remove example.org', /is in the config file; remove it there/)
  await refused('domain remove nowhere.example', /there is no domain nowhere\.example; see mox domain list/)
  await done('domain remove cased.example', /removed/)
  expect(await world.directory.domain('cased.example')).toBeUndefined()

  function row(
    domain: string,
    source: string,
    disabled: boolean,
    separators: string,
    cased: boolean,
    n: number,
    m: number,
  ) {
    return { domain, source, disabled, separators, 'case-sensitive': cased, addresses: n, aliases: m }
  }
})

test('accounts', async () => {
  await done('account add bob bob@example.org', /added bob; next: mox account password bob/, {
    'full-name': 'Bob B.',
    quota: '10m',
    'max-outgoing': 7,
    'max-first-time': 5,
    'max-queued': 9,
    'max-queued-bytes': '3m',
  })
  expect(await world.directory.account('bob')).toEqual({
    name: 'bob',
    fullName: 'Bob B.',
    quota: 10 * 1024 * 1024,
    maxOutgoingPerDay: 7,
    maxFirstTimeRecipientsPerDay: 5,
    maxQueued: 9,
    maxQueuedBytes: 3 * 1024 * 1024,
    addresses: ['bob@example.org'],
  })
  await refused('account add bob b@example.org', /account bob is there already, in the database/)
  await refused('account add alice b@example.org', /account alice is there already, in the config/)
  await refused('account add Bob b@example.org', /"Bob" is no account name/)
  await refused('account add carol bob@example.org', /belongs to account bob already/)
  await refused('account add carol Bob+x@example.org', /^bob@example\.org belongs to account bob already/)
  await refused('account add carol staff@example.org', /is an alias; remove it first: mox alias remove/)
  await refused('account add carol c+d@example.org', /separator/)
  await refused('account add carol carol@nowhere.example', /not configured; run: mox domain add nowhere\.example/)
  await refused('account add carol carol', /is no address/)
  await refused('account add carol carol@example.org', /"x" is no size/, { quota: 'x' })
  await refused('account add carol carol@example.org', /--max-outgoing -1 must be/, { 'max-outgoing': -1 })
  expect(await world.directory.account('carol')).toBeUndefined()
  expect((await world.rows('account list')).map(r => `${r['account']} ${r['source']} ${r['password']}`)).toEqual([
    'alice config config',
    'dave config none',
    'bob database none',
  ])
  const shown = await world.mox('account show alice')
  expect(shown).toMatchObject({
    kind: 'value',
    value: { name: 'alice', source: 'config', password: 'config', aliases: ['staff@example.org'], postmaster: true },
  })
  await refused('account show nobody', /there is no account "nobody"; see mox account list/)
  await done('account quota bob 0', /bob has no quota/)
  await done('account quota bob 2k', /is 2048 bytes/)
  expect((await world.directory.account('bob'))?.quota).toBe(2048)
  await refused('account quota alice 1', /is in the config file; set `quota` there/)
})

test('limits', async () => {
  await done('account limits bob', /"maxOutgoingPerDay":7,"maxFirstTimeRecipientsPerDay":5,"maxQueued":9,/)
  await done(
    'account limits bob',
    /"maxOutgoingPerDay":0,.*"maxQueued":9,"maxQueuedBytes":1024,"keepRetiredDays":"default"\}/,
    {
      'max-outgoing': 0,
      'max-queued-bytes': '1k',
    },
  )
  expect(await world.directory.account('bob')).toMatchObject({ maxOutgoingPerDay: 0, maxQueuedBytes: 1024 })
  await done('account limits alice', /"maxOutgoingPerDay":1000,/)
  await refused('account limits alice', /is in the config file; set its limits there/, { 'max-queued': 1 })
  await refused('account limits bob', /--max-queued 1\.5 must be a whole number/, { 'max-queued': 1.5 })
  await done('account limits bob', /"keepRetiredDays":30\}/, { 'keep-retired-days': '30' })
  expect((await world.directory.account('bob'))?.keepRetiredDays).toBe(30)
  await done('account limits bob', /"keepRetiredDays":"default"\}/, { 'keep-retired-days': 'default' })
  expect((await world.directory.account('bob'))?.keepRetiredDays).toBeUndefined()
  for (const days of ['-1', '36501', 'x', ''])
    await refused('account limits bob', /must be a number of days up to 36500, or "default"/, {
      'keep-retired-days': days,
    })
  await refused('account limits bob', /"-1" is no size/, { 'max-queued-bytes': '-1' })
  await refused('account limits nobody', /there is no account "nobody"/)
})

test('passwords and logins', async () => {
  await done('account password bob bobs_own_password', /the password of bob is set/)
  expect(await login('bob@example.org', 'bobs own password')).toBe('ok bob bob@example.org')
  await done('account password bob another_password', /is set/)
  expect(await login('bob@example.org', 'bobs own password')).toBe('535 badpassword')
  expect(await login('bob@example.org', 'another password')).toBe('ok bob bob@example.org')
  const made = await world.mox('account password bob', { generate: true })
  const password = made.kind === 'text' ? made.text : ''
  expect(password).toMatch(/^[A-Za-z0-9]{16}$/)
  expect(await login('bob@example.org', password)).toBe('ok bob bob@example.org')
  await refused('account password bob short', /the password has fewer than 8 bytes/)
  await refused('account password bob', /the password is missing/)
  await refused('account password alice whatever12', /is in the config file; change it there/)
  await refused('account password nobody whatever12', /there is no account "nobody"/)
  // An account of the config file without a password there has it in the database.
  await done('account password dave daves_password', /is set/)
  expect(await login('dave@example.org', 'daves password')).toBe('ok dave dave@example.org')

  await done('account disable bob ask_the_office', /logins of bob are refused/)
  expect(await login('bob@example.org', password)).toBe('525 logindisabled')
  await refused('account disable bob ü', /printable ASCII/)
  await refused('account disable alice x', /set `loginDisabled` there/)
  await world.restart()
  expect(await login('bob@example.org', password)).toBe('525 logindisabled')
  await done('account enable bob', /bob may log in/)
  expect(await login('bob@example.org', password)).toBe('ok bob bob@example.org')
  expect(await login('dave@example.org', 'daves password')).toBe('ok dave dave@example.org')
})

test('a hash for the config file', async () => {
  const made = await world.mox('account hash correct_horse')
  const hash = made.kind === 'text' ? made.text : ''
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$\S+ SCRAM-SHA-256\$10000:\S+ SCRAM-SHA-1\$8192:\S+$/)
  const other = await openWorld({
    domains: { 'example.org': {} },
    accounts: { a: { addresses: ['a@example.org'], passwordHash: hash } },
  })
  try {
    expect(ending(await other.directory.login('a@example.org', 'correct horse', context()))).toBe('ok a a@example.org')
    expect(ending(await other.directory.login('a@example.org', 'wrong horse', context()))).toBe('535 badpassword')
  } finally {
    await other.close()
  }
})

test('addresses', async () => {
  await done('address add bob @xn--bcher-kva.example', /@xn--bcher-kva\.example belongs to bob/)
  await done('address add bob bobby@example.org', /belongs to bob/, { mailbox: 'Bobby' })
  await refused('address add bob bobby@example.org', /belongs to account bob already/)
  await refused('address add bob staff@example.org', /is an alias/)
  await refused('address add alice b@example.org', /account alice is in the config file; add the address there/)
  await refused('address add bob b@example.org', /one line/, { mailbox: 'a\nb' })
  expect(await world.directory.resolve({ localpart: 'bobby', domain: 'example.org' })).toEqual({
    kind: 'account',
    account: 'bob',
    address: 'bobby@example.org',
    mailbox: 'Bobby',
  })
  expect((await world.rows('address list bob')).map(r => `${r['address']} ${r['mailbox']}`)).toEqual([
    '@xn--bcher-kva.example Inbox',
    'bob@example.org Inbox',
    'bobby@example.org Bobby',
  ])
  expect((await world.rows('address list')).length).toBe(5)
  await refused(
    'domain remove bücher.example',
    /has 1 address; remove first: mox address remove @xn--bcher-kva\.example/,
  )
  await refused('address remove alice@example.org', /is in the config file; remove it there/)
  await refused('address remove nobody@example.org', /no account has the address nobody@example\.org/)
  await done('address remove bobby@example.org', /removed bobby@example\.org from bob/)
  await done('address remove @bücher.example', /removed/)
  await refused(
    'address remove bob@example.org',
    /is the only address of bob; add another one first, or run: mox account remove bob/,
  )
  await refused('address list nobody', /there is no account/)
})

test('aliases', async () => {
  await done('alias add team@example.org bob@example.org alice@example.org', /added team@example\.org/, {
    'post-public': true,
    'allow-msg-from': true,
  })
  await refused('alias add team@example.org bob@example.org', /is there already; add members with: mox alias addmember/)
  await refused('alias add bob@example.org alice@example.org', /belongs to account bob already/)
  await refused('alias add more@example.org', /it has no members/)
  await refused('alias add more@example.org nobody@example.org', /nobody@example\.org is no address of an account/)
  await refused('alias add more@example.org team@example.org', /is an alias itself/)
  await refused('alias add more@nowhere.example bob@example.org', /not configured/)
  expect(await world.rows('alias list')).toEqual([
    { alias: 'staff@example.org', members: ['alice@example.org'], ...flags(false, false), source: 'config' },
    {
      alias: 'team@example.org',
      members: ['bob@example.org', 'alice@example.org'],
      ...flags(true, true),
      source: 'database',
    },
  ])
  expect(await world.directory.maySendAs('bob', { localpart: 'team', domain: 'example.org' })).toBe(true)
  await done('alias removemember team@example.org alice@example.org', /removed alice@example\.org from team/)
  await refused(
    'alias removemember team@example.org alice@example.org',
    /is no member of team@example\.org; these are: bob/,
  )
  await refused(
    'alias removemember team@example.org bob@example.org',
    /only member of team@example\.org; remove the alias: mox/,
  )
  await done('alias addmember team@example.org dave@example.org', /dave@example\.org is a member of team/)
  await refused('alias addmember team@example.org dave@example.org', /listed twice/)
  await refused('alias addmember staff@example.org dave@example.org', /is in the config file; change it there/)
  await refused('alias remove staff@example.org', /is in the config file/)
  await refused('alias remove none@example.org', /there is no alias none@example\.org/)
  await refused(
    'account remove bob',
    /is a member of alias team@example\.org; first run: mox alias removemember team@example\.org bob/,
  )
  await done('alias removemember team@example.org dave@example.org', /removed/)
  await refused('account remove bob', /first run: mox alias remove team@example\.org/)
  await done('alias remove team@example.org', /removed team/)

  function flags(post: boolean, from: boolean) {
    return { 'post-public': post, 'list-members': false, 'allow-msg-from': from }
  }
})

test('removing an account', async () => {
  await refused('account remove alice', /account alice is in the config file/)
  await world.mox('domain add gone.example')
  await world.mox('account add erin erin@gone.example')
  await world.mox('account password erin erins_password')
  await done('account remove erin', /^removed erin, and all that was kept for it$/)
  expect(await login('erin@gone.example', 'erins password')).toBe('535 baduser')
  await world.mox('account add erin erin@gone.example')
  expect(await login('erin@gone.example', 'erins password')).toBe('535 badpassword')
  await done('account remove erin', /removed/)
  await done('domain remove gone.example', /removed/)
})

test('messages in the queue keep their account and address', async () => {
  await world.mox('account add fred fred@example.org')
  await world.mox('address add fred freddy@example.org')
  const from: Path = { localpart: 'freddy', domain: 'example.org' }
  const { storage } = world
  const id = await storage.write(async () => {
    const writer = storage.content.writer()
    await writer.write(Buffer.from('text'))
    const contentId = await storage.content.keep(await writer.finish(createHash('sha256').update('text').digest()))
    const message: Omit<StoredMessage, 'id'> = {
      ...{ kind: 'submission', source: 'submission', prefix: Buffer.alloc(0), contentId, remoteIp: '', helo: '' },
      ...{ protocol: 'ESMTP', recipients: ['x@example.com'], facts: {}, trace: [], account: 'fred', reversePath: from },
      ...{ receivedAt: 0, messageIdHeader: '', subject: '', size: 4, has8bit: false, smtputf8: false },
    }
    const messageId = await storage.messages.add(message)
    const recipient: Path = { localpart: 'x', domain: 'example.com' }
    const job = { recipient, recipientDomain: 'example.com', reversePath: from, due: 0, hold: true, maxAttempts: 1 }
    const [jobId = 0] = await storage.queue.add(messageId, [{ ...job, extra: {} }])
    return jobId
  })
  expect(id).toBeGreaterThan(0)
  await refused('address remove freddy@example.org', /messages from freddy@example\.org are in the queue .*--force/)
  await done('address remove fred@example.org', /removed/)
  await refused(
    'account remove fred',
    /fred has messages in the queue; wait until they have left it, or run: mox queue drop --account fred/,
  )
  await done('address add fred fred@example.org', /belongs/)
  await done('address remove freddy@example.org', /removed/, { force: true })
  const [job] = await storage.queue.list({ account: 'fred' }, { limit: 1 })
  const retired = { status: 'cancelled', lastActivity: 0, keepUntil: 1e15, trace: [] } as const
  await storage.write(() => storage.queue.retire(job === undefined ? [] : [{ ...job, ...retired }]))
  expect(await storage.history.list({ account: 'fred' }, { limit: 9 })).toHaveLength(1)
  await done('account remove fred', /removed fred/)
  expect(await storage.history.list({}, { limit: 9 })).toEqual([])
  await refused('account remove alice', /alice is still an account/, { leftovers: true })
  await done('account remove fred', /removed fred/, { leftovers: true })
})

test('the postmaster of the config file stays', async () => {
  const other = await openWorld({ domains: { 'example.org': {} } })
  try {
    await other.mox('account add bob bob@example.org')
    await other.restart({ domains: { 'example.org': {} }, postmaster: 'bob' })
    expect(await other.refusal('account remove bob')).toMatch(/bob is the postmaster of the config file; name another/)
  } finally {
    await other.close()
  }
})

test('sizes and generated passwords', () => {
  const check = (text: string, expected: number | null): void => {
    if (expected === null) expect(() => parseSize(text), text).toThrow(/is no size/)
    else expect(parseSize(text), text).toBe(expected)
  }
  check('0', 0)
  check('500', 500)
  check('1k', 1024)
  check('2MB', 2 * 1024 ** 2)
  check('3g', 3 * 1024 ** 3)
  check('1t', 1024 ** 4)
  check('', null)
  check('-1', null)
  check('1.5g', null)
  check('1x', null)
  check('999999999999999t', null)
  const random = world.host.random
  const made = Array.from({ length: 100 }, () => generatePassword(random))
  expect(new Set(made).size).toBe(100)
  expect(made.every(p => p.length === GENERATED_LENGTH)).toBe(true)
})
