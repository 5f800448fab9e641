// Writing mail over the API: drafts and their copies, files, what is sent and how it is taken back, and what is refused.
import assert from 'node:assert/strict'
import { mailboxes, storage } from '@mox/plugin-sdk'
import { messageView, parseStructure, partRoles } from '@mox/plugin-sdk/mail'
import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest'
import type { Draft, SavedDraft } from '../src/api/model.ts'
import { SMALL_COPY } from '../src/server/compose/drafts.ts'
import { openWebmail, refusal, type WebmailClient, type WebmailHost } from './webmail-host.ts'

const DRAFT: Draft = {
  ...{ from: 'Alice A. <alice@example.org>', to: ['Ann <ann@remote.example>'], cc: [], bcc: [], replyTo: [] },
  ...{ subject: 'Hello', text: 'Hi Ann,\n\nthis is it.\n', html: null, response: null, requireTls: null, sendAt: null },
}

let host: WebmailHost
let alice: WebmailClient

beforeAll(async () => {
  host = await openWebmail({ webmail: { maxMessageSize: 3 * 1024 * 1024 } })
  alice = await host.login()
})
afterAll(async () => await host.close())
beforeEach(async () => {
  await sendDelay(0)
  for (const messageId of await inMailbox('Drafts'))
    await alice.call('draftRemove', { id: (await alice.call('draftOpen', { messageId })).id })
})

async function sendDelay(seconds: number): Promise<void> {
  const { DEFAULT_SETTINGS } = await import('../src/server/settings.ts')
  await alice.call('settingsSave', { settings: { ...DEFAULT_SETTINGS, sendDelay: seconds } })
}

async function bytesOf(id: number): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of await host.service(mailboxes).open(id)) parts.push(part)
  return Buffer.concat(parts)
}

async function inMailbox(name: string): Promise<number[]> {
  const store = await host.store('alice')
  const mailbox = await store.mailbox(name)
  return mailbox === undefined ? [] : (await store.messages(mailbox.id, { limit: 100 })).map(m => m.id)
}

async function upload(draft: SavedDraft, name: string, data: Buffer | string, type = 'text/plain'): Promise<Response> {
  return await alice.request(`upload/${draft.id}`, {
    method: 'POST',
    body: typeof data === 'string' ? data : new Uint8Array(data),
    headers: { 'Content-Type': type, 'x-mox-filename': encodeURIComponent(name) },
  })
}

async function queued(subject: string) {
  const jobs = await host.service(storage).queue.list({ account: 'alice' }, { limit: 100 })
  return jobs.filter(job => job.subject === subject)
}

async function sourceOf(messageId: number): Promise<string> {
  const { queue, content } = host.service(storage)
  const source = await queue.source(messageId)
  assert.ok(source)
  return Buffer.concat([source.prefix, await content.read(source.contentId)]).toString()
}

describe('drafts', () => {
  test('every save has a copy in Drafts, and only the last one', async () => {
    const first = await alice.call('draftCreate', { draft: { ...DRAFT, to: ['Ann <ann@', 'bob@remote.example'] } })
    assert.equal(first.revision, 1)
    const copies = await inMailbox('Drafts')
    assert.deepEqual(copies, [first.messageId])
    const text = (await bytesOf(copies[0] ?? 0)).toString()
    assert.match(text, /^To: Ann <ann@, bob@remote\.example\r\n/m)
    const [copy] = (await (await host.store('alice')).listed(copies)) ?? []
    assert.deepEqual([copy?.flags.draft, copy?.flags.seen], [true, true])

    const second = await alice.call('draftSave', {
      ...{ id: first.id, revision: 1, draft: { ...DRAFT, bcc: ['eve@remote.example'], html: '<p>Hi</p>' } },
    })
    assert.equal(second.revision, 2)
    assert.deepEqual(await inMailbox('Drafts'), [second.messageId])
    const view = messageView(await bytesOf(second.messageId ?? 0))
    assert.deepEqual(
      view.bcc.map(b => b.address),
      ['eve@remote.example'],
    )
    assert.equal(view.html.trim(), '<p>Hi</p>')

    const opened = await alice.call('draftOpen', { messageId: second.messageId ?? 0 })
    assert.deepEqual(opened, second)
    assert.deepEqual(await alice.call('draftGet', { id: first.id }), second)
    await alice.call('draftRemove', { id: first.id })
    assert.deepEqual(await inMailbox('Drafts'), [])
    assert.match(await refusal(alice.call('draftRemove', { id: first.id })), /^notFound: /)
  })

  test('a draft of another program is taken over whole, or not at all', async () => {
    const store = await host.store('alice')
    const put = async (text: string) =>
      (
        await store.append({
          mailbox: 'Drafts',
          flags: { draft: true },
          content: Buffer.from(text.replace(/\n/g, '\r\n')),
        })
      ).id
    const part = (type: string, text: string) => `--x\nContent-Type: ${type}\n\n${text}\n`
    const mixed = 'Content-Type: multipart/mixed; boundary=x\n\n'
    const two = `${part('text/plain', 'one')}${part('image/png; name=a.png', 'png')}${part('text/plain', 'two')}--x--\n`
    const original = await store.append({
      mailbox: 'Inbox',
      content: Buffer.from('Message-ID: <asked@x.test>\r\nSubject: asked\r\n\r\nx'),
    })
    const opened = await alice.call('draftOpen', {
      messageId: await put(`Subject: Re: asked\nIn-Reply-To: <asked@x.test>\n${mixed}${two}`),
    })
    assert.deepEqual(opened.draft.response, { messageId: original.id, kind: 'reply' })
    assert.equal(opened.draft.text.trim(), 'one')
    assert.deepEqual(
      opened.attachments.map(file => file.contentType),
      ['text/plain', 'image/png'],
    )
    assert.match((await bytesOf(opened.messageId ?? 0)).toString(), /dHdv/)
    for (const content of [
      `Subject: many\n${mixed}${part('text/plain', 'x')}${part('image/png; name=a.png', 'png').repeat(101)}--x--\n`,
      `Subject: long\n\n${'0123456789\n'.repeat(100_000)}`,
      `Subject: everybody\nTo: ${Array.from({ length: 1_000 }, (_, i) => `p${i}@x.test`).join(',\n ')}\n\nx`,
    ]) {
      const id = await put(content)
      assert.match(await refusal(alice.call('draftOpen', { messageId: id })), /^refused: this draft has more than/)
      assert.ok((await inMailbox('Drafts')).includes(id))
      await store.expunge([id])
    }
  })

  test('without room nothing is saved, and with room again everything is', async () => {
    const full = await openWebmail({ quota: 3_000 })
    try {
      const client = await full.login()
      const { id, revision } = await client.call('draftCreate', { draft: { ...DRAFT, text: 'x' } })
      const save = (text: string) => refusal(client.call('draftSave', { id, revision, draft: { ...DRAFT, text } }))
      const long = 'y'.repeat(5_000)
      assert.deepEqual([await save(long), await save(long)], Array(2).fill('refused: account storage full'))
      assert.equal(await save('short'), 'done')
      const wanted = 'b3'.repeat(13)
      const create = () => refusal(client.call('draftCreate', { id: wanted, draft: { ...DRAFT, text: long } }))
      assert.deepEqual([await create(), await create()], Array(2).fill('refused: account storage full'))
      assert.match(await refusal(client.call('draftGet', { id: wanted })), /^notFound/)
    } finally {
      await full.close()
    }
  })

  test('only the files that the sender sees are sent, and all of them', async () => {
    const draft = { ...DRAFT, subject: 'seen files' }
    const { id } = await alice.call('draftCreate', { draft })
    const saved = await alice.call('draftGet', { id })
    for (const name of ['seen.txt', 'unseen.txt']) assert.equal((await upload(saved, name, name)).status, 200)
    const [seen] = (await alice.call('draftGet', { id })).attachments
    const request = { id, revision: 1, draft, archiveThread: null }
    const gone = await refusal(alice.call('send', { ...request, files: [seen?.id ?? '', 'gone'] }))
    assert.match(gone, /^conflict: the files of this draft were changed/)
    const { revision } = await alice.call('draftGet', { id })
    await alice.call('send', { ...request, revision, files: [seen?.id ?? ''] })
    const [job] = await queued('seen files')
    const source = await sourceOf(job?.messageId ?? 0)
    assert.match(source, /filename="?seen\.txt/)
    assert.doesNotMatch(source, /unseen/)
  })

  test('a draft that is made again under the same id is one draft', async () => {
    const id = 'a2'.repeat(13)
    const before = (await inMailbox('Drafts')).length
    const first = await alice.call('draftCreate', { id, draft: DRAFT })
    assert.equal(first.id, id)
    const again = await alice.call('draftCreate', { id, draft: { ...DRAFT, subject: 'again' } })
    assert.deepEqual([again.id, again.revision, again.draft.subject], [id, 2, 'again'])
    assert.equal((await inMailbox('Drafts')).length, before + 1)
    const bob = await host.login('bob@example.org')
    // It has moved on, or is somebody else's: not what was asked for again.
    assert.match(await refusal(alice.call('draftCreate', { id, draft: DRAFT })), /^conflict/)
    assert.match(await refusal(bob.call('draftCreate', { id, draft: DRAFT })), /^refused/)
    assert.match(await refusal(alice.raw('draftCreate', { id: '../x', draft: DRAFT })), /^badRequest/)
    await alice.call('draftRemove', { id })
  })

  test('a draft that was changed in another window is a conflict', async () => {
    const { id } = await alice.call('draftCreate', { draft: DRAFT })
    await alice.call('draftSave', { id, revision: 1, draft: { ...DRAFT, subject: 'window one' } })
    assert.match(
      await refusal(alice.call('draftSave', { id, revision: 1, draft: { ...DRAFT, subject: 'window two' } })),
      /^conflict: .*another window/,
    )
    await alice.call('draftRemove', { id })
  })

  test('a draft of another program is read with its files, and replaced', async () => {
    const store = await host.store('alice')
    const content = Buffer.from(
      [
        ...['From: alice@example.org', 'To: "Müller, Jo" <jo@remote.example>', 'Subject: from elsewhere'],
        ...[
          'MIME-Version: 1.0',
          'Content-Type: multipart/mixed; boundary=x',
          '',
          '--x',
          'Content-Type: text/plain',
          '',
        ],
        ...[
          'text',
          '--x',
          'Content-Type: image/png; name=a.png',
          'Content-Transfer-Encoding: base64',
          '',
          'AAEC',
          '--x--',
          '',
        ],
      ].join('\r\n'),
    )
    const { id: messageId } = await store.append({ mailbox: 'Drafts', content, flags: { draft: true } })
    const opened = await alice.call('draftOpen', { messageId })
    assert.deepEqual(opened.draft.to, ['"Müller, Jo" <jo@remote.example>'])
    assert.equal(opened.draft.text.trim(), 'text')
    assert.deepEqual(
      opened.attachments.map(a => [a.filename, a.contentType, a.size]),
      [['a.png', 'image/png', 3]],
    )
    assert.deepEqual(await inMailbox('Drafts'), [opened.messageId])
    await alice.call('draftRemove', { id: opened.id })
  })

  test('drafts of others are not there', async () => {
    const bob = await host.login('bob@example.org')
    const mine = await alice.call('draftCreate', { draft: DRAFT })
    const { id, messageId } = mine
    for (const work of [
      () => bob.call('draftSave', { id, revision: 1, draft: DRAFT }),
      () => bob.call('draftOpen', { messageId: messageId ?? 0 }),
      () => bob.call('draftGet', { id }),
      () => bob.call('draftRemove', { id }),
      () => bob.call('draftDetach', { id, attachment: 'x' }),
      () => bob.call('send', { id, revision: 1, draft: DRAFT, archiveThread: null }),
      () => bob.call('sendUndo', { sent: id }),
    ])
      assert.match(await refusal(work()), /^(?:notFound: |refused: you may not send)/)
    const response = await bob.request(`upload/${id}`, { method: 'POST', body: 'x' })
    assert.equal(response.status, 404)
    await alice.call('draftRemove', { id })
  })
})

describe('files', () => {
  test('go into the copy and the sent message byte for byte, with names of all sorts', async () => {
    const draft = await alice.call('draftCreate', { draft: { ...DRAFT, subject: 'with files' } })
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 7919) % 256))
    const names = ['a.bin', 'Grüße "an" alle; %25.txt', `${'長い名前'.repeat(40)}.dat`, '../../etc/passwd']
    for (const name of names) assert.equal((await upload(draft, name, bytes, 'application/x-thing')).status, 200)
    const saved = await alice.call('draftSave', {
      id: draft.id,
      revision: 1,
      draft: { ...DRAFT, subject: 'with files' },
    })
    const copy = await bytesOf(saved.messageId ?? 0)
    const { attachments } = partRoles(parseStructure(copy))
    assert.deepEqual(
      attachments.map(p => p.filename),
      saved.attachments.map(a => a.filename),
    )
    assert.deepEqual(saved.attachments.map(a => a.filename).slice(0, 2), names.slice(0, 2))
    assert.equal(saved.attachments[3]?.filename, 'passwd')
    for (const line of copy.toString('latin1').split('\r\n')) assert.ok(line.length <= 998)
    const { sent } = await alice.call('send', {
      ...{ id: draft.id, revision: 2, draft: { ...DRAFT, subject: 'with files' }, archiveThread: null },
    })
    assert.equal(sent, draft.id)
    const [job] = await queued('with files')
    const message = Buffer.from(await sourceOf(job?.messageId ?? 0), 'latin1')
    const inside = /Content-Disposition: attachment.*?\r\n\r\n(.*?)\r\n\r\n--/s.exec(message.toString('latin1'))?.[1]
    assert.deepEqual(Buffer.from(inside ?? '', 'base64'), bytes)
  })

  test('a message is attached as it is, and as bytes when its lines do not allow it', async () => {
    const [id = 0] = await host.deliver('From: x@remote.example\nTo: alice@example.org\nSubject: inner\n\nwords\n')
    const draft = await alice.call('draftCreate', { draft: DRAFT })
    const { attachments } = await alice.call('draftAttachMessage', { id: draft.id, messageId: id })
    assert.deepEqual(
      attachments.map(a => [a.filename, a.contentType]),
      [['inner.eml', 'message/rfc822']],
    )
    await upload(draft, 'bad.eml', 'Subject: x\n\nbare line feeds\n', 'message/rfc822')
    const saved = await alice.call('draftSave', { id: draft.id, revision: 1, draft: DRAFT })
    const roles = partRoles(parseStructure(await bytesOf(saved.messageId ?? 0)))
    assert.deepEqual(
      roles.attachments.map(p => [p.contentType, p.encoding, p.message?.head.get('subject')]),
      [
        ['message/rfc822', '7bit', 'inner'],
        ['application/octet-stream', 'base64', undefined],
      ],
    )
    const left = await alice.call('draftDetach', { id: draft.id, attachment: saved.attachments[0]?.id ?? '' })
    assert.deepEqual(
      left.attachments.map(a => a.filename),
      ['bad.eml'],
    )
    await alice.call('draftRemove', { id: draft.id })
    assert.deepEqual(await host.service(storage).verify(), [])
  })

  test('parts of a message are attached by their paths', async () => {
    const [id = 0] = await host.deliver(
      [
        ...[
          'From: x@remote.example',
          'Subject: two',
          'Content-Type: multipart/mixed; boundary=b',
          '',
          '--b',
          '',
          'text',
        ],
        ...['--b', 'Content-Type: application/pdf; name="r.pdf"', '', 'PDF', '--b--', ''],
      ].join('\n'),
    )
    const draft = await alice.call('draftCreate', { draft: DRAFT })
    const { attachments } = await alice.call('draftAttach', { id: draft.id, messageId: id, paths: ['0.1'] })
    assert.deepEqual(
      attachments.map(a => [a.filename, a.contentType, a.size]),
      [['r.pdf', 'application/pdf', 3]],
    )
    for (const path of ['0', '0.7', '0.1.0'])
      assert.match(
        await refusal(alice.call('draftAttach', { id: draft.id, messageId: id, paths: [path] })),
        /^notFound: the message has no such file/,
      )
    await alice.call('draftRemove', { id: draft.id })
  })

  test('what is too large is refused before it is read', async () => {
    const draft = await alice.call('draftCreate', { draft: DRAFT })
    const room = Math.floor((3 * 1024 * 1024 - 64 * 1024) / 78) * 57
    assert.equal((await upload(draft, 'fits', Buffer.alloc(room - 57, 'a'))).status, 200)
    const tooMuch = await upload(draft, 'more', Buffer.alloc(200, 'a'))
    assert.equal(tooMuch.status, 413)
    assert.match(await tooMuch.text(), /no more files fit/)
    const badName = { method: 'POST', body: 'x', headers: { 'x-mox-filename': '%zz' } }
    assert.equal((await alice.request(`upload/${draft.id}`, badName)).status, 400)
    const none = await alice.request('upload/aaaaaaaaaaaaaaaaaaaaaaaaaa', { method: 'POST', body: 'x' })
    assert.equal(none.status, 404)
    const unchecked = await alice.request(`upload/${draft.id}`, {
      method: 'POST',
      body: 'x',
      headers: { 'x-mox-csrf': '' },
      csrf: '',
    })
    assert.equal(unchecked.status, 401)
  })

  test('the copy of a large draft is renewed with its files and by age, not with every save', async () => {
    const draft = await alice.call('draftCreate', { draft: DRAFT })
    await upload(draft, 'large', Buffer.alloc(SMALL_COPY, 'x'))
    const withFile = await alice.call('draftSave', { id: draft.id, revision: 1, draft: DRAFT })
    const typed = await alice.call('draftSave', { id: draft.id, revision: 2, draft: { ...DRAFT, text: 'more' } })
    assert.equal(typed.messageId, withFile.messageId)
    assert.equal((await alice.call('draftOpen', { messageId: typed.messageId ?? 0 })).draft.text, 'more')
    await host.clock.advance(130_000)
    const later = await alice.call('draftSave', { id: draft.id, revision: 3, draft: { ...DRAFT, text: 'more' } })
    assert.notEqual(later.messageId, withFile.messageId)
    assert.match((await bytesOf(later.messageId ?? 0)).toString(), /more/)
    await alice.call('draftRemove', { id: draft.id })
  })
})

describe('sending', () => {
  test('a reply: header, Sent copy with Bcc, flags of the original, archived thread, no draft left', async () => {
    const [original = 0] = await host.deliver(
      'From: Ann <ann@remote.example>\nTo: alice@example.org\nMessage-ID: <One@Remote.Example>\nReferences: <zero@x>\nSubject: talk\n\nhi\n',
    )
    const store = await host.store('alice')
    const inbox = await store.mailbox('Inbox')
    const draft: Draft = {
      ...DRAFT,
      ...{ subject: 'Re: talk', bcc: ['hidden@remote.example'], cc: ['Jö <jo@remote.example>'] },
      response: { messageId: original, kind: 'reply' },
    }
    const { id, revision } = await alice.call('draftCreate', { draft })
    const result = await alice.call('send', {
      ...{ id, revision, draft, archiveThread: { mailboxId: inbox?.id ?? 0 } },
    })
    assert.deepEqual(result.warnings, [])
    assert.equal(result.undoUntil, null)
    const jobs = await queued('Re: talk')
    assert.deepEqual(jobs.map(j => j.recipient.localpart).sort(), ['ann', 'hidden', 'jo'])
    const source = await sourceOf(jobs[0]?.messageId ?? 0)
    assert.match(source, /^In-Reply-To: <One@Remote\.Example>\r\n/m)
    assert.match(source, /^References: <zero@x> <One@Remote\.Example>\r\n/m)
    assert.match(source, /^User-Agent: mox webmail\r\n/m)
    assert.match(source, /^Cc: =\?UTF-8\?B\?[^ ]+\?= <jo@remote\.example>\r\n/m)
    assert.doesNotMatch(source, /hidden@/)
    const sent = await inMailbox('Sent')
    const copy = (await bytesOf(sent.at(-1) ?? 0)).toString()
    assert.match(copy, /^Bcc: hidden@remote\.example\r\n/)
    const [answered] = await store.listed([original])
    assert.deepEqual([answered?.flags.answered, answered?.flags.notjunk], [true, true])
    assert.equal(answered?.mailboxId, (await store.mailbox('Archive'))?.id)
    assert.deepEqual(await inMailbox('Drafts'), [])
    assert.match(await refusal(alice.call('draftSave', { id, revision: 2, draft })), /^sent: /)
    const completed = await alice.call('completeRecipient', { text: 'hidd' })
    assert.deepEqual(completed, { recipients: [{ name: '', address: 'hidden@remote.example' }], complete: true })
    const named = await alice.call('completeRecipient', { text: 'JÖ' })
    assert.deepEqual(named.recipients, [{ name: 'Jö', address: 'jo@remote.example' }])
  })

  test('is taken back in time: nothing was tried, and the draft is as it was', async () => {
    await sendDelay(10)
    const [original = 0] = await host.deliver('From: a@remote.example\nMessage-ID: <u@x>\nSubject: undo me\n\nhi\n')
    const draft: Draft = { ...DRAFT, subject: 'Fwd: undo me', response: { messageId: original, kind: 'forward' } }
    const { id } = await alice.call('draftCreate', { draft })
    await upload(await alice.call('draftSave', { id, revision: 1, draft }), 'f.txt', 'file')
    const before = await inMailbox('Sent')
    const { undoUntil, sent } = await alice.call('send', { id, revision: 2, draft, archiveThread: null })
    assert.equal(undoUntil, host.clock.now() + 10_000)
    assert.deepEqual(
      (await queued('Fwd: undo me')).map(j => j.due),
      [undoUntil],
    )
    assert.equal((await inMailbox('Sent')).length, before.length + 1)
    const { outgoing } = await alice.call('outgoing', {})
    assert.deepEqual(
      outgoing.filter(o => o.subject === 'Fwd: undo me').map(o => [o.state, o.to, o.sent]),
      [['scheduled', 'ann@remote.example', id]],
    )
    const restored = await alice.call('sendUndo', { sent })
    assert.deepEqual(restored.draft, draft)
    assert.deepEqual(
      restored.attachments.map(a => a.filename),
      ['f.txt'],
    )
    assert.deepEqual(await queued('Fwd: undo me'), [])
    assert.deepEqual(await inMailbox('Sent'), before)
    assert.deepEqual(await inMailbox('Drafts'), [restored.messageId])
    const [marked] = await (await host.store('alice')).listed([original])
    assert.deepEqual([marked?.flags.forwarded, marked?.flags.notjunk], [false, false])
    // And sent again, too late to be taken back.
    await alice.call('send', { id, revision: restored.revision, draft, archiveThread: null })
    await host.clock.advance(10_001)
    assert.match(await refusal(alice.call('sendUndo', { sent: id })), /^refused: it is too late/)
    assert.deepEqual(await host.service(storage).verify(), [])
  })

  test('scheduled mail waits, is moved and cancelled', async () => {
    const sendAt = host.clock.now() + 3_600_000
    const draft: Draft = { ...DRAFT, subject: 'later', sendAt, requireTls: true }
    const { id } = await alice.call('draftCreate', { draft })
    const { undoUntil } = await alice.call('send', { id, revision: 1, draft, archiveThread: null })
    assert.equal(undoUntil, sendAt)
    const [job] = await queued('later')
    assert.deepEqual([job?.due, job?.requireTls], [sendAt, true])
    const ids = [job?.id ?? 0]
    const bob = await host.login('bob@example.org')
    assert.deepEqual(await bob.call('outgoingCancel', { queueIds: ids }), { cancelled: 0 })
    assert.deepEqual(await bob.call('outgoingReschedule', { queueIds: ids, due: 1 }), { changed: 0 })
    assert.deepEqual((await bob.call('outgoing', {})).outgoing, [])
    await alice.call('outgoingReschedule', { queueIds: ids, due: sendAt + 60_000 })
    assert.equal((await queued('later'))[0]?.due, sendAt + 60_000)
    assert.match(
      await refusal(alice.call('outgoingReschedule', { queueIds: ids, due: host.clock.now() + 61 * 86_400_000 })),
      /^refused: a message can be scheduled at most 60 days ahead/,
    )
    assert.deepEqual(await alice.call('outgoingCancel', { queueIds: ids }), { cancelled: 1 })
    assert.deepEqual(await queued('later'), [])
  })

  test('without TLS when asked for', async () => {
    const draft: Draft = { ...DRAFT, subject: 'plain', requireTls: false }
    const { id } = await alice.call('draftCreate', { draft })
    await alice.call('send', { id, revision: 1, draft, archiveThread: null })
    const [job] = await queued('plain')
    assert.equal(job?.requireTls, false)
    assert.match(await sourceOf(job?.messageId ?? 0), /^TLS-Required: No\r\n/m)
  })

  const BAD: readonly (readonly [string, Partial<Draft>, RegExp])[] = [
    ['nobody', { to: [] }, /^refused: name somebody to send to/],
    ['no address', { to: ['Ann <ann@'] }, /^refused: To: "Ann <ann@" is not a mail address/],
    ['a word', { cc: ['ann'] }, /^refused: Cc: "ann" is not a mail address/],
    ['not mine', { from: 'bob@example.org' }, /^refused: you may not send from bob@example\.org/],
    ['two authors', { from: 'alice@example.org, work@example.org' }, /^refused: choose one address/],
    ['no author', { from: '' }, /^refused: choose one address/],
    ['line break', { subject: 'a\r\nBcc: x@y.example' }, /^badRequest: draft\.subject/],
    ['line break in an address', { to: ['a@b.example\r\nX: y'] }, /^badRequest: draft\.to/],
    ['too far', { sendAt: Date.UTC(2100, 0, 1) }, /^refused: a message can be scheduled at most 60 days/],
  ]
  test.each(BAD)('%s: refused, and the draft stays', async (_, change, expected) => {
    const { id } = await alice.call('draftCreate', { draft: DRAFT })
    const before = (await host.service(storage).queue.list({ account: 'alice' }, { limit: 1_000 })).length
    const result = await refusal(
      alice.raw('send', { id, revision: 1, draft: { ...DRAFT, ...change }, archiveThread: null }),
    )
    assert.match(result, expected)
    assert.equal((await host.service(storage).queue.list({ account: 'alice' }, { limit: 1_000 })).length, before)
    const messageId = (await inMailbox('Drafts'))[0] ?? 0
    assert.equal((await alice.call('draftOpen', { messageId })).id, id)
    await alice.call('draftRemove', { id })
  })

  test('a send that was cut short is not sent twice', async () => {
    const draft: Draft = { ...DRAFT, subject: 'cut short' }
    const { id, messageId } = await alice.call('draftCreate', { draft })
    await alice.call('send', { id, revision: 1, draft, archiveThread: null })
    const [job] = await queued('cut short')
    // As if the process had ended right after the message was queued.
    const store = await host.store('alice')
    const copy = await store.append({ mailbox: 'Drafts', content: Buffer.from('Subject: cut short\r\n\r\n') })
    await host.service(storage).write(async db => {
      await db('webmail_draft').where({ id }).delete()
      await db('webmail_draft').insert({
        ...{ id, account: 'alice', revision: 2, state: 'sending', draft: JSON.stringify(draft), copy_id: copy.id },
        ...{ copied_at: 0, files_changed: 0, header_id: job?.messageIdHeader, after: '', undo_until: 0, updated_at: 0 },
      })
    })
    assert.notEqual(messageId, null)
    assert.match(
      await refusal(alice.call('send', { id, revision: 2, draft, archiveThread: null })),
      /^sent: this message was sent/,
    )
    assert.equal((await queued('cut short')).length, 1)
    assert.deepEqual(await inMailbox('Drafts'), [])
  })

  test('one that never reached the queue is a draft again', async () => {
    const draft: Draft = { ...DRAFT, subject: 'never queued' }
    const { id, messageId } = await alice.call('draftCreate', { draft })
    await host.service(storage).write(async db => {
      await db('webmail_draft').where({ id }).update({ state: 'sending', header_id: '<nobody-has@it>' })
    })
    const opened = await alice.call('draftOpen', { messageId: messageId ?? 0 })
    assert.deepEqual(opened.draft, draft)
    await alice.call('send', { id, revision: opened.revision, draft, archiveThread: null })
    assert.equal((await queued('never queued')).length, 1)
  })
})

test('identities: the address of the login first', async () => {
  assert.deepEqual((await alice.call('identities', {})).identities, [
    { name: 'Alice A.', address: 'alice@example.org' },
    { name: 'Alice A.', address: 'work@example.org' },
  ])
  const work = await host.login('work+x@example.org')
  assert.equal((await work.call('identities', {})).identities[0]?.address, 'work@example.org')
})

test('security of a recipient without resolver and history is not known', async () => {
  assert.deepEqual(await alice.call('recipientSecurity', { address: 'ann@remote.example' }), {
    ...{ starttls: 'unknown', mtaSts: 'unknown', dnssec: 'unknown', dane: 'unknown', requireTls: 'unknown' },
  })
  assert.match(await refusal(alice.call('recipientSecurity', { address: 'ann@' })), /^refused: not a mail address/)
})
