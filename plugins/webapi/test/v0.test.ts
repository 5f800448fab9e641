// v0 on the wire: statuses, encodings and fields as its users know them, compared field by field.
import assert from 'node:assert/strict'
import { mailboxes, storage } from '@mox/plugin-sdk'
import { afterAll, beforeAll, describe, test } from 'vitest'
import * as limits from '../src/limits.ts'
import { METHODS } from '../src/v0/methods.ts'
import { type Answer, type Api, type AskOptions, openApi } from './support/api.ts'

let api: Api
beforeAll(async () => {
  api = await openApi({ webapi: { maxMessageSize: 100_000 }, maxFirstTimeRecipientsPerDay: 10_000 })
})
afterAll(async () => {
  await api.close()
})

const SEND = { To: [{ Address: 'ann@example.net' }], Text: 'hi' }

test('statuses', async () => {
  const check = async (path: string, options: AskOptions, status: number, header = '', value = '') => {
    const answer = await api.ask(path, options)
    assert.equal(answer.status, status, `${options.method ?? 'GET'} ${path}: ${answer.body}`)
    if (header !== '') assert.equal(answer.headers.get(header), value)
  }
  const post = { method: 'POST', body: '', user: null }
  await check('', { user: null }, 303, 'location', '/webapi/v0/')
  await check('', post, 405)
  await check('v0/', { user: null }, 200, 'content-type', 'text/html; charset=utf-8')
  await check('v0/', post, 200)
  await check('v0/send', { user: null }, 404)
  await check('v0/Nothing', post, 404)
  await check('nothing', { user: null }, 404)
  await check('v0/Send', { user: null }, 200, 'content-type', 'text/html; charset=utf-8')
  await check('v0/Send', { method: 'PUT', body: '', user: null }, 405, 'allow', 'GET, HEAD, POST')
  await check('v0/Send', post, 401, 'www-authenticate', 'Basic realm=webapi')
  await check('v0/Send', { method: 'POST', body: '', headers: { Authorization: 'Basic !' } }, 401)
  await check('v0/Send', { method: 'POST', body: '', headers: { Authorization: 'Bearer mox_x' } }, 401)
  await check('v0/Send', { method: 'POST', body: '', password: 'wrong' }, 401, 'www-authenticate', 'Basic realm=webapi')
  await check('v0/Send', { method: 'POST', body: '', user: 'gone@example.org' }, 401)
  await check('v0/Send', { method: 'POST', body: '', headers: { 'Sec-Fetch-Site': 'cross-site' } }, 403)
  await check('v0/Send', { method: 'POST', body: '', headers: { 'Content-Length': '1000000' } }, 413)
  await check('v0/Send', { method: 'POST', body: '' }, 400, 'content-type', 'application/json; charset=utf-8')
  const page = await api.ask('v0/', { user: null })
  assert.equal(page.headers.get('x-frame-options'), 'DENY')
  assert.equal(page.headers.get('access-control-allow-origin'), undefined)
})

test('pages say what each method does, without scripts', async () => {
  const index = await api.ask('v0/', { user: null })
  for (const { name } of METHODS) {
    assert.match(index.body, new RegExp(`href="${name}"`))
    const page = await api.ask(`v0/${name}`, { user: null })
    assert.match(page.body, new RegExp(`<form method="post" action="${name}"`))
    assert.doesNotMatch(page.body, /<script| on[a-z]+=| style="/)
    assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'; style-src 'sha256-/)
  }
})

test('too many failed logins', async () => {
  const limited = await openApi({ loginLimits: { perMinute: 2, perDay: 100 } })
  try {
    const statuses: number[] = []
    for (let i = 0; i < 3; i++) statuses.push((await limited.call('SuppressionList', {}, { password: 'wrong' })).status)
    const right = await limited.call('SuppressionList', {})
    assert.deepEqual([...statuses, right.status, right.headers.get('retry-after')], [401, 401, 429, 429, '60'])
    assert.equal((await limited.call('SuppressionList', {}, { user: null })).status, 401)
  } finally {
    await limited.close()
  }
})

test('Send: the example', async () => {
  const request = {
    ...{ To: [{ Name: 'Ann', Address: 'ann@example.net' }], Subject: 'Order 7', Text: 'Thanks.\n' },
    ...{ Extra: { order: '7' }, SaveSent: true },
  }
  const answer = await api.call('Send', request)
  assert.equal(answer.status, 200, answer.body)
  const { MessageID, Submissions } = answer.json
  assert.match(MessageID, /^<[a-z2-7]{26}@mail\.example\.org>$/)
  const id = Submissions[0].QueueMsgID
  assert.deepEqual(answer.json, {
    MessageID,
    Submissions: [{ Address: 'ann@example.net', QueueMsgID: id, FromID: '' }],
  })
  assert.match(
    await api.world.source(id),
    /^From: "Alice A\." <alice@example\.org>\r\nTo: Ann <ann@example\.net>\r\nSubject: Order 7\r\n/m,
  )
})

test('request encodings', async () => {
  const json = JSON.stringify(SEND)
  const form = new URLSearchParams({ request: json }).toString()
  const check = async (contentType: string, body: string | Buffer, status: number, message = /./) => {
    const answer = await api.ask('v0/Send', { method: 'POST', headers: { 'Content-Type': contentType }, body })
    assert.equal(answer.status, status, `${contentType}: ${answer.body}`)
    if (status !== 200) assert.deepEqual(Object.keys(answer.json), ['Code', 'Message'])
    if (status !== 200) assert.equal(answer.json.Code, 'protocol')
    assert.match(status === 200 ? answer.body : answer.json.Message, message)
  }
  await check('application/x-www-form-urlencoded', form, 200)
  await check('application/x-www-form-urlencoded; charset=UTF-8', form, 200)
  await check('application/json', json, 200)
  await check(
    'application/json; charset=utf-8',
    '{"to":[{"ADDRESS":"ann@example.net"}],"text":"x","cc":null,"Date":null}',
    200,
  )
  await check('text/plain', json, 400, /application\/json/)
  await check('', json, 400)
  await check('application/x-www-form-urlencoded', 'other=1', 400, /"request" is missing/)
  await check('application/x-www-form-urlencoded', 'request=', 400, /"request" is missing/)
  await check('application/json', '{"To":', 400, /not valid JSON/)
  await check('application/json', '[]', 400, /request/)
  await check('application/json', '{"Unknown":1}', 400, /Unknown/)
  await check('application/json', '{"To":[{"Address":"a@b.example","X":1}],"Text":"x"}', 400, /To\.0/)
  await check('application/json', '{"To":"ann@example.net","Text":"x"}', 400, /To: /)
  await check('application/json', '{"Text":1}', 400, /Text: /)
  await check('application/json', '{"Date":"yesterday"}', 400, /Date: /)
  await check('application/json', '{"Extra":{"__proto__":"x"}}', 400, /__proto__/)
  await check(
    'application/json',
    `${'['.repeat(limits.MAX_JSON_DEPTH + 1)}${']'.repeat(limits.MAX_JSON_DEPTH + 1)}`,
    400,
    /levels/,
  )
  await check(
    'application/json',
    `${'['.repeat(limits.MAX_JSON_DEPTH)}${']'.repeat(limits.MAX_JSON_DEPTH)}`,
    400,
    /expected object/,
  )
  await check('multipart/form-data', 'x', 400, /cannot be read/)
  await check(
    'multipart/form-data; boundary=b',
    '--b\r\nContent-Disposition: form-data; name="x"\r\n\r\ny\r\n--b--\r\n',
    400,
    /unknown form field/,
  )
})

test('files of a multipart form', async () => {
  const part = (head: string, body: string) => `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${body}\r\n`
  const body = [
    part('name="request"', JSON.stringify({ ...SEND, HTML: '<p>x', AttachedFiles: [{ Name: 'a.txt', Data: 'QQ==' }] })),
    part(
      'name="inlinefile"; filename="C:\\\\pics\\\\i.png"\r\nContent-Type: image/png\r\nContent-ID: <i@x>',
      '\x89PNG--b',
    ),
    part('name="attachedfile"; filename="b.bin"\r\nContent-Type: application/octet-stream', 'bytes\r\n'),
    part('name="alternativefile"; filename=""', ''),
    '--b--\r\n',
  ].join('')
  const answer = await api.ask('v0/Send', {
    ...{ method: 'POST', headers: { 'Content-Type': 'multipart/form-data; boundary=b' } },
    body: Buffer.from(body, 'latin1'),
  })
  assert.equal(answer.status, 200, answer.body)
  const source = await api.world.source(answer.json.Submissions[0].QueueMsgID)
  const parts = source.split(/\r\n--[^\r]+\r\n/)
  assert.ok(
    parts.some(p => /^Content-Type: image\/png; name=i\.png[\s\S]*Content-ID: <i@x>[\s\S]*iVBORy0tYg==/m.test(p)),
    source,
  )
  assert.ok(source.indexOf('a.txt') < source.indexOf('b.bin'), 'files of the form come after those of the JSON')
  assert.match(source, new RegExp(Buffer.from('bytes\r\n').toString('base64')))
  const other = await api.ask('v0/SuppressionList', {
    ...{ method: 'POST', headers: { 'Content-Type': 'multipart/form-data; boundary=b' } },
    body: `${part('name="request"', '{}')}${part('name="attachedfile"; filename="a"', 'x')}--b--\r\n`,
  })
  assert.equal(other.json.Code, 'protocol')
})

test('error codes of Send, and nothing queued', async () => {
  const check = async (fields: object, code: string) => {
    const before = await api.world.queued()
    const answer = await api.call('Send', { ...SEND, ...fields })
    assert.deepEqual([answer.status, answer.json.Code], [400, code], answer.body)
    assert.equal(typeof answer.json.Message, 'string')
    assert.equal(await api.world.queued(), before)
  }
  await check({ Text: '' }, 'missingBody')
  await check({ From: [{ Address: 'a@b.example' }, { Address: 'a@b.example' }] }, 'multipleFrom')
  await check({ To: [{ Address: 'bad' }] }, 'badAddress')
  await check({ From: [{ Address: 'bob@example.org' }] }, 'badFrom')
  await check({ From: [{ Address: 'alice@off.example' }] }, 'domainDisabled')
  await check({ To: [] }, 'noRecipients')
  await check({ Subject: 'a\nb' }, 'user')
  await check({ Headers: [['Bcc', 'x@example.net']] }, 'user')
  await check({ MessageID: 'x' }, 'malformedMessageID')
  await check({ AttachedFiles: [{ Data: '?' }] }, 'user')
  await check({ FutureRelease: '2030-12-31T00:00:00Z' }, 'user')
  await check({ Text: 'x '.repeat(50_001) }, 'messageTooLarge')
  await check({ Nothing: 1 }, 'protocol')
})

test('daily limits on the wire', async () => {
  const limited = await openApi({ maxOutgoingPerDay: 1 })
  try {
    assert.equal((await limited.call('Send', SEND)).status, 200)
    const answer = await limited.call('Send', SEND)
    assert.deepEqual(
      [answer.status, answer.json.Code, answer.headers.get('retry-after')],
      [400, 'messageLimitReached', '3600'],
    )
  } finally {
    await limited.close()
  }
})

test('suppression methods', async () => {
  const check = async (method: string, request: object, status: number, json: unknown) => {
    const answer = await api.call(method, request)
    assert.equal(answer.status, status, answer.body)
    assert.deepEqual(status === 200 ? answer.json : answer.json.Code, json)
  }
  const ann = { EmailAddress: 'sup@example.net' }
  await check('SuppressionList', {}, 200, { Suppressions: [] })
  await check('SuppressionPresent', ann, 200, { Present: false })
  await check('SuppressionAdd', { ...ann, Manual: true, Reason: 'asked' }, 200, {})
  await check('SuppressionAdd', ann, 400, 'error')
  await check('SuppressionPresent', { EmailAddress: 'Sup+x@example.net' }, 200, { Present: true })
  await check('SuppressionList', {}, 200, {
    Suppressions: [
      {
        ...{ ID: 1, Created: '2030-01-01T12:00:00.000Z', Account: 'alice', BaseAddress: 'sup@example.net' },
        ...{ OriginalAddress: 'sup@example.net', Manual: true, Reason: 'asked' },
      },
    ],
  })
  const sent = await api.call('Send', { ...SEND, To: [{ Address: 'sup@example.net' }] })
  assert.equal(sent.json.Submissions[0].Suppressed, true, 'still queued: the list is asked again when it is due')
  await check('SuppressionRemove', { EmailAddress: 'sup+y@example.net' }, 200, {})
  await check('SuppressionRemove', ann, 400, 'error')
  await check('SuppressionAdd', { EmailAddress: 'bad' }, 400, 'badAddress')
  await check('SuppressionRemove', {}, 400, 'badAddress')
  await check('SuppressionPresent', { EmailAddress: 'a@b@c' }, 400, 'badAddress')
})

test('a stream, and one-click unsubscription from it', async () => {
  const sent = await api.call('Send', {
    ...SEND,
    To: [{ Address: 'letter@example.net' }],
    Stream: 'letter',
    Unsubscribe: {},
  })
  assert.equal(sent.status, 200, sent.body)
  const { QueueMsgID: id } = sent.json.Submissions[0]
  assert.equal((await api.world.app.host.service(storage).queue.get(id))?.stream, 'letter')
  const source = (await api.world.source(id)).replace(/\r\n[ \t]/g, ' ')
  assert.match(source, /^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r$/m)
  const [, path = ''] = /^List-Unsubscribe: <https:\/\/mail\.example\.org\/webapi\/(.+)>\r$/m.exec(source) ?? []
  const click = await api.ask(path, { method: 'POST', user: null, body: 'List-Unsubscribe=One-Click' })
  assert.equal(click.status, 200)
  const hint = async (Stream: string) =>
    (await api.call('Send', { ...SEND, To: [{ Address: 'letter@example.net' }], Stream })).json.Submissions[0]
      .Suppressed
  assert.deepEqual([await hint('letter'), await hint('receipts')], [true, undefined])
  const refused = async (fields: object, code: string) => {
    const answer = await api.call('Send', { ...SEND, Unsubscribe: {}, ...fields })
    assert.deepEqual([answer.status, answer.json.Code], [400, code], answer.body)
  }
  await refused({ CC: [{ Address: 'b@example.net' }] }, 'user')
  await refused({ Headers: [['list-unsubscribe-post', 'x']] }, 'user')
  await refused({ Unsubscribe: true }, 'protocol')
  await refused({ Unsubscribe: { x: 1 } }, 'protocol')
  await refused({ Stream: 'no stream' }, 'user')
  await refused({ To: [] }, 'noRecipients')
})

describe('messages', () => {
  const CONTENT =
    'From: =?UTF-8?Q?Z=C3=BCe?= <zue@xn--bcher-kva.example>\r\nTo: alice@example.org, broken@@x\r\nSubject: =?UTF-8?Q?=C3=BC?=\r\n' +
    'Message-ID: <1@x>\r\nIn-Reply-To: <0@x>\r\nReferences: <a@x>\r\nDate: Tue, 1 Jan 2030 13:00:00 +0100\r\n' +
    'Authentication-Results: mail.example.org; spf=pass; dmarc=pass\r\nMIME-Version: 1.0\r\n' +
    'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nhé\r\n--b\r\n' +
    'Content-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\nContent-ID: <p@x>\r\n\r\nUERG\r\n--b--\r\n'
  let id: number
  let other: number
  beforeAll(async () => {
    const service = api.world.app.host.service(mailboxes)
    const content = Buffer.from(CONTENT)
    id = (await (await service.store('alice')).append({ mailbox: 'Inbox', content, flags: { flagged: true } })).id
    other = (await (await service.store('bob')).append({ mailbox: 'Inbox', content })).id
  })
  const fail = (answer: Answer) => [answer.status, answer.json.Code]

  test('get', async () => {
    const { json, status } = await api.call('MessageGet', { MsgID: id })
    assert.equal(status, 200)
    assert.deepEqual(json.Message, {
      ...{ From: [{ Name: 'Züe', Address: 'zue@bücher.example' }], CC: [], BCC: [], ReplyTo: [] },
      To: [
        { Name: '', Address: 'alice@example.org' },
        { Name: '', Address: 'broken@@x' },
      ],
      ...{ MessageID: '<1@x>', References: ['<0@x>', '<a@x>'], Date: '2030-01-01T12:00:00.000Z', Subject: 'ü' },
      ...{ Text: 'hé', HTML: '' },
    })
    const leaf = { ContentTypeParams: {}, ContentID: '', ContentDisposition: '', Filename: '', Parts: [] }
    assert.deepEqual(json.Structure, {
      ...{ ...leaf, ContentType: 'multipart/mixed', ContentTypeParams: { boundary: 'b' } },
      DecodedSize: json.Structure.DecodedSize,
      Parts: [
        { ...leaf, ContentType: 'text/plain', ContentTypeParams: { charset: 'utf-8' }, DecodedSize: 3 },
        {
          ...{ ...leaf, ContentType: 'application/pdf', ContentTypeParams: { name: 'a.pdf' }, ContentID: '<p@x>' },
          ...{ ContentDisposition: 'attachment', Filename: 'a.pdf', DecodedSize: 3 },
        },
      ],
    })
    assert.deepEqual(json.Meta, {
      ...{ Size: Buffer.byteLength(CONTENT), DSN: false, Flags: ['\\flagged'], MailFrom: '', MailFromValidated: false },
      ...{ RcptTo: '', MsgFrom: 'zue@bücher.example', MsgFromValidated: false, DKIMVerifiedDomains: [], RemoteIP: '' },
      MailboxName: 'Inbox',
    })
  })

  test('raw and parts', async () => {
    const raw = await api.call('MessageRawGet', { MsgID: id })
    assert.deepEqual([raw.body, raw.headers.get('content-type')], [CONTENT, 'text/plain'])
    const part = await api.call('MessagePartGet', { MsgID: id, PartPath: [1] })
    assert.deepEqual(
      [part.body, part.headers.get('content-type'), part.headers.get('content-disposition')],
      ['PDF', 'application/pdf', 'attachment'],
    )
    assert.equal((await api.call('MessagePartGet', { MsgID: id })).body, CONTENT.slice(CONTENT.indexOf('\r\n\r\n') + 4))
    assert.deepEqual(fail(await api.call('MessagePartGet', { MsgID: id, PartPath: [2] })), [400, 'partNotFound'])
    assert.deepEqual(fail(await api.call('MessagePartGet', { MsgID: id, PartPath: [-1] })), [400, 'protocol'])
  })

  test('flags', async () => {
    const flags = async () => (await api.call('MessageGet', { MsgID: id })).json.Meta.Flags
    const add = { MsgID: id, Flags: ['\\SEEN', '$Junk', 'Later'] }
    for (let i = 0; i < 2; i++) assert.deepEqual((await api.call('MessageFlagsAdd', add)).json, {})
    assert.deepEqual(await flags(), ['\\flagged', '\\seen', '$junk', 'later'])
    assert.deepEqual((await api.call('MessageFlagsRemove', { MsgID: id, Flags: ['$junk', 'later', 'none'] })).json, {})
    assert.deepEqual(await flags(), ['\\flagged', '\\seen'])
    for (const word of ['a b', 'a*', '', '\\recent', 'é', 'x'.repeat(101)])
      assert.deepEqual(fail(await api.call('MessageFlagsAdd', { MsgID: id, Flags: [word] })), [400, 'user'], word)
  })

  test('move and delete', async () => {
    const move = (box: string) => api.call('MessageMove', { MsgID: id, DestMailboxName: box })
    assert.deepEqual(fail(await move('Nowhere')), [400, 'user'])
    assert.deepEqual(fail(await move('Inbox')), [400, 'user'])
    assert.deepEqual((await move('Archive')).json, {})
    assert.equal((await api.call('MessageGet', { MsgID: id })).json.Meta.MailboxName, 'Archive')
    assert.deepEqual((await api.call('MessageDelete', { MsgID: id })).json, {})
    for (const name of ['MessageGet', 'MessageRawGet', 'MessagePartGet', 'MessageDelete'])
      for (const MsgID of [id, other, 0, -1, 999_999])
        assert.deepEqual(fail(await api.call(name, { MsgID })), [400, 'messageNotFound'], `${name} ${MsgID}`)
    for (const name of ['MessageFlagsAdd', 'MessageFlagsRemove'])
      assert.deepEqual(fail(await api.call(name, { MsgID: id, Flags: ['x'] })), [400, 'messageNotFound'])
    assert.deepEqual(fail(await move('Inbox')), [400, 'messageNotFound'])
  })
})

test('metrics', async () => {
  const text = await api.world.app.base.metrics.render()
  assert.match(text, /mox_webapi_submission_total\{result="ok"\} \d/)
  assert.match(text, /mox_webapi_submission_total\{result="badFrom"\} 1/)
  assert.match(text, /mox_webapi_results_total\{method="MessageGet",result="messageNotFound"\} \d/)
  assert.match(text, /mox_webapi_results_total\{method="Send",result="badauth"\} \d/)
  assert.match(text, /mox_webapi_duration_seconds_count\{method="Send"\} \d/)
})
