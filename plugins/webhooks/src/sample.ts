// What a test call posts: a complete payload of the kind, about a message that does not exist.
import type { EventKind, MailEvent } from '@mox/plugin-sdk'
import { messageView } from '@mox/plugin-sdk/mail'
import { incomingPayload, outgoingPayload, type Payload } from './payload.ts'

const MESSAGE = Buffer.from(
  [
    'From: "Ann" <ann@example.org>',
    'To: <bob@example.net>',
    'Subject: test of an incoming webhook',
    'Message-ID: <test@example.org>',
    '',
    'This message does not exist.',
    '',
  ].join('\r\n'),
)

export function samplePayload(account: string, kind: EventKind, eventId: string, now: number): Payload {
  if (kind === 'incoming') return { ...incomingPayload(messageView(MESSAGE), false), EventID: eventId, Event: kind }
  const bad = kind !== 'delivered' && kind !== 'relayed' && kind !== 'expanded'
  const event: MailEvent = {
    ...{ id: 0, eventId, at: now, sequence: 1, account, kind, queueId: 0, messageId: 0 },
    ...{ messageIdHeader: '<test@example.org>', subject: 'test of a webhook', recipient: 'bob@example.net' },
    ...{ fromId: '', stream: '', extra: {}, dsn: false, suppressing: false, attempt: 1, remoteMta: 'mx.example.net' },
    ...(bad ? { code: 550, enhanced: '5.1.1', error: 'this is a test' } : { code: 250, enhanced: '2.0.0', error: '' }),
  }
  return outgoingPayload(event, now)
}
