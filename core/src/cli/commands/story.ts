// The story of a message as text, for people: envelope, verdicts, recipients, attempts.
import type {
  Attempt,
  Job,
  MailboxMessage,
  MessageNote,
  Retired,
  StoredMessage,
  TlsFacts,
  TraceEntry,
} from '@mox/plugin-sdk'
import { pathToString } from '@mox/plugin-sdk/mail'
import { formatAttemptReply, formatReverse, formatTime } from './deps.ts'

export interface Story {
  readonly messageId: number
  /** Undefined when the message itself is gone already. */
  readonly message?: Omit<StoredMessage, 'prefix'>
  readonly queued: readonly Job[]
  readonly retired: readonly Retired[]
  /** Copies in mailboxes of this server. */
  readonly copies: readonly Pick<MailboxMessage, 'account' | 'id' | 'mailboxId' | 'uid'>[]
  /** What plugins did about it; only those that did something. */
  readonly notes: readonly { readonly title: string; readonly notes: readonly MessageNote[] }[]
}

export function formatStory(story: Story): string {
  const lines: string[] = []
  const { message } = story
  if (message === undefined) lines.push(`message ${story.messageId} is no longer stored`)
  else lines.push(...envelope(message), ...trace('what was said when it came in', message.trace, ''))
  for (const job of story.queued) lines.push('', ...queuedLines(job))
  for (const job of story.retired) lines.push('', ...retiredLines(job))
  if (story.copies.length > 0) lines.push('', 'copies in mailboxes')
  for (const copy of story.copies)
    lines.push(`  account ${copy.account}, mailbox id ${copy.mailboxId}, uid ${copy.uid}`)
  for (const { title, notes } of story.notes) lines.push('', title, ...notes.map(noteLine))
  return `${lines.join('\n')}\n`
}

function noteLine({ at, queueId, recipient, text }: MessageNote): string {
  return `  ${formatTime(at)}  ${recipient}${queueId === 0 ? '' : `  q${queueId}`}  ${text}`
}

function envelope(m: Omit<StoredMessage, 'prefix'>): string[] {
  const shown = m.recipients.slice(0, 20)
  const more = m.recipients.length - shown.length
  const fields: [string, string][] = [
    ['message', String(m.id)],
    ['received', formatTime(m.receivedAt)],
    ['from', formatReverse(m.reversePath)],
    ['to', `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`],
    ['subject', m.subject],
    ['message-id', m.messageIdHeader],
    ['size', `${m.size} bytes`],
    ['kind', m.kind],
    ['source', m.source],
    ['account', m.account],
    ['client', [m.remoteIp, m.helo === '' ? '' : `helo ${m.helo}`, m.protocol].filter(part => part !== '').join(', ')],
  ]
  const facts = Object.entries(m.facts).map(([id, value]): [string, string] => [`fact ${id}`, JSON.stringify(value)])
  return align([...fields.filter(([, value]) => value !== ''), ...facts], '')
}

function trace(title: string, entries: readonly TraceEntry[], indent: string): string[] {
  if (entries.length === 0) return []
  const rows = entries.map(e => [
    e.hook,
    e.plugin,
    e.failed === true ? `${e.verdict} (failed)` : e.verdict,
    `${e.ms.toFixed(3)} ms`,
    [e.recipient ?? '', e.reason ?? ''].filter(part => part !== '').join(': '),
  ])
  const widths = [0, 1, 2, 3].map(i => Math.max(...rows.map(row => row[i]!.length)))
  const lines = rows.map(row => {
    const cells = row.map((text, i) => (i === 3 ? text.padStart(widths[3]!) : text.padEnd(widths[i] ?? 0)))
    return `${indent}  ${cells.join('  ')}`.trimEnd()
  })
  return ['', `${indent}${title}`, ...lines]
}

function queuedLines(job: Job): string[] {
  const state = job.hold ? 'on hold' : `next attempt ${formatTime(job.due)}`
  return [
    `recipient ${pathToString(job.recipient)}  q${job.id}  queued, ${state}`,
    ...jobFields(job),
    ...attempts(job.results),
  ]
}

function retiredLines(job: Retired): string[] {
  return [
    `recipient ${pathToString(job.recipient)}  q${job.id}  ${job.status} ${formatTime(job.lastActivity)}`,
    ...jobFields(job),
    ...attempts(job.results),
    ...trace('what was said when it left the queue', job.trace, '  '),
  ]
}

function jobFields(job: Job | Retired): string[] {
  const extra = Object.entries(job.extra).map(([key, value]) => `${key}=${value}`)
  const fields: [string, string][] = [
    ['transport', job.transport ?? ''],
    ['require tls', job.requireTls === undefined ? '' : job.requireTls ? 'yes' : 'no'],
    ['notify', job.notify === undefined ? '' : job.notify.length === 0 ? 'never' : job.notify.join(', ')],
    ['original recipient', job.orcpt ?? ''],
    ['fromid', job.fromId ?? ''],
    ['extra', extra.join(', ')],
  ]
  return align(
    fields.filter(([, value]) => value !== ''),
    '  ',
  )
}

function attempts(results: readonly Attempt[]): string[] {
  return results.flatMap(attempt => {
    const name = attempt.number === 0 ? 'decision' : `attempt ${attempt.number}`
    const ms = attempt.endedAt === undefined ? '' : `, ${attempt.endedAt - attempt.startedAt} ms`
    const host =
      attempt.remoteHost === undefined
        ? (attempt.remoteIp ?? '')
        : `${attempt.remoteHost}${attempt.remoteIp === undefined ? '' : ` [${attempt.remoteIp}]`}`
    const way = [
      attempt.transport === undefined ? '' : `transport ${attempt.transport}`,
      host,
      formatTls(attempt.tls),
    ].filter(part => part !== '')
    const reply = formatAttemptReply(attempt)
    return [
      `  ${name}  ${formatTime(attempt.startedAt)}${ms}  ${attempt.outcome}`,
      ...(reply === '' ? [] : [`    ${reply}`]),
      ...(way.length === 0 ? [] : [`    ${way.join(', ')}`]),
      ...trace('what was said before it', attempt.trace ?? [], '    ').slice(1),
    ]
  })
}

function formatTls(tls: TlsFacts | undefined): string {
  if (tls === undefined) return ''
  return `${tls.version} ${tls.cipher}${tls.verified === undefined ? '' : tls.verified ? ', verified' : ', not verified'}`
}

function align(fields: readonly (readonly [string, string])[], indent: string): string[] {
  const width = Math.max(0, ...fields.map(([name]) => name.length))
  return fields.map(([name, value]) => `${indent}${name.padEnd(width)}  ${value}`)
}
