// What addresses mean: rows of addresses and resolutions, and who may send as what.
import type { Directory, Resolution } from '@mox/plugin-sdk'
import { parsePath } from '@mox/plugin-sdk/mail'
import { expect, test } from 'vitest'
import { configEntries } from '../src/config.ts'
import { Lookup } from '../src/lookup.ts'
import { type OptionsInput, options } from '../src/options.ts'

function lookupOf(input: OptionsInput, hostname: string = 'mail.example.net'): Lookup {
  const parsed = options.parse(input)
  const { postmaster, fallbackAccount } = parsed
  return new Lookup(configEntries(parsed).entries, { postmaster, fallbackAccount }, hostname)
}

/** An address as RCPT has it, without brackets. */
function pathOf(text: string): Parameters<Directory['resolve']>[0] {
  const parsed = parsePath(`<${text}>`, { smtputf8: true, kind: 'forward' })
  if (!parsed.ok) throw new Error(`${text}: ${parsed.error}`)
  return parsed.path
}

function describe(resolution: Resolution): string {
  switch (resolution.kind) {
    case 'account': {
      const refused = resolution.refuse === undefined ? '' : ` ${resolution.refuse.code}`
      const mailbox = resolution.mailbox === 'Inbox' ? '' : ` in ${resolution.mailbox}`
      return `${resolution.account} ${resolution.address}${mailbox}${refused}`
    }
    case 'alias':
      return `alias ${resolution.address}: ${resolution.members.map(describe).join(', ')}`
    case 'disabled':
    case 'unknown':
      return `${resolution.kind} ${resolution.domain.name}`
    default:
      return resolution.kind
  }
}

const ORDINARY: OptionsInput = {
  domains: {
    'example.org': {
      aliases: {
        team: { members: ['alice@example.org', 'bob@cased.example'], postPublic: true },
        writers: { members: ['alice@example.org'], allowMsgFrom: true },
      },
    },
    'cased.example': { caseSensitive: true, separators: ['-', '--', '+'] },
    'none.example': { separators: [] },
    'all.example': { aliases: { sales: { members: ['bob@all.example'] } } },
    'off.example': { disabled: true, aliases: { list: { members: ['alice@off.example'] } } },
    'bücher.example': {},
  },
  accounts: {
    alice: {
      addresses: [
        'alice@example.org',
        'Ärger@example.org',
        '"two words"@example.org',
        '+plus@example.org',
        'alice@off.example',
        'lesen@bücher.example',
        'Alice@cased.example',
        { address: 'noreply@example.org', refuse: { code: 550, text: 'not read' } },
        { address: 'busy@example.org', refuse: { code: 421, text: 'later' } },
        { address: 'lists@example.org', mailbox: 'Lists' },
      ],
    },
    bob: { addresses: ['bob@cased.example', 'a+b@none.example', '@all.example', 'bob@all.example'] },
    'post.master': { addresses: ['pm@example.org'] },
  },
  postmaster: 'post.master',
}

test('addresses', () => {
  const lookup = lookupOf(ORDINARY)
  const check = (address: string, expected: string): void =>
    expect(describe(lookup.resolve(pathOf(address))), address).toBe(expected)
  check('alice@example.org', 'alice alice@example.org')
  check('ALICE@Example.ORG', 'alice alice@example.org')
  check('alice+@example.org', 'alice alice@example.org')
  check('alice+shop@example.org', 'alice alice@example.org')
  check('Alice+Shop+More@example.org', 'alice alice@example.org')
  check('alice-shop@example.org', 'unknown example.org')
  check('"alice"@example.org', 'alice alice@example.org')
  check('"alice+a b"@example.org', 'alice alice@example.org')
  check('"two words"@example.org', 'alice "two words"@example.org')
  check('"Two Words+x"@example.org', 'alice "two words"@example.org')
  check('+plus@example.org', 'alice +plus@example.org')
  check('+plus+x@example.org', 'alice +plus@example.org')
  check('+alice@example.org', 'unknown example.org')
  check('nobody@example.org', 'unknown example.org')
  check('alic@example.org', 'unknown example.org')
  check('alice.@example.org'.replace('.@', '@'), 'alice alice@example.org')
  check('Ärger@example.org', 'alice Ärger@example.org')
  check('ärger@example.org', 'alice Ärger@example.org')
  check('a\u0308rger@example.org', 'alice Ärger@example.org')
  check('A\u0308RGER+x@example.org', 'alice Ärger@example.org')
  check('noreply@example.org', 'alice noreply@example.org 550')
  check('busy@example.org', 'alice busy@example.org 451')
  check('lists+dev@example.org', 'alice lists@example.org in Lists')
  check('lesen@bücher.example', 'alice lesen@xn--bcher-kva.example')
  check('lesen@xn--bcher-kva.example', 'alice lesen@xn--bcher-kva.example')
  check('LESEN@XN--BCHER-KVA.EXAMPLE', 'alice lesen@xn--bcher-kva.example')
  check('alice@example.com', 'remote')
  check('alice@sub.example.org', 'remote')
  check('alice@[127.0.0.1]', 'remote')
  check('alice@mail.example.net', 'remote')
})

test('case and separators by domain', () => {
  const lookup = lookupOf(ORDINARY)
  const check = (address: string, expected: string): void =>
    expect(describe(lookup.resolve(pathOf(address))), address).toBe(expected)
  check('Alice@cased.example', 'alice Alice@cased.example')
  check('alice@cased.example', 'unknown cased.example')
  check('Alice@CASED.example', 'alice Alice@cased.example')
  check('bob@cased.example', 'bob bob@cased.example')
  check('Bob@cased.example', 'unknown cased.example')
  check('bob-x@cased.example', 'bob bob@cased.example')
  check('bob--x+y@cased.example', 'bob bob@cased.example')
  check('bob+x-y@cased.example', 'bob bob@cased.example')
  check('-bob@cased.example', 'unknown cased.example')
  check('a+b@none.example', 'bob a+b@none.example')
  check('A+B@none.example', 'bob a+b@none.example')
  check('a@none.example', 'unknown none.example')
  check('a+b+c@none.example', 'unknown none.example')
})

test('catch-all, aliases, disabled domains', () => {
  const lookup = lookupOf(ORDINARY)
  const check = (address: string, expected: string): void =>
    expect(describe(lookup.resolve(pathOf(address))), address).toBe(expected)
  check('anything@all.example', 'bob @all.example')
  check('any+thing@all.example', 'bob @all.example')
  check('bob@all.example', 'bob bob@all.example')
  check('sales@all.example', 'alias sales@all.example: bob bob@all.example')
  const team = 'alias team@example.org: alice alice@example.org, bob bob@cased.example'
  check('team@example.org', team)
  check('TEAM@example.org', team)
  check('team+minutes@example.org', team)
  check('teams@example.org', 'unknown example.org')
  check('writers@example.org', 'alias writers@example.org: alice alice@example.org')
  check('alice@off.example', 'disabled off.example')
  check('nobody@off.example', 'disabled off.example')
  check('list@off.example', 'disabled off.example')
  check('postmaster@off.example', 'disabled off.example')
})

test('postmaster', () => {
  const lookup = lookupOf(ORDINARY)
  const check = (address: string, expected: string): void =>
    expect(describe(lookup.resolve(pathOf(address))), address).toBe(expected)
  check('postmaster', 'post.master postmaster@mail.example.net')
  check('PostMaster', 'post.master postmaster@mail.example.net')
  check('postmaster@mail.example.net', 'post.master postmaster@mail.example.net')
  check('POSTMASTER@MAIL.example.net', 'post.master postmaster@mail.example.net')
  check('postmaster@example.org', 'post.master postmaster@example.org')
  check('PostMaster+x@example.org', 'post.master postmaster@example.org')
  check('POSTMASTER@cased.example', 'post.master postmaster@cased.example')
  check('postmaster@all.example', 'post.master postmaster@all.example')
  check('postmaster@example.com', 'remote')
  check('postmasters@example.org', 'unknown example.org')

  const own = lookupOf({
    domains: { 'example.org': {} },
    accounts: { a: { addresses: ['postmaster@example.org', '@example.org'] }, b: {} },
    postmaster: 'b',
  })
  expect(describe(own.resolve(pathOf('Postmaster@example.org')))).toBe('a postmaster@example.org')
  const without = lookupOf({ domains: { 'example.org': {} }, accounts: {} })
  expect(describe(without.resolve(pathOf('postmaster')))).toBe('remote')
  expect(describe(without.resolve(pathOf('postmaster@example.org')))).toBe('unknown example.org')
  const host = lookupOf({ domains: { localhost: {} }, accounts: { a: { addresses: ['a@localhost'] } } }, 'localhost')
  expect(describe(host.resolve(pathOf('a@localhost')))).toBe('a a@localhost')
})

test('fallback for test servers', () => {
  const lookup = lookupOf({
    domains: { localhost: {}, 'off.example': { disabled: true } },
    accounts: { mox: { addresses: ['mox@localhost'] }, pm: {} },
    fallbackAccount: 'mox',
    postmaster: 'pm',
  })
  const check = (address: string, expected: string): void =>
    expect(describe(lookup.resolve(pathOf(address))), address).toBe(expected)
  check('mox@localhost', 'mox mox@localhost')
  check('other@localhost', 'mox @localhost')
  check('who@example.com', 'mox @example.com')
  check('who@[127.0.0.1]', 'mox @[127.0.0.1]')
  check('postmaster@localhost', 'pm postmaster@localhost')
  check('postmaster@example.com', 'mox @example.com')
  check('who@off.example', 'disabled off.example')
  expect(lookup.maySendAs('mox', pathOf('app@company.example'))).toBe(true)
  expect(lookup.maySendAs('pm', pathOf('app@company.example'))).toBe(false)
  expect(lookup.login(pathOf('other@localhost'))).toBeUndefined()
  expect(lookup.login(pathOf('who@example.com'))).toBeUndefined()
})

test('who may send as what', () => {
  const lookup = lookupOf(ORDINARY)
  const check = (account: string, address: string, expected: boolean): void =>
    expect(lookup.maySendAs(account, pathOf(address)), `${account} as ${address}`).toBe(expected)
  check('alice', 'alice@example.org', true)
  check('alice', 'ALICE+x@example.org', true)
  check('alice', 'noreply@example.org', true)
  check('alice', 'lesen@bücher.example', true)
  check('alice', 'bob@cased.example', false)
  check('alice', 'nobody@example.org', false)
  check('alice', 'alice@example.com', false)
  check('alice', 'alice@off.example', false)
  check('alice', 'writers@example.org', true)
  check('alice', 'writers+x@example.org', true)
  check('bob', 'writers@example.org', false)
  check('alice', 'team@example.org', false)
  check('bob', 'anything@all.example', true)
  check('bob', 'sales@all.example', false)
  check('bob', 'alice@cased.example', false)
  check('post.master', 'postmaster@example.org', true)
  check('nobody', 'alice@example.org', false)
  expect(lookup.account('alice')?.writesAs).toEqual(['writers@example.org'])
  expect(lookup.account('bob')?.writesAs).toBeUndefined()
})

test('lists', () => {
  const lookup = lookupOf(ORDINARY)
  expect(lookup.domains.map(d => d.name)).toContain('xn--bcher-kva.example')
  expect(lookup.domain('EXAMPLE.org')).toEqual({
    name: 'example.org',
    disabled: false,
    separators: ['+'],
    caseSensitive: false,
  })
  expect(lookup.domain('example.com')).toBeUndefined()
  expect(lookup.account('bob')?.addresses).toEqual([
    'bob@cased.example',
    'a+b@none.example',
    '@all.example',
    'bob@all.example',
  ])
  expect(lookup.account('bob')).toMatchObject({
    quota: 0,
    maxOutgoingPerDay: 1000,
    maxFirstTimeRecipientsPerDay: 200,
    maxQueued: 0,
  })
  expect(lookup.account('carol')).toBeUndefined()
  expect(lookup.accounts.map(a => a.name)).toEqual(['alice', 'bob', 'post.master'])
})
