// Rules for deliveries: which message goes where, what is refused, and that no expression takes long.
import { deepStrictEqual, rejects, strictEqual } from 'node:assert'
import { type DeliveryRule, type LocalDelivery, MailboxError, type MailStore, UsageError } from '@mox/plugin-sdk'
import { afterEach, beforeEach, test } from 'vitest'
import { ruleCommands } from '../src/rule-commands.ts'
import {
  COMMENT_LENGTH,
  EXPRESSION_LENGTH,
  LOOKED_AT,
  RULE_HEADERS,
  RULES,
  RULES_LENGTH,
  VALUE_LENGTH,
} from '../src/rules.ts'
import { ACCOUNT } from '../src/schema.ts'
import { verifyAfterEach } from '../src/testing.ts'
import { type Harness, openHarness } from './support/harness.ts'

let h: Harness
let store: MailStore
beforeEach(async () => {
  h = await openHarness()
  store = await h.mailboxes.store('alice')
})
afterEach(() => h.close())
verifyAfterEach(afterEach, () => h.mailboxes)

const rule = (fields: Partial<DeliveryRule>): DeliveryRule => ({
  recipient: '',
  mailbox: 'Ruled',
  comment: '',
  ...fields,
})

async function where(message: string, fields: Partial<LocalDelivery> = {}): Promise<string> {
  const outcome = await h.deliver('alice', message, fields)
  if (!outcome.ok) return outcome.reply.text
  const found = await h.mailboxes.message(outcome.id)
  return (await store.mailboxes()).find(m => m.id === found?.mailboxId)?.name ?? ''
}

test('conditions', async () => {
  const message = 'From: "A" <Ann@List.Example>\nList-Id: The =?utf-8?q?=C3=9Cber?= List <l.example>\nSubject: x\n\n'
  const check = async (fields: Partial<DeliveryRule>, expected: boolean, delivery: Partial<LocalDelivery> = {}) => {
    await store.addRule(rule(fields))
    strictEqual(await where(message, delivery), expected ? 'Ruled' : 'Inbox')
    strictEqual(await store.removeRule(rule({ ...fields, comment: 'another' })), 1)
  }
  await check({ mailFrom: '^sender@remote\\.test$' }, true)
  await check({ mailFrom: 'SENDER' }, true)
  await check({ mailFrom: '^$' }, false)
  await check({ mailFrom: '^$' }, true, { reversePath: null })
  await check({ msgFrom: '^ann@list\\.example$' }, true)
  await check({ msgFrom: 'sender' }, false)
  await check({ headers: [{ name: '^list-id$', value: '<l\\.example>$' }] }, true)
  await check({ headers: [{ name: '^list-id$', value: 'über list' }] }, true)
  await check({ headers: [{ name: '^list$', value: '' }] }, false)
  await check(
    {
      headers: [
        { name: '^subject$', value: '^X$' },
        { name: 'list', value: 'nothing' },
      ],
    },
    false,
  )
  const verified = { verifiedDomains: ['mail.list.example'] }
  await check({ verifiedDomain: 'list.example' }, true, verified)
  await check({ verifiedDomain: 'LIST.example' }, true, verified)
  await check({ verifiedDomain: 'ist.example' }, false, verified)
  await check({ verifiedDomain: 'list.example' }, false)
  await check({ msgFrom: 'ann', recipient: 'ALICE@local.test' }, true)
  await check({ msgFrom: 'ann', recipient: 'other@local.test' }, false)
  await check({ msgFrom: 'ann', mailFrom: 'nobody' }, false)
  strictEqual(await where(message), 'Inbox')
})

test('the first that matches decides; junk goes to Junk; no author in doubt', async () => {
  await store.addRule(rule({ msgFrom: 'nobody', mailbox: 'No' }))
  await store.addRule(rule({ msgFrom: 'ann', mailbox: 'inbox/First' }))
  await store.addRule(rule({ mailFrom: '.', mailbox: 'Second' }))
  strictEqual(await where('From: ann@a.test\n\n'), 'Inbox/First')
  strictEqual(await where('From: ann@a.test, bob@b.test\n\n'), 'Second')
  strictEqual(await where('From: ann@a.test\n\n', { junk: true }), 'Junk')
  strictEqual(await h.deliver('bob', 'From: ann@a.test\n\n').then(o => o.ok), true)
  deepStrictEqual(
    (await store.rules()).map(r => r.mailbox),
    ['No', 'Inbox/First', 'Second'],
  )
})

test('refused rules', async () => {
  const check = async (fields: Partial<DeliveryRule>, problem: string | null) => {
    const result = await store.addRule(rule(fields)).then(
      () => null,
      (err: unknown) => (err instanceof MailboxError ? err.problem : err),
    )
    strictEqual(result, problem)
  }
  await check({}, 'rule')
  await check({ headers: [] }, 'rule')
  await check({ msgFrom: 'a', mailbox: 'a//b' }, 'name')
  await check({ msgFrom: '(' }, 'rule')
  await check({ msgFrom: '(?=a)' }, 'rule')
  await check({ msgFrom: '(a)\\1' }, 'rule')
  await check({ msgFrom: '((a{30}){30})' }, 'rule')
  await check({ headers: [{ name: 'a', value: '[' }] }, 'rule')
  await check({ msgFrom: 'a', recipient: 'nobody' }, 'rule')
  await check({ verifiedDomain: 'a b' }, 'rule')
  await check({ msgFrom: 'a', comment: 'x'.repeat(COMMENT_LENGTH) }, null)
  await check({ msgFrom: 'a', comment: 'x'.repeat(COMMENT_LENGTH + 1) }, 'rule')
  const wide = (n: number) => `[${'a'.repeat(n - 2)}]`
  await check({ msgFrom: wide(EXPRESSION_LENGTH) }, null)
  await check({ msgFrom: wide(EXPRESSION_LENGTH + 1) }, 'rule')
  const headers = (n: number) => Array.from({ length: n }, () => ({ name: 'a', value: 'b' }))
  await check({ headers: headers(RULE_HEADERS) }, null)
  await check({ headers: headers(RULE_HEADERS + 1) }, 'rule')
  for (let i = (await store.rules()).length; i < RULES; i++) await check({ msgFrom: `${i}` }, null)
  await check({ msgFrom: 'one more' }, 'limit')
})

test('all rules together', async () => {
  const long = rule({ msgFrom: `[${'a'.repeat(EXPRESSION_LENGTH - 2)}]`, comment: 'x'.repeat(COMMENT_LENGTH) })
  const fits = Math.floor((RULES_LENGTH - 2) / (JSON.stringify({ ...long }).length + 1))
  for (let i = 0; i < fits; i++) await store.addRule(long)
  await rejects(store.addRule(long), MailboxError)
  strictEqual(await store.removeRule(long), fits)
  strictEqual((await h.storage.db(ACCOUNT).where({ name: 'alice' }).first('rules')).rules, '')
})

test('what is looked at is bounded, and takes no long time', async () => {
  await store.addRule(rule({ headers: [{ name: '^x$', value: 'end$' }] }))
  strictEqual(await where(`X: ${'x'.repeat(VALUE_LENGTH - 3)}end\n\n`), 'Ruled')
  strictEqual(await where(`X: ${'x'.repeat(VALUE_LENGTH - 2)}end\n\n`), 'Inbox')
  // Nearly all rules look at both fields, "received" of the harness and "x", and the last one finds what it looks for.
  const [last] = await store.rules()
  if (last !== undefined) await store.removeRule(last)
  for (let i = 1; i < RULES; i++) await store.addRule(rule({ headers: [{ name: '', value: '^nothing$' }] }))
  await store.addRule(rule({ headers: [{ name: '^x$', value: 'a$' }] }))
  const received = 'received'.length + 1 + 'from mx.test'.length + 1
  const n = Math.floor((LOOKED_AT - (RULES - 1) * (received + 3) - 'received'.length - 4) / RULES)
  strictEqual(await where(`X: ${'a'.repeat(n)}\n\n`), 'Ruled')
  strictEqual(await where(`X: ${'a'.repeat(n + 1)}\n\n`), 'Inbox')
  for (const one of await store.rules()) await store.removeRule(one)
  for (let i = 0; i < 20; i++) await store.addRule(rule({ headers: [{ name: '^(y+)+$', value: '^(a+)+$' }] }))
  const started = performance.now()
  strictEqual(await where(`${'y:\n'.repeat(3_900)}\n`), 'Inbox')
  strictEqual(await where(`From: a@x.test\nY: ${'a'.repeat(900)}b\n\n`), 'Inbox')
  strictEqual(performance.now() - started < 5_000, true)
})

test('commands', async () => {
  const run = async (name: string, words: string[], flags: [string, string | boolean][] = []) => {
    const command = ruleCommands(h.mailboxes).find(c => c.path[2] === name)
    return await command?.run({ arguments: words, flags: new Map(flags), limit: 100 })
  }
  const flags: [string, string][] = [
    ['recipient', 'alice@local.test'],
    ['header', '^list-id$=a=b'],
    ['verified-domain', 'a.test'],
    ['comment', 'the list'],
  ]
  deepStrictEqual(await run('add', ['alice', 'Lists/A'], flags), { kind: 'text', text: 'rule added' })
  const list = await run('list', ['alice'])
  deepStrictEqual(list?.kind === 'rows' && list.rows, [
    {
      number: 1,
      recipient: 'alice@local.test',
      mailbox: 'Lists/A',
      conditions: 'verified-domain a.test; header ^list-id$=a=b',
      comment: 'the list',
    },
  ])
  const more: [string, string | boolean][] = [
    ['mail-from', 'a'],
    ['verified-domain', 'a.test'],
    ['forward', true],
    ['list-allow-domain', 'b.test'],
    ['accept-rejects', 'Kept'],
  ]
  await run('add', ['alice', 'x'], more)
  const second = await run('list', ['alice'])
  strictEqual(
    second?.kind === 'rows' && second.rows[1]?.['conditions'],
    'mail-from a; verified-domain a.test; forward; list-allow-domain b.test; accept-rejects Kept',
  )
  await run('remove', ['alice', '2'])
  await rejects(run('add', ['alice', 'x']) ?? Promise.resolve(), UsageError)
  await rejects(run('add', ['alice', 'x'], [['header', '=x']]) ?? Promise.resolve(), UsageError)
  await rejects(run('remove', ['alice', '2']) ?? Promise.resolve(), UsageError)
  await rejects(run('remove', ['alice', 'x']) ?? Promise.resolve(), UsageError)
  deepStrictEqual(await run('remove', ['alice', '1']), { kind: 'text', text: 'rule removed' })
  deepStrictEqual(await store.rules(), [])
})
