// Inputs of the hooks, complete and ordinary; a test names only what it is about.

import { createHash } from 'node:crypto'
import type { AttemptInput, DeliverInput, QueueInput, RetireInput } from '../hooks/deliver.ts'
import type { ReceiveConnect, ReceiveData, ReceiveDone, ReceiveMail, ReceiveRcpt } from '../hooks/receive.ts'
import { type Path, parseAddress } from '../mail/address.ts'
import { parseHeader } from '../mail/header.ts'
import type { Envelope } from '../model/envelope.ts'
import type { Attempt, Job, Retired } from '../model/job.ts'
import type { SessionInfo } from '../model/session.ts'
import { TEST_NOW } from './clock.ts'

/** A path from "local@domain". */
export function samplePath(address: string): Path {
  const parsed = parseAddress(address)
  if (!parsed.ok) throw new Error(`${address} is no address`)
  return parsed.path
}

const SENDER: Path = { localpart: 'alice', domain: 'example.org' }
const RECIPIENT: Path = { localpart: 'bob', domain: 'example.net' }

/** A server that delivers to us over TLS. */
export function sampleSession(overrides: Partial<SessionInfo> = {}): SessionInfo {
  return {
    id: 'session-1',
    kind: 'delivery',
    listener: 'smtp',
    hostname: 'mail.example.net',
    localIp: '192.0.2.25',
    remoteIp: '198.51.100.7',
    remotePort: 40_000,
    connectedAt: TEST_NOW,
    helo: 'mail.example.org',
    protocol: 'ESMTP',
    tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
    ...overrides,
  }
}

export function sampleEnvelope(overrides: Partial<Envelope> = {}): Envelope {
  return { reversePath: SENDER, recipients: [{ path: RECIPIENT }], ...overrides }
}

export function sampleConnect(overrides: Partial<ReceiveConnect> = {}): ReceiveConnect {
  return { session: sampleSession(), ...overrides }
}

export function sampleMail(overrides: Partial<ReceiveMail> = {}): ReceiveMail {
  return { session: sampleSession(), reversePath: SENDER, parameters: {}, ...overrides }
}

export function sampleRcpt(overrides: Partial<ReceiveRcpt> = {}): ReceiveRcpt {
  const envelope = sampleEnvelope({ recipients: [] })
  return { session: sampleSession(), envelope, recipient: { path: RECIPIENT }, ...overrides }
}

const MESSAGE =
  'From: alice@example.org\r\nTo: bob@example.net\r\nSubject: hello\r\nMessage-ID: <1@example.org>\r\n\r\nHello Bob.\r\n'

/** `message` is the whole message, CRLF line ends; the other fields follow from it. */
export function sampleData({
  message = MESSAGE,
  ...overrides
}: Partial<ReceiveData> & { message?: string } = {}): ReceiveData {
  const bytes = Buffer.from(message)
  return {
    session: sampleSession(),
    envelope: sampleEnvelope(),
    head: parseHeader(bytes),
    size: bytes.length,
    has8bit: bytes.some(byte => byte > 127),
    hash: createHash('sha256').update(bytes).digest(),
    content: async function* () {
      yield bytes
    },
    ...overrides,
  }
}

export function sampleDone(overrides: Partial<ReceiveDone> = {}): ReceiveDone {
  return {
    messageId: 1,
    kind: 'delivery',
    account: '',
    from: 'alice@example.org',
    recipients: ['bob@example.net'],
    size: MESSAGE.length,
    ...overrides,
  }
}

/** A recipient of alice's message, due now, not tried yet. `recipientDomain` alone sets the domain of `recipient` too. */
export function sampleJob(overrides: Partial<Job> = {}): Job {
  const domain = overrides.recipientDomain ?? overrides.recipient?.domain ?? RECIPIENT.domain
  return {
    id: 1,
    messageId: 1,
    receivedAt: TEST_NOW,
    account: 'alice',
    reversePath: SENDER,
    messageIdHeader: '<1@example.org>',
    subject: 'hello',
    size: MESSAGE.length,
    has8bit: false,
    smtputf8: false,
    recipient: { ...RECIPIENT, domain },
    recipientDomain: domain,
    due: TEST_NOW,
    hold: false,
    attempts: 0,
    maxAttempts: 0,
    results: [],
    extra: {},
    dialedIps: {},
    ...overrides,
  }
}

/** A first attempt that the next hop answered with a temporary refusal. */
export function sampleAttempt(overrides: Partial<Attempt> = {}): Attempt {
  return {
    number: 1,
    startedAt: TEST_NOW,
    endedAt: TEST_NOW + 1_000,
    outcome: 'temporary',
    code: 451,
    enhanced: '4.3.0',
    text: 'try again later',
    transport: 'direct',
    ...overrides,
  }
}

export function sampleRetired({ due: _, hold: __, ...overrides }: Partial<Retired & Job> = {}): Retired {
  const { due: ___, hold: ____, ...job } = sampleJob()
  return {
    ...job,
    status: 'delivered',
    lastActivity: TEST_NOW,
    keepUntil: TEST_NOW + 604_800_000,
    trace: [],
    ...overrides,
  }
}

export function sampleDeliver(overrides: Partial<DeliverInput> = {}): DeliverInput {
  return { job: sampleJob(), attempt: 1, ...overrides }
}

export function sampleQueue(draft: Partial<QueueInput['draft']> = {}): QueueInput {
  const ordinary = {
    account: 'alice',
    reversePath: SENDER,
    recipient: RECIPIENT,
    due: TEST_NOW,
    maxAttempts: 0,
    extra: {},
  }
  const head = parseHeader(Buffer.from('From: <alice@example.org>\r\n\r\n'))
  return { messageId: 1, head, draft: { ...ordinary, ...draft } }
}

export function sampleAttempted(overrides: Partial<AttemptInput> = {}): AttemptInput {
  return {
    queueId: 1,
    messageId: 1,
    account: 'alice',
    recipient: RECIPIENT,
    attempt: sampleAttempt(),
    final: false,
    nextAttempt: TEST_NOW + 450_000,
    ...overrides,
  }
}

export function sampleRetire(overrides: Partial<Retired> = {}): RetireInput {
  return { retired: sampleRetired(overrides) }
}
