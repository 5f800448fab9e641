// Every message of the corpus is submitted with a login and arrives in the mailbox byte for byte, behind the trace fields.
// Afterwards the stores are consistent and each message can be explained.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { CORPUS, type CorpusMessage } from '../corpus/corpus.ts'
import { mox, moxJson } from '../kit/cli.ts'
import { LOGIN } from '../kit/config.ts'
import type { ProbeMessage } from '../kit/probe.ts'
import { type Server, startServer } from '../kit/server.ts'
import type { SmtpReply, SmtpSession } from '../kit/smtp.ts'
import { eventually } from '../kit/temp.ts'

/** What is put in front of a message: field names of RFC 5321 §4.4 and RFC 5322 §3.6.7, and those that a submission adds. */
const TRACE =
  /^(?:(?:Return-Path|Delivered-To|Received|Message-ID|Date|Authentication-Results|X-Mox-\S+):(?:.*\r\n(?:[ \t].*\r\n)*))*$/i

test('a corpus of messages arrives byte for byte', { timeout: 180_000 }, async () => {
  assert.ok(CORPUS.length >= 40)
  await using server = await startServer({ config: { kind: 'local' } })
  const sessions = [await plain(server), await starttls(server), await implicit(server)]
  for (const [i, message] of CORPUS.entries()) {
    assert.ok(message.content.subarray(-2).equals(Buffer.from('\r\n')), `${message.name} ends in CRLF`)
    const session = sessions[i % sessions.length]
    assert.ok(session !== undefined)
    const reply = await submit(session, i, message, i % 2 === 0)
    assert.equal(reply.code, 250, `${message.name}: ${reply.lines.join(' / ')}`)
  }
  for (const session of sessions) await session.quit()

  await eventually(
    async () => {
      const { stored, queued } = await server.get<{ stored: number; queued: number }>('/probe/count/mox')
      assert.deepEqual({ stored, queued }, { stored: CORPUS.length, queued: 0 })
    },
    { within: 60_000 },
  )
  const arrived = new Map((await server.get<ProbeMessage[]>('/probe/mail')).map(m => [m.rcptTo, m]))
  for (const [i, message] of CORPUS.entries()) {
    const found = arrived.get(recipient(i))
    assert.ok(found !== undefined, `${message.name} is in the mailbox`)
    const bytes = Buffer.from(await (await fetch(server.url(`/probe/mail/${found.id}`))).arrayBuffer())
    assert.equal(bytes.length, found.size, `${message.name}: size`)
    const tail = bytes.subarray(-message.content.length)
    assert.ok(tail.equals(message.content), `${message.name} has its bytes`)
    const front = bytes.subarray(0, -message.content.length).toString('latin1')
    assert.match(front, TRACE, `${message.name} has only trace fields in front`)
    assert.match(front, /^Received: /m, `${message.name} has a Received field`)
  }

  const at = ['--config', server.configFile]
  const retired = await moxJson<Record<string, unknown>[]>([
    'queue',
    'retired',
    'list',
    '--limit',
    String(CORPUS.length + 10),
    ...at,
  ])
  assert.equal(retired.length, CORPUS.length)
  const first = await mox(['message', 'explain', '1', ...at])
  assert.equal(first.code, 0, first.stderr)
  assert.match(first.stdout, /corpus-0@example\.org/)
  const verified = await mox(['verify', ...at])
  assert.equal(verified.code, 0, verified.stdout + verified.stderr)
  assert.deepEqual(await server.stop(), { code: 0, signal: null })
})

const recipient = (i: number): string => `corpus-${i}@example.org`

async function submit(session: SmtpSession, i: number, message: CorpusMessage, pipelined: boolean): Promise<SmtpReply> {
  const transaction = {
    from: 'mox@localhost',
    to: [recipient(i)],
    content: message.content,
    ...(message.utf8 ? { parameters: ' BODY=8BITMIME SMTPUTF8' } : {}),
  }
  if (!pipelined) return await session.send(transaction)
  const replies = await session.sendPipelined(transaction)
  return replies.find(r => r.code >= 400) ?? replies.at(-1) ?? { code: 0, lines: [] }
}

async function plain(server: Server): Promise<SmtpSession> {
  return await server.login('local')
}

async function starttls(server: Server): Promise<SmtpSession> {
  const session = await server.smtp()
  await session.ehlo()
  await session.starttls()
  await session.login(LOGIN.local)
  return session
}

async function implicit(server: Server): Promise<SmtpSession> {
  const session = await server.smtp('submissions')
  await session.ehlo()
  await session.login(LOGIN.local)
  return session
}
