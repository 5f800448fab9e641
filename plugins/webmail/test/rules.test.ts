import assert from 'node:assert/strict'
import { type MailStore, mailboxes } from '@mox/plugin-sdk'
import { afterAll, beforeAll, test } from 'vitest'
import { listDomain } from '../src/server/rules.ts'
import { openWebmail, refusal, type WebmailClient, type WebmailHost } from './webmail-host.ts'

let host: WebmailHost
let alice: WebmailClient
let store: MailStore
beforeAll(async () => {
  host = await openWebmail()
  alice = await host.login()
  store = await host.store('alice')
  for (const name of ['News', 'Work', 'Friends', 'Lists']) await store.create(name)
})
afterAll(() => host.close())

async function idOf(name: string): Promise<number> {
  return (await store.mailbox(name))?.id ?? 0
}

async function suggest(id: number | undefined, from: string, to: string) {
  return (await alice.call('ruleSuggest', { id: id ?? 0, from: await idOf(from), to: await idOf(to) })).suggestion
}

const ANN = 'From: Ann <Ann.O+x@remote.example>\nSubject: x\n\nhello\n'

test('a move from where mail goes by itself suggests a rule, and the way back suggests to remove it', async () => {
  const [id] = await host.deliver(ANN)
  const suggestion = await suggest(id, 'Inbox', 'Friends')
  const rule = {
    ...{ recipient: 'alice@example.org', msgFrom: '^ann\\.o\\+x\\@remote\\.example$', mailbox: 'Friends' },
    comment: 'by webmail on 2030-01-01',
  }
  assert.deepEqual(suggestion, {
    ...{ kind: 'add', listId: '', msgFrom: 'ann.o+x@remote.example', recipient: 'alice@example.org', rule },
  })
  assert.equal(await suggest(id, 'Friends', 'Inbox'), null)
  assert.equal(await suggest(id, 'Friends', 'Work'), null)
  assert.equal(await suggest(id, 'Inbox', 'Inbox'), null)
  await alice.call('ruleAdd', { rule })
  assert.equal(await suggest(id, 'Inbox', 'Friends'), null)
  assert.equal((await suggest(id, 'Friends', 'Inbox'))?.kind, 'remove')
  assert.deepEqual((await alice.call('rules', {})).rules, [rule])
  const [next] = await host.deliver(ANN)
  assert.equal((await store.listed([next ?? 0]))[0]?.mailboxId, await idOf('Friends'))
  await alice.call('ruleRemove', { rule: { ...rule, comment: 'another' } })
  assert.deepEqual((await alice.call('rules', {})).rules, [])
  assert.equal(await refusal(alice.call('ruleRemove', { rule })), 'notFound: there is no such rule any more')
  assert.match(
    await refusal(alice.call('ruleAdd', { rule: { ...rule, msgFrom: '(' } })),
    /^refused: msgFrom is no regular/,
  )
})

test('the usual mailbox is that of the recipient', async () => {
  const [id] = await host.deliver(ANN, { to: 'work@example.org' })
  assert.equal(await suggest(id, 'Inbox', 'Friends'), null)
  assert.equal((await suggest(id, 'Work', 'Friends'))?.recipient, 'work@example.org')
})

test('messages that suggest nothing', async () => {
  const { id } = await store.append({ mailbox: 'Inbox', content: Buffer.from('From: a@remote.example\r\n\r\n') })
  assert.equal(await suggest(id, 'Inbox', 'Friends'), null)
  const [twice] = await host.deliver(`List-Id: <a.example>\nList-Id: <b.example>\n${ANN}`)
  assert.equal(await suggest(twice, 'Inbox', 'Friends'), null)
  const [doubt] = await host.deliver('From: a@remote.example, b@remote.example\nSubject: x\n\n')
  assert.equal(await suggest(doubt, 'Inbox', 'Friends'), null)
  const [bobs] = await host.deliver(ANN, { to: 'bob@example.org' })
  assert.equal(await refusal(suggest(bobs, 'Inbox', 'Friends')), 'notFound: the message is not there any more')
})

test('a list is gone by when its domain is verified', async () => {
  assert.equal(
    listDomain('node.lists.example', ['other.example', 'lists.example', 'node.lists.example']),
    'lists.example',
  )
  assert.equal(listDomain('node.lists.example', ['sts.example', 'x.node.lists.example']), '')
  const message = `List-Id: Node <Node.lists.example>\n${ANN}`
  const [unverified] = await host.deliver(message)
  assert.equal((await suggest(unverified, 'Inbox', 'News'))?.rule.msgFrom, '^ann\\.o\\+x\\@remote\\.example$')
  const service = host.service(mailboxes)
  const original = service.message.bind(service)
  service.message = async id => {
    const found = await original(id)
    return found && { ...found, verifiedDomains: ['lists.example'] }
  }
  const suggestion = await suggest(unverified, 'Inbox', 'News')
  service.message = original
  assert.equal(suggestion?.listId, 'node.lists.example')
  assert.deepEqual(suggestion?.rule, {
    ...{ recipient: 'alice@example.org', verifiedDomain: 'lists.example', mailbox: 'News' },
    listAllowDomain: 'lists.example',
    headers: [{ name: '^list-id$', value: '\\<node\\.lists\\.example\\>$' }],
    comment: 'by webmail on 2030-01-01',
  })
})

test('nobody is asked again', async () => {
  const [one] = await host.deliver(ANN.replace('Ann.O+x', 'one'))
  const about = { recipient: 'alice@example.org', listId: '', msgFrom: 'one@remote.example' }
  assert.notEqual(await suggest(one, 'Inbox', 'Friends'), null)
  await alice.call('ruleNever', { ...about, mailboxId: null })
  await alice.call('ruleNever', { ...about, mailboxId: null })
  assert.equal(await suggest(one, 'Inbox', 'Friends'), null)
  const [two] = await host.deliver(ANN.replace('Ann.O+x', 'two'))
  assert.notEqual(await suggest(two, 'Inbox', 'Lists'), null)
  await alice.call('ruleNever', { recipient: '', listId: '', msgFrom: '', mailboxId: await idOf('Lists') })
  assert.equal(await suggest(two, 'Inbox', 'Lists'), null)
  assert.notEqual(await suggest(two, 'Inbox', 'Friends'), null)
  assert.match(
    await refusal(alice.call('ruleNever', { recipient: 'a', listId: '', msgFrom: '', mailboxId: null })),
    /^badRequest: name a mailbox/,
  )
})
