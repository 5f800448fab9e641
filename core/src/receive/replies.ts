// Every reply of the receive stage, and the limits behind them. Texts are fixed: nothing internal and nothing a client
// said is in them.
import { reply, type SmtpReply } from '@mox/plugin-sdk'
import type { Violation } from '@mox/plugin-sdk/mail'

/** RFC 5321 §4.5.3.1.8 asks for at least 100 recipients per transaction; we announce and take this many. */
export const MAX_RECIPIENTS = 1_000
/** RFC 5321 §6.3: a message with more Received fields is in a loop. */
export const MAX_RECEIVED = 100
/** Milliseconds before an unknown recipient is told, at RCPT beside others or at the end of DATA: makes probing slow. */
export const UNKNOWN_DELAY_MS = 5_000

export const REPLIES = {
  senderOk: reply(250, '2.1.0', 'sender ok'),
  recipientOk: reply(250, '2.1.5', 'recipient ok'),
  closed: reply(421, '4.3.2', 'session is closed'),
  nestedMail: reply(503, '5.5.1', 'already have a sender'),
  needMail: reply(503, '5.5.1', 'need MAIL first'),
  needRcpt: reply(503, '5.5.1', 'need a recipient first'),
  needAuth: reply(530, '5.7.0', 'authentication required'),
  notYourSender: reply(550, '5.7.1', 'not your address: sender not allowed for this account'),
  noAuthor: reply(550, '5.6.0', 'message needs exactly one valid From address'),
  notYourAuthor: reply(550, '5.7.1', 'not your address: From not allowed for this account'),
  senderDisabled: reply(451, '4.3.0', 'sender domain is disabled for now'),
  noSeparator: reply(554, '5.6.0', 'message needs a header and an empty line'),
  noRelay: reply(550, '5.1.1', 'not a recipient here'),
  unknown: reply(550, '5.1.1', 'no such recipient'),
  domainDisabled: reply(450, '4.2.1', 'recipient domain is disabled for now'),
  notAllowedToPost: reply(550, '5.7.2', 'not allowed to send to this list'),
  tooManyRecipients: reply(452, '4.5.3', 'too many recipients'),
  oneAtATime: reply(452, '4.5.3', 'one recipient at a time, please'),
  onlyOneForNull: reply(452, '4.5.3', 'only one recipient with a null reverse-path'),
  tooLarge: reply(552, '5.3.4', 'message too large'),
  bareNewline: reply(500, '5.5.2', 'bare newline: lines must end in CRLF (smuggling)'),
  nul: reply(500, '5.5.2', 'NUL or bare newline in message'),
  headerTooLarge: reply(552, '5.3.4', 'message header too large'),
  headerLines: reply(554, '5.6.0', 'message header has too many lines'),
  loop: reply(550, '5.4.6', 'too many Received fields: mail loop'),
  noMailboxes: reply(451, '4.3.0', 'no mailboxes here'),
  outOfSpace: reply(452, '4.3.1', 'out of space'),
} as const satisfies Record<string, SmtpReply>

/** The reply to a message that breaks a limit of the ingress reader. */
export function violationReply(violation: Violation): SmtpReply {
  switch (violation.limit) {
    case 'size':
      return REPLIES.tooLarge
    case 'bare-newline':
      return REPLIES.bareNewline
    case 'headerBytes':
      return REPLIES.headerTooLarge
    case 'headerLines':
    case 'continuationLines':
      return REPLIES.headerLines
  }
}

export function isPositive(r: SmtpReply): boolean {
  return r.code < 300
}

/** The one reply for recipients that all failed: their common one, else temporary if any may succeed later. */
export function combine(replies: readonly SmtpReply[]): SmtpReply {
  const [first = REPLIES.noRelay, ...rest] = replies
  if (rest.every(r => r.code === first.code && r.enhanced === first.enhanced)) return first
  return replies.some(r => r.code < 500)
    ? reply(451, '4.3.0', 'no recipient could be served, some may be later')
    : reply(554, '5.0.0', 'no recipient could be served')
}
