import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { system } from '@mox/plugin-sdk'
import { afterAll, beforeAll, test } from 'vitest'
import { exportName } from '../src/server/archives.ts'
import { openWebmail, type WebmailClient, type WebmailHost } from './webmail-host.ts'

const MIB = 1024 * 1024

let host: WebmailHost
let alice: WebmailClient
let bob: WebmailClient
beforeAll(async () => {
  host = await openWebmail({ webmail: { maxImportSize: MIB } })
  alice = await host.login()
  bob = await host.login('bob@example.org')
  const store = await host.store('alice')
  await store.create('Work/2029')
  for (const [mailbox, subject] of [
    ['Work', 'one'],
    ['Work/2029', 'two'],
    ['Inbox', 'three'],
  ] as const)
    await store.append({
      ...{ mailbox, content: Buffer.from(`Subject: ${subject}\r\n\r\n${subject}\r\n`) },
      ...{ flags: { seen: true, flagged: true }, keywords: ['label'] },
    })
})
afterAll(() => host.close())

async function idOf(account: string, name: string): Promise<number> {
  return (await (await host.store(account)).mailbox(name))?.id ?? 0
}

async function exported(fields: Readonly<Record<string, string>>, client = alice): Promise<Response> {
  return await client.request('export', {
    method: 'POST',
    body: new URLSearchParams({ csrf: client.csrf, ...fields }),
    csrf: '',
  })
}

async function imported(client: WebmailClient, mailbox: string | number, file: Buffer | string): Promise<object[]> {
  const response = await client.request(`import?mailbox=${mailbox}`, {
    method: 'POST',
    body: typeof file === 'string' ? file : new Uint8Array(file),
  })
  const lines = (await response.text()).trim().split('\n')
  return lines.map(line => JSON.parse(line) as object)
}

/** "Work/one seen flagged label" of every message, sorted. */
async function contents(account: string): Promise<string[]> {
  const store = await host.store(account)
  const names = new Map((await store.mailboxes()).map(m => [m.id, m.name]))
  const { messages } = await store.list({ scope: 'all', limit: 100 })
  return messages
    .map(({ mailboxId, subject, flags, keywords }) => {
      const set = Object.entries(flags).flatMap(([flag, value]) => (value ? [flag] : []))
      return [`${names.get(mailboxId)}: ${subject}`, ...set, ...keywords].join(' ')
    })
    .sort()
}

test('an export is read back below a mailbox, whole', async () => {
  const response = await exported({ format: 'maildir', archive: 'tgz', recursive: 'on' })
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-type'), 'application/gzip')
  assert.match(
    response.headers.get('content-disposition') ?? '',
    /^attachment; filename="mailexport-all-20300101-120000\.maildir\.tgz"$/,
  )
  const archive = Buffer.from(await response.arrayBuffer())
  const lines = await imported(bob, await idOf('bob', 'Archive'), archive)
  assert.deepEqual(lines.at(-1), { kind: 'done', added: 3, duplicates: 0, skipped: 0 })
  assert.deepEqual(await contents('bob'), [
    'Archive/Inbox: three seen flagged label',
    'Archive/Work/2029: two seen flagged label',
    'Archive/Work: one seen flagged label',
  ])
  const roles = (await (await host.store('bob')).mailboxes()).flatMap(m => (m.specialUse.length > 0 ? [m.name] : []))
  assert.deepEqual(roles, ['Archive', 'Drafts', 'Junk', 'Sent', 'Trash'])
  const again = await imported(bob, await idOf('bob', 'Archive'), archive)
  assert.deepEqual(again.at(-1), { kind: 'done', added: 0, duplicates: 3, skipped: 0 })
  assert.deepEqual(await readdir(join(host.service(system).dataDir, 'webmail-import')), [])
})

test('one mailbox, with or without those below it, and chosen messages', async () => {
  const mailbox = String(await idOf('alice', 'Work'))
  const names = async (fields: Readonly<Record<string, string>>) => {
    const response = await exported({ format: 'maildir', archive: 'tgz', ...fields })
    const tar = gunzipSync(Buffer.from(await response.arrayBuffer())).toString('latin1')
    return ['Subject: one', 'Subject: two', 'Subject: three'].filter(subject => tar.includes(subject))
  }
  assert.deepEqual(await names({ mailbox }), ['Subject: one'])
  assert.deepEqual(await names({ mailbox, recursive: 'on' }), ['Subject: one', 'Subject: two'])
  const { messages } = await (await host.store('alice')).list({ scope: 'all', limit: 100, order: 'oldest' })
  const [one, , three] = messages.map(m => m.id)
  assert.deepEqual(await names({ messageids: `${one},${three},999999` }), ['Subject: one', 'Subject: three'])
  const mbox = await exported({ mailbox, format: 'mbox', archive: 'none' })
  const text = await mbox.text()
  assert.match(text, /^From .*\n[\s\S]*Subject: one\n\none\n\n$/)
  const lines = await imported(bob, await idOf('bob', 'Inbox'), text)
  assert.deepEqual(lines.at(-1), { kind: 'done', added: 1, duplicates: 0, skipped: 0 })
  assert.ok((await contents('bob')).includes('Inbox: one seen flagged label'))
})

test('what is asked wrongly', async () => {
  const mailbox = String(await idOf('alice', 'Work'))
  const check = async (response: Response, expected: RegExp) => {
    const { error } = (await response.json()) as { error: { code: string; message: string } }
    assert.match(`${response.status} ${error.code}: ${error.message}`, expected)
  }
  const good = { mailbox, format: 'mbox', archive: 'zip' }
  await check(await exported({ ...good, csrf: '' }), /^401 noAuth/)
  await check(await exported({ ...good, archive: 'none', recursive: 'on' }), /^400 badRequest: without an archive/)
  await check(await exported({ format: 'mbox', archive: 'none' }), /^400 badRequest: without an archive/)
  await check(await exported({ ...good, archive: 'tar' }), /^400 badRequest: mbox files/)
  await check(await exported({ ...good, format: 'eml' }), /^400 badRequest: format: /)
  await check(await exported({ ...good, mailbox: 'Work' }), /^400 badRequest: mailbox: must be the id/)
  await check(await exported({ ...good, messageids: '1;2' }), /^400 badRequest: messageids: /)
  await check(await exported({ ...good, more: '1' }), /^400 badRequest/)
  await check(await exported(good, bob), /^404 notFound: the mailbox is not there/)
  const upload = (query: string, body: string, csrf = alice.csrf) =>
    alice.request(`import${query}`, { method: 'POST', body, csrf })
  await check(await upload(`?mailbox=${mailbox}`, 'x', ''), /^401 noAuth/)
  await check(await upload('', 'x'), /^400 badRequest: mailbox/)
  await check(await upload('?mailbox=999999', 'x'), /^404 notFound/)
  await check(await upload(`?mailbox=${mailbox}`, 'x'.repeat(MIB + 1)), /^413 tooLarge|^400 badRequest/)
  assert.deepEqual(await imported(alice, mailbox, 'no archive'), [
    { kind: 'failed', text: 'the file is no zip, tar, gzipped tar or mbox file' },
  ])
})

test('names of files', () => {
  const at = Date.UTC(2030, 0, 2, 3, 4, 5)
  assert.equal(exportName('Lists/node "x"', at, 'mbox', 'none'), 'mailexport-Lists-node-x--20300102-030405.mbox')
  assert.ok(exportName(`x${'\u{1d49c}'.repeat(60)}`, at, 'mbox', 'none').isWellFormed())
  assert.equal(exportName('Größe', at, 'maildir', 'tgz'), 'mailexport-Größe-20300102-030405.maildir.tgz')
})
