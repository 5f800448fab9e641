// The client against our own listener, on real connections: TLS 1.2 and 1.3 with channel binding, and a message that arrives as
// it was sent.
import { deepStrictEqual, rejects, strictEqual } from 'node:assert/strict'
import { connect as dial } from 'node:net'
import { createSecureContext } from 'node:tls'
import { VirtualClock } from '@mox/plugin-sdk/testkit'
import { afterEach, test } from 'vitest'
import { Harness } from '../../../smtp-in/test/support/harness.ts'
import { type Client, type ClientTls, connect } from '../../src/client/index.ts'
import { clientOptions, messageOf, path } from '../support/run.ts'

const harnesses: Harness[] = []
const clients: Client[] = []
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy()
  for (const harness of harnesses.splice(0)) harness.stop()
})

async function open(tls: Partial<ClientTls>, mechanism: string, password = 'secret12') {
  const harness = await Harness.start({
    listener: { kind: 'submission', tls: tls.mode === 'implicit' ? 'implicit' : 'required-starttls' },
  })
  harnesses.push(harness)
  const socket = dial({ host: '127.0.0.1', port: harness.port })
  await new Promise<void>(resolve => socket.once('connect', resolve))
  const row = { tls, login: { username: 'mjl@example.org', password, mechanisms: [mechanism] } }
  const client = await connect({ ...clientOptions(row, socket, new VirtualClock()) })
  clients.push(client)
  return { harness, client }
}

test('every mechanism, over both versions of TLS', async () => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const)
    for (const mode of ['required', 'implicit'] as const)
      for (const mechanism of [
        'SCRAM-SHA-256-PLUS',
        'SCRAM-SHA-256',
        'SCRAM-SHA-1-PLUS',
        'SCRAM-SHA-1',
        'PLAIN',
        'LOGIN',
      ]) {
        const { client } = await open({ mode, context: createSecureContext({ maxVersion }) }, mechanism)
        strictEqual(client.tls?.version, maxVersion)
        strictEqual(client.usable, true)
        await client.quit()
      }
})

test('a wrong password', async () => {
  for (const mechanism of ['SCRAM-SHA-256-PLUS', 'PLAIN', 'LOGIN'])
    await rejects(open({ mode: 'required' }, mechanism, 'wrong'), (error: Error) => {
      const { kind, answer } = error as Error & { kind: string; answer: { code: number; stage: string } }
      deepStrictEqual([kind, answer.stage, answer.code], ['reply', 'auth', 535])
      return true
    })
})

test('a message arrives as it was sent', async () => {
  const { harness, client } = await open({ mode: 'required' }, 'SCRAM-SHA-256-PLUS')
  const content = `Subject: x\r\n\r\n.\r\n..\r\n.a\r\n${'line of text\r\n'.repeat(40_000)}no end`
  const message = messageOf({
    content,
    to: [
      { address: 'a@example.com', notify: ['failure'], orcpt: 'rfc822;a@example.com' },
      'refuse@example.com',
      'b@example.com',
    ],
    message: { size: content.length, envid: 'id 1', ret: 'HDRS' },
  })
  const answers = await client.send(message, AbortSignal.any([]))
  deepStrictEqual(
    answers.map(({ id, kind, stage, code, enhanced }) => ({ id, kind, stage, code, enhanced })),
    [
      { id: 1, kind: 'ok', stage: 'end', code: 250, enhanced: '2.0.0' },
      { id: 2, kind: 'reply', stage: 'rcpt', code: 550, enhanced: '5.1.1' },
      { id: 3, kind: 'ok', stage: 'end', code: 250, enhanced: '2.0.0' },
    ],
  )
  const [received] = harness.receiver.messages
  strictEqual(received?.content.toString(), `${content}\r\n`)
  strictEqual(received?.from, '<alice@example.org>')
  deepStrictEqual(
    received?.to.map(recipient => recipient.path),
    [path('a@example.com'), path('b@example.com')],
  )
  strictEqual(client.usable, true)
})
