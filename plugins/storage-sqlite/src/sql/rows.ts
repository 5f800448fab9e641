// Rows of core's tables as the SDK's types, and back.
import type {
  Attempt,
  FinalStatus,
  Job,
  MessageInfo,
  Notify,
  OutboxRow,
  Retired,
  StoredMessage,
  TraceEntry,
} from '@mox/plugin-sdk'
import { formatAddress, type Path } from '@mox/plugin-sdk/mail'
import type { Row } from './base.ts'

const json = <T>(value: unknown): T => JSON.parse(value as string) as T
const text = (value: unknown): string => value as string
const number = (value: unknown): number => value as number

/** Fields that are absent when the column is NULL. */
function present<K extends string, V>(key: K, column: unknown, convert: (value: unknown) => V): Partial<Record<K, V>> {
  return column === null || column === undefined ? {} : ({ [key]: convert(column) } as Partial<Record<K, V>>)
}

export const addressOf = (path: Path | null): string => (path === null ? '' : formatAddress(path))

function pathOf(localpart: unknown, domain: unknown): Path | null {
  return localpart === null ? null : { localpart: text(localpart), domain: text(domain) }
}

export function storedMessage(row: Row): StoredMessage {
  return {
    id: number(row['id']),
    kind: row['kind'] as StoredMessage['kind'],
    source: text(row['source']),
    prefix: row['prefix'] as Buffer,
    contentId: number(row['content_id']),
    remoteIp: text(row['remote_ip']),
    helo: text(row['helo']),
    protocol: text(row['protocol']),
    recipients: json(row['recipients']),
    facts: json(row['facts']),
    trace: json<TraceEntry[]>(row['trace']),
    ...shared(row),
  }
}

/** Columns of mox_message that every recipient carries. */
export const MESSAGE_COLUMNS = [
  'received_at',
  'message_id_header',
  'subject',
  'size',
  'has8bit',
  'smtputf8',
  'ret',
  'envid',
  'future_release',
] as const

function shared(row: Row): Omit<MessageInfo, 'messageId'> {
  return {
    receivedAt: number(row['received_at']),
    account: text(row['account']),
    reversePath: pathOf(row['from_localpart'], row['from_domain']),
    messageIdHeader: text(row['message_id_header']),
    subject: text(row['subject']),
    size: number(row['size']),
    has8bit: row['has8bit'] === 1,
    smtputf8: row['smtputf8'] === 1,
    ...present('ret', row['ret'], v => v as 'FULL' | 'HDRS'),
    ...present('envid', row['envid'], text),
    ...present('futureReleaseRequest', row['future_release'], text),
  }
}

function recipient(row: Row): Omit<Job, 'due' | 'hold'> {
  return {
    ...shared(row),
    id: number(row['id']),
    messageId: number(row['message_id']),
    recipient: { localpart: text(row['rcpt_localpart']), domain: text(row['rcpt_domain']) },
    recipientDomain: text(row['recipient_domain']),
    attempts: number(row['attempts']),
    maxAttempts: number(row['max_attempts']),
    results: json<Attempt[]>(row['results']),
    extra: json(row['extra']),
    dialedIps: json(row['dialed']),
    ...present('lastAttempt', row['last_attempt'], number),
    ...present('transport', row['transport'], text),
    ...present('requireTls', row['require_tls'], v => v === 1),
    ...present('notify', row['notify'], v => json<Notify[]>(v)),
    ...present('orcpt', row['orcpt'], text),
    ...present('fromId', row['from_id'], text),
  }
}

export function job(row: Row): Job {
  return { ...recipient(row), due: number(row['due']), hold: row['hold'] === 1 }
}

export function retired(row: Row): Retired {
  return {
    ...recipient(row),
    status: row['status'] as FinalStatus,
    lastActivity: number(row['last_activity']),
    keepUntil: number(row['keep_until']),
    trace: json<TraceEntry[]>(row['trace']),
  }
}

export function outboxRow(row: Row): OutboxRow {
  return {
    id: number(row['id']),
    eventId: text(row['event_id']),
    hook: text(row['hook']),
    subscriber: text(row['subscriber']),
    payload: json(row['payload']),
    createdAt: number(row['created_at']),
    due: number(row['due']),
    attempts: number(row['attempts']),
    dead: row['dead'] === 1,
    ...present('lastError', row['last_error'], text),
  }
}
