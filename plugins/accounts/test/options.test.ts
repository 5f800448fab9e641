// Mistakes in the config file: each is named with what to do, and all are found at once.
import { afterEach, expect, test } from 'vitest'
import { MAX_KEEP_DAYS } from '../src/entries.ts'
import {
  ACCOUNT_NAME_LENGTH,
  ALIAS_MEMBERS,
  FULL_NAME_LENGTH,
  LOGIN_DISABLED_LENGTH,
  MAILBOX_LENGTH,
  SEPARATOR_LENGTH,
  SEPARATORS,
} from '../src/fields.ts'
import { options } from '../src/options.ts'
import { openWorld, type World } from './support/world.ts'

/** "path: message" of every problem. */
function problems(input: unknown): string[] {
  const result = options.safeParse(input)
  return result.success ? [] : result.error.issues.map(i => `${i.path.join('.')}: ${i.message}`)
}

function check(input: unknown, ...expected: RegExp[]): void {
  const found = problems(input)
  expect(found.length, found.join('\n')).toBe(expected.length)
  for (const [i, pattern] of expected.entries()) expect(found[i]).toMatch(pattern)
}

const domain = (more: object): object => ({ domains: { 'example.org': more } })
const account = (more: object): object => ({ domains: { 'example.org': {} }, accounts: { alice: more } })
const aliased = (alias: object): object => ({
  domains: { 'example.org': { aliases: { team: alias } } },
  accounts: { alice: { addresses: ['alice@example.org'] } },
})

test('defaults', () => {
  expect(options.parse(undefined)).toEqual({ domains: {}, accounts: {}, loginLimits: { perMinute: 10, perDay: 50 } })
  expect(options.parse({ loginLimits: false }).loginLimits).toBe(false)
  expect(options.parse({ loginLimits: { perMinute: 5 } }).loginLimits).toEqual({ perMinute: 5, perDay: 50 })
})

test('shapes', () => {
  check({ domain: {} }, /: unknown option "domain"; the options here are domains, accounts, postmaster/)
  check(domain({ separator: '+' }), /^domains\.example\.org: unknown option "separator"; .*separators/)
  check(account({ adresses: [] }), /^accounts\.alice: unknown option "adresses"; .*addresses/)
  check(account({ addresses: [5] }), /^accounts\.alice\.addresses\.0: must be an address such as/)
  check(account({ quota: -1 }), /quota: must be bytes, 0 for no limit/)
  check(account({ quota: 1.5 }), /quota: must be a whole number of bytes/)
  for (const limit of ['maxOutgoingPerDay', 'maxFirstTimeRecipientsPerDay', 'maxQueued', 'maxQueuedBytes']) {
    check(account({ [limit]: 0 }))
    check(account({ [limit]: -1 }), new RegExp(`${limit}: must be a number of (?:recipients|bytes), 0 for no limit`))
  }
  check(account({ keepRetiredDays: 0 }))
  check(account({ keepRetiredDays: MAX_KEEP_DAYS }))
  check(account({ keepRetiredDays: MAX_KEEP_DAYS + 1 }), /keepRetiredDays: must be at most 36500 days/)
  check(account({ keepRetiredDays: -1 }), /keepRetiredDays: must be days, 0 to keep nothing/)
  check({ loginLimits: { perMinute: 0 } }, /loginLimits/)
  check({ loginLimits: true }, /loginLimits: must be \{ perMinute, perDay \}, or false/)
  check(account({ fullName: 'two\nlines' }), /fullName: must be at most 200 characters on one line/)
})

test('passwords', () => {
  check(account({ password: '12345678' }))
  check(account({ password: '1234567' }), /password: has fewer than 8 bytes; use a longer one/)
  check(account({ password: 'tab\tinside' }), /password: has a control character/)
  check(account({ password: 5 }), /password: must be \{ secret: "name" \}/)
  check(account({ password: { secret: 'alice' } }))
  check(account({ password: { secret: 'ALICE' } }), /password.secret: must be the name of a secret, lower-case letters/)
  check(account({ passwordHash: 'x' }), /passwordHash: cannot be read; make it with `mox account hash`/)
  const hash = `$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`
  check(account({ passwordHash: hash }))
  check(account({ passwordHash: hash.replace('m=19456', 'm=262145') }), /passwordHash/)
  check(account({ passwordHash: hash, password: '12345678' }), /has both `password` and `passwordHash`; remove one/)
})

test('names and addresses', () => {
  check(
    { domains: { 'exa mple': {} } },
    /^domains\.exa mple: "exa mple" is no domain \(bad domain\); write one such as/,
  )
  check({ domains: { '[127.0.0.1]': {} } }, /address literal; write a domain name/)
  check({ domains: { 'example.org': {}, 'EXAMPLE.org': {} } }, /example\.org is in the config file twice; remove one/)
  check({ accounts: { Alice: {} } }, /^accounts\.Alice: "Alice" is no account name; use 1 to 64 of a-z/)
  check({ accounts: { [`a${'b'.repeat(ACCOUNT_NAME_LENGTH - 1)}`]: {} } })
  check({ accounts: { [`a${'b'.repeat(ACCOUNT_NAME_LENGTH)}`]: {} } }, /is no account name/)
  check(
    account({ addresses: ['alice'] }),
    /^accounts\.alice\.addresses\.0: "alice" is no address \(no localpart and @\)/,
  )
  check(account({ addresses: ['alice@[127.0.0.1]'] }), /has an address literal/)
  check(account({ addresses: ['@'] }), /is no domain/)
  check(
    account({ addresses: ['alice@example.org', 'ALICE@example.org'] }),
    /ALICE@example\.org is taken by address alice@example\.org of account alice in the config file; remove one/,
  )
  check(account({ addresses: ['a+b@example.org'] }), /"\+" is a separator of example\.org, .*; leave it out, or change/)
  check(account({ addresses: ['+b@example.org', '@example.org'] }))
  check(account({ addresses: ['@example.org', '@EXAMPLE.org'] }), /@example\.org is taken by/)
  check(account({ addresses: [{ address: 'a@example.org', refuse: { code: 500, text: 'x' } }] }), /addresses\.0/)
  check(account({ addresses: [{ address: 'a@example.org', refuse: { code: 550, text: 'ü' } }] }), /addresses\.0/)
  check(account({ addresses: [{ address: 'a@example.org', mailbox: 'a\nb' }] }), /addresses\.0/)
  check(account({ loginDisabled: 'x'.repeat(LOGIN_DISABLED_LENGTH - 1) }))
  check(account({ loginDisabled: 'x'.repeat(LOGIN_DISABLED_LENGTH) }), /loginDisabled: what the user is told must be/)
  check(account({ loginDisabled: 'é' }), /loginDisabled/)
  check(account({ fullName: 'x'.repeat(FULL_NAME_LENGTH) }))
  check(account({ fullName: 'x'.repeat(FULL_NAME_LENGTH + 1) }), /fullName: must be at most/)
  const filed = (mailbox: string): object => account({ addresses: [{ address: 'a@example.org', mailbox }] })
  check(filed('x'.repeat(MAILBOX_LENGTH)))
  check(filed('x'.repeat(MAILBOX_LENGTH + 1)), /addresses\.0/)
})

test('separators', () => {
  check(domain({ separators: [] }))
  check(domain({ separators: ['x'] }), /separators\.0: "x" is no separator; use 1 to 8 punctuation/)
  check(domain({ separators: [''] }), /separators\.0/)
  check(domain({ separators: ['@'] }), /separators\.0/)
  check(domain({ separators: ['+'.repeat(SEPARATOR_LENGTH)] }))
  check(domain({ separators: ['+'.repeat(SEPARATOR_LENGTH + 1)] }), /separators\.0/)
  check(domain({ separators: ['+', '+'] }), /separators: a separator is listed twice; remove one/)
  const many = ['+', '-', '=', '_', '~', '!', '#', '$', '%']
  check(domain({ separators: many.slice(0, SEPARATORS) }))
  check(domain({ separators: many.slice(0, SEPARATORS + 1) }), /separators: at most 8 separators/)
})

test('aliases', () => {
  check(aliased({ members: ['alice@example.org'] }))
  check(aliased({ members: [] }), /alias team@example\.org in the config file: it has no members; add at least one/)
  check(aliased({ members: ['x'] }), /^domains\.example\.org\.aliases\.team\.members\.0: "x" is no address/)
  check(aliased({ members: ['alice@example.org', 'Alice@example.org'] }), /is listed twice; remove one/)
  check(aliased({ members: ['team@example.org'] }), /team@example\.org is an alias itself; list its members instead/)
  check(
    { domains: { 'example.org': { aliases: { 'a b': { members: ['a@example.org'] } } } } },
    /^domains\.example\.org\.aliases\.a b: .*is no address/,
  )
  check(
    { domains: { 'example.org': { aliases: { 'a+b': { members: ['b@example.org'] } } } } },
    /alias a\+b@example\.org in the config file: "\+" is a separator/,
  )
  check(
    {
      domains: { 'example.org': { aliases: { alice: { members: ['bob@example.org'] } } } },
      accounts: { alice: { addresses: ['alice@example.org'] } },
    },
    /alias alice@example\.org in the config file: alice@example\.org is taken by address alice@example\.org/,
  )
  const members = Array.from({ length: ALIAS_MEMBERS + 1 }, (_, i) => `a${i}@example.org`)
  check(aliased({ members: members.slice(1) }))
  check(aliased({ members }), /more than 1000 members/)
})

test('several mistakes at once', () => {
  check(
    {
      domains: { 'exa mple': {}, 'example.org': { aliases: { team: { members: [] } } } },
      accounts: { alice: { addresses: ['x', 'a+b@example.org'] } },
    },
    /exa mple/,
    /"x" is no address/,
    /separator/,
    /no members/,
  )
})

const worlds: World[] = []
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close()
})

async function startFails(input: Parameters<typeof openWorld>[0], ...expected: RegExp[]): Promise<void> {
  const error = await openWorld(input).then(
    world => {
      worlds.push(world)
      return new Error('it started')
    },
    (e: unknown) => e as Error,
  )
  for (const pattern of expected) expect(error.message).toMatch(pattern)
}

test('what only the database can complete is found at start', async () => {
  await startFails(
    {
      domains: { 'example.org': { aliases: { team: { members: ['bob@example.org'] } } } },
      accounts: { alice: { addresses: ['alice@example.com'] } },
      postmaster: 'bob',
      fallbackAccount: 'carol',
    },
    /domain example\.com is not configured; add it under `domains`, or run: mox domain add example\.com/,
    /member bob@example\.org is no address of an account; give it to one, or remove the member/,
    /postmaster: there is no account "bob"; name one that exists/,
    /fallbackAccount: there is no account "carol"/,
  )
  await startFails(
    {
      domains: { 'example.org': {} },
      accounts: { alice: { password: { secret: 'one' } }, bob: { password: { secret: 'two' } } },
    },
    /accounts\.alice\.password: the secret "one" is missing/,
    /accounts\.bob\.password: the secret "two" is missing/,
  )
})

test('a name in both places is named with both', async () => {
  const world = await openWorld({ domains: { 'example.org': {} } })
  worlds.push(world)
  await world.mox('domain add example.com')
  await world.mox('account add alice alice@example.com')
  await world.mox('account add bob bob@example.org')
  await expect(
    world.restart({
      domains: { 'example.org': {}, 'example.com': {} },
      accounts: { alice: { addresses: ['bob@example.org'] } },
    }),
  ).rejects.toThrow(
    /domain example\.com is in the config file and in the database; take it out[\s\S]*account alice is in the config file and in the database; take it out[\s\S]*bob@example\.org is taken by/,
  )
  await world.restart({ domains: { 'example.org': {} } })
})
