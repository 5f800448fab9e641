// Leaving a mailing list for the user: one POST (RFC 8058), or a mail. The address comes from a stranger: the POST goes only to
// the public internet and follows nothing, and only a person's click makes it.
import type { Clock, Directory, MailboxMessage, Random, Submission } from '@mox/plugin-sdk'
import { MailError } from '@mox/plugin-sdk'
import { type Egress, Poster } from '@mox/plugin-sdk/io'
import { encodeWords, formatAddress, formatDate, formatField, type Path, parseAddress } from '@mox/plugin-sdk/mail'
import { CallError, type Caller } from '../call.ts'
import type { UnsubscribeWay } from './unsubscribe-header.ts'

/** Milliseconds that the list's server has to answer. */
export const UNSUBSCRIBE_MS = 15_000
const SUBJECT_LENGTH = 200
const BODY_LENGTH = 2_000

export interface UnsubscribeDeps {
  readonly clock: Clock
  readonly random: Random
  readonly directory: Pick<Directory, 'maySendAs'>
  readonly submission: Submission
  readonly egress: Egress
}

export async function unsubscribe(
  deps: UnsubscribeDeps,
  way: UnsubscribeWay,
  message: MailboxMessage,
  caller: Caller,
  signal: AbortSignal,
): Promise<{ done: boolean; text: string }> {
  if (way.kind === 'oneclick') return await post(deps, way.target, signal)
  if (way.kind === 'mailto') return await mail(deps, way.target, message, caller)
  throw new CallError('refused', 'this list is left on a page of its own; open it')
}

async function post({ clock, egress }: UnsubscribeDeps, url: string, signal: AbortSignal) {
  const poster = new Poster({ clock, egress }, 1)
  const late = new AbortController()
  const cancel = clock.after(UNSUBSCRIBE_MS, () => late.abort())
  try {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded', 'User-Agent': 'mox-webmail' }
    const request = { url, headers, body: 'List-Unsubscribe=One-Click' }
    const { code, error } = await poster.post(request, AbortSignal.any([signal, late.signal]))
    const host = new URL(url).hostname
    if (error === '') return { done: true, text: `${host} has taken you off the list.` }
    const why = late.signal.aborted ? 'no answer in time' : code === 0 ? error : `it answered with status ${code}`
    return { done: false, text: `${host} could not be told: ${why}.` }
  } finally {
    cancel()
    poster.close()
  }
}

async function mail(deps: UnsubscribeDeps, target: string, message: MailboxMessage, caller: Caller) {
  const url = new URL(target)
  const to = address(unescaped(url.pathname))
  if (to === undefined) throw new CallError('refused', 'the list names no address that can be written to')
  const from = await sender(deps, message, caller)
  const parameter = (name: string, most: number): string =>
    (url.searchParams.get(name) ?? '')
      .slice(0, most)
      .replace(/[\p{Cc}\p{Cf}]+/gu, ' ')
      .trim()
  const id = `<${deps.random.id()}@${from.domain}>`
  const fields = [
    formatField('From', formatAddress(from)),
    formatField('To', formatAddress(to)),
    formatField('Subject', encodeWords(parameter('subject', SUBJECT_LENGTH) || 'unsubscribe')),
    formatField('Date', formatDate(deps.clock.now())),
    formatField('Message-ID', id),
    formatField('Auto-Submitted', 'no'),
    formatField('MIME-Version', '1.0'),
    formatField('Content-Type', 'text/plain; charset=utf-8'),
    formatField('Content-Transfer-Encoding', 'base64'),
  ]
  const body = Buffer.from(`${parameter('body', BODY_LENGTH) || 'unsubscribe'}\r\n`).toString('base64')
  const content = Buffer.from(`${fields.join('')}\r\n${body.replace(/.{76}/g, '$&\r\n')}\r\n`)
  try {
    await deps.submission.submit({
      ...{ account: caller.account, loginAddress: caller.loginAddress, source: 'webmail', remoteIp: caller.remoteIp },
      envelope: { reversePath: from, recipients: [{ path: to }] },
      content,
    })
  } catch (error) {
    if (error instanceof MailError) return { done: false, text: `The mail could not be sent: ${error.reply.text}.` }
    throw error
  }
  return { done: true, text: `A mail that asks to be taken off the list was sent to ${formatAddress(to)}.` }
}

/** The list knows the address that it writes to; where that is none of the user's, the one of the login. */
async function sender(deps: UnsubscribeDeps, message: MailboxMessage, caller: Caller): Promise<Path> {
  for (const text of [message.rcptTo, caller.loginAddress]) {
    const path = address(text)
    if (path !== undefined && (await deps.directory.maySendAs(caller.account, path))) return path
  }
  throw new CallError('refused', 'you have no address to leave the list with')
}

function address(text: string): Path | undefined {
  const parsed = parseAddress(text)
  return parsed.ok ? parsed.path : undefined
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
