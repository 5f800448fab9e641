// What people read in a DSN: which recipient, what the other server said, what happens next. Handlers of onDSN.compose may
// replace it; this text is what is sent when they fail.
import type { Attempt, DsnDraft } from '@mox/plugin-sdk'
import { formatDate, pathToString } from '@mox/plugin-sdk/mail'
import type { DsnKind, ReportedMessage, ReportedRecipient } from '../model.ts'
import { oneLine } from './encode.ts'
import { decidedHere, replyLines, wentOut } from './reply.ts'

const WIDTH = 76
/** Characters after which recipients are only counted: the second part of the DSN has them all. */
export const LISTED_LENGTH = 30_000
/** Characters shown of a subject, and of one line that a server said. */
const SHOWN = 300
/** Times of further attempts shown. */
const RETRIES = 10

export function draftFor(kind: DsnKind, message: ReportedMessage, recipients: readonly ReportedRecipient[]): DsnDraft {
  const { subject, opening } = wording(kind, recipients)
  const blocks = [wrap(opening)]
  let length = 0
  for (const [index, one] of recipients.entries()) {
    const block = `${indent(shown(pathToString(one.recipient)), 2)}\n${explain(kind, one)}`
    length += block.length
    if (index > 0 && length > LISTED_LENGTH) {
      blocks.push(`  and ${recipients.length - index} more, listed in the second part of this message`)
      break
    }
    blocks.push(block)
  }
  return { subject, text: [...blocks, details(message)].join('\n\n'), language: 'en' }
}

function wording(kind: DsnKind, recipients: readonly ReportedRecipient[]): { subject: string; opening: string } {
  const n = recipients.length
  const these = n === 1 ? 'this recipient' : `these ${n} recipients`
  const to = n === 1 ? '' : ` to ${n} recipients`
  switch (kind) {
    case 'failed':
      return {
        subject: `Your message could not be delivered${to}`,
        opening: `Your message could not be delivered to ${these}, and no further attempts will be made.`,
      }
    case 'delayed':
      return {
        subject: `Your message is delayed${n === 1 ? '' : ` for ${n} recipients`}`,
        opening: `Your message has not been delivered to ${these} yet. You need not do anything: we keep trying, and tell you if it fails in the end.`,
      }
    case 'success': {
      const actions = new Set(recipients.map(({ action }) => action))
      const done = actions.size > 1 ? 'delivered or passed on' : actions.has('relayed') ? 'passed on' : 'delivered'
      return {
        subject: `Your message was ${done}${to}`,
        opening: `You asked to be told: your message was ${done} to ${these}.`,
      }
    }
  }
}

function explain(kind: DsnKind, one: ReportedRecipient): string {
  if (kind === 'success') return indent(wrap(success(one), WIDTH - 4), 4)
  const paragraphs = [problem(one)]
  if (kind === 'delayed') paragraphs.push(retries(one.retryAt ?? []))
  else if (one.attempts > 1 && one.attempt?.outcome === 'temporary')
    paragraphs.push(
      wrap(
        `It was tried ${one.attempts} times${one.firstAttempt === undefined ? '' : ` since ${formatDate(one.firstAttempt)}`}.`,
        WIDTH - 4,
      ),
    )
  return indent(paragraphs.filter(text => text !== '').join('\n'), 4)
}

function problem(one: ReportedRecipient): string {
  const { attempt, status } = one
  if (attempt === undefined) return 'The reason is not known.'
  const said = shown(attempt.text.split('\n').join(' '))
  if (attempt.number === 0)
    return wrap(`${status === 'suppressed' ? 'It was not sent' : 'Delivery was ended here'}: ${said}`, WIDTH - 4)
  const lines = replyLines(attempt)
  if (lines.length === 0) return wrap(`No server took it. The last problem was: ${said}`, WIDTH - 4)
  return [`${whoSaid(attempt)}:`, ...lines.map(line => indent(wrap(shown(line), WIDTH - 6), 2))].join('\n')
}

function whoSaid(attempt: Attempt): string {
  if (decidedHere(attempt)) return 'No other server was asked; it was refused here'
  if (!wentOut(attempt)) return 'The mailbox did not take it'
  return `The server ${server(attempt.remoteHost, attempt.remoteIp)} answered`
}

function server(host = '', ip = ''): string {
  if (host === '') return ip === '' ? 'of the recipient' : `[${shown(ip)}]`
  return ip === '' ? shown(host) : `${shown(host)} (${shown(ip)})`
}

function retries(times: readonly number[]): string {
  const last = times.at(-1)
  if (last === undefined) return ''
  const rest = times.length - RETRIES
  const more = rest > 0 ? `\n  and ${rest} more times, the last on ${formatDate(last)}` : ''
  return `It will be tried again on\n${times
    .slice(0, RETRIES)
    .map(time => `  ${formatDate(time)}`)
    .join('\n')}${more}`
}

function success({ action, attempt }: ReportedRecipient): string {
  if (action === 'expanded') return 'It is a group here, and the message was delivered to its members.'
  if (action === 'delivered') return 'The message is in the mailbox.'
  return `The message was passed on to ${server(attempt?.remoteHost, attempt?.remoteIp)}, which does not tell about delivery. You may hear from it only if it fails.`
}

function details({ subject, receivedAt, messageIdHeader }: ReportedMessage): string {
  const lines = ['About this message:', `  Received here: ${formatDate(receivedAt)}`]
  if (subject !== '') lines.push(`  Subject: ${shown(subject)}`)
  if (messageIdHeader !== '') lines.push(`  Message-ID: ${shown(messageIdHeader)}`)
  return lines.join('\n')
}

function shown(text: string): string {
  const line = oneLine(text)
  return line.length <= SHOWN ? line : `${line.slice(0, SHOWN).toWellFormed()}…`
}

function indent(text: string, columns: number): string {
  return text.replace(/^(?=.)/gm, ' '.repeat(columns))
}

/** Breaks at spaces, where there are any. */
function wrap(text: string, width: number = WIDTH): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join('\n')
}
