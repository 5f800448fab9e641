// The commands of RFC 5321 §4.1.1 and of the extensions we speak, as a table. Each answers through the session; what takes
// time returns a promise. There are no others: no debugging commands, no XCLIENT, XFORWARD or PROXY.
import { reply } from '@mox/plugin-sdk'
import { type CommandRefused, parseDomain, parseMailCommand, parseRcptCommand } from '@mox/plugin-sdk/mail'
import { authCommand, authResponse, mayLogIn } from './auth.ts'
import { HOLD_SECONDS, MAX_RECIPIENTS } from './limits.ts'
import { Message } from './message.ts'
import { mailParameters, rcptParameters } from './parameters.ts'
import type { Session } from './session.ts'

export interface Command {
  /** For metrics. */
  readonly name: string
  readonly run: (session: Session, line: string) => Promise<void> | undefined
}

export interface Commands {
  readonly verbs: ReadonlyMap<string, Command>
  /** A continuation line of AUTH. */
  readonly response: Command
  /** A line with control characters. */
  readonly control: Command
}

export const UNKNOWN_COMMAND: Command = {
  name: 'unknown',
  run: session => {
    // Somebody who speaks another protocol, often a browser made to send mail, says so in the first line.
    if (session.counts.commands === 1) session.farewell(reply(500, '5.5.1', 'unknown command'))
    else session.refuse(500, '5.5.1', 'unknown command')
    return undefined
  },
}

const CONTROL: Command = {
  name: 'unknown',
  run: session => {
    if (session.counts.commands === 1) session.farewell(reply(500, '5.5.2', 'control character in command'))
    else session.refuse(500, '5.5.2', 'control character in command')
    return undefined
  },
}

function argument(line: string): string {
  const space = line.indexOf(' ')
  return space < 0 ? '' : line.slice(space + 1).trim()
}

/** A command that takes no argument. */
function bare(name: string, run: (session: Session) => Promise<void> | undefined): [string, Command] {
  const checked: Command['run'] = (session, line) =>
    argument(line) === '' ? run(session) : void session.refuse(501, '5.5.4', `${name} takes no argument`)
  return [name, { name: name.toLowerCase(), run: checked }]
}

/** A command that has no effect on mail. */
function junk(name: string, code: number, enhanced: string, text: string): [string, Command] {
  const run: Command['run'] = session => {
    session.counts.junk++
    session.reply(reply(code, enhanced, text))
    return undefined
  }
  return [name, { name: name.toLowerCase(), run }]
}

// RFC 5321 §4.1.1.1.

function hello(session: Session, line: string, extended: boolean): undefined {
  const given = argument(line)
  const name = checkedName(session, given, extended)
  if (name === undefined) return void session.refuse(501, '5.5.2', 'your name must be a domain or an address literal')
  session.counts.junk++
  session.reset()
  session.info.helo = name
  session.info.protocol = extended ? 'ESMTP' : 'SMTP'
  if (extended) session.lines(250, extensions(session))
  else session.lines(250, [session.info.hostname])
}

/** The name to remember; undefined when it is malformed. */
function checkedName(session: Session, given: string, extended: boolean): string | undefined {
  const { kind, remoteIp } = session.info
  // Mail programs say what they like; their address is the better name.
  if (kind === 'submission') return remoteIp.includes(':') ? `[IPv6:${remoteIp}]` : `[${remoteIp}]`
  const name = extended && given.startsWith('[') ? given.slice(0, given.indexOf(']') + 1) : given
  if (!extended && name.startsWith('[')) return undefined
  // Windows names have underscores.
  return parseDomain(name.replaceAll('_', '-'), { smtputf8: false }).ok ? name : undefined
}

function extensions(session: Session): string[] {
  const { context, info, now } = session
  const submission = info.kind === 'submission'
  const words = [info.hostname, 'PIPELINING', `SIZE ${context.maxMessageSize}`]
  if (info.tls !== undefined) words.push('REQUIRETLS')
  else if (context.tls !== 'none') words.push('STARTTLS')
  if (submission && info.account === undefined && mayLogIn(session)) {
    const tls = info.tls !== undefined
    words.push(['AUTH', ...context.services.directory.mechanisms({ tls, allowPlain: !tls })].join(' '))
  }
  if (submission) {
    const latest = new Date(now + HOLD_SECONDS * 1000).toISOString().replace(/\.\d+/, '')
    words.push(`FUTURERELEASE ${HOLD_SECONDS} ${latest}`)
  }
  return [...words, 'ENHANCEDSTATUSCODES', '8BITMIME', 'SMTPUTF8', 'DSN', `LIMITS RCPTMAX=${MAX_RECIPIENTS}`]
}

// RFC 3207 §4.
function startTls(session: Session): Promise<void> | undefined {
  const { context, info } = session
  if (info.tls !== undefined) return void session.refuse(503, '5.5.1', 'TLS is active already')
  if (context.tls === 'none') return void session.refuse(503, '5.5.1', 'no TLS here')
  if (info.helo === '') return void session.refuse(503, '5.5.1', 'say EHLO first')
  if (info.account !== undefined) return void session.refuse(503, '5.5.1', 'not after AUTH')
  if (info.kind === 'delivery') context.metrics.starttls()
  session.reply(reply(220, '2.0.0', 'go ahead'))
  const begin = (): void => {
    session.timing.handshake(session.now)
    session.wire.startTls()
  }
  const sent = session.flush()
  return sent === undefined ? void begin() : sent.then(begin)
}

// RFC 5321 §4.1.1.2.
function mail(session: Session, line: string): Promise<void> | undefined {
  const { context, info, counts } = session
  if (session.draining) return void session.farewell(reply(421, '4.3.2', 'shutting down'))
  if (info.helo === '') return void session.refuse(503, '5.5.1', 'say EHLO first')
  if (session.transaction !== undefined) return void session.refuse(503, '5.5.1', 'MAIL was given already')
  if (context.tls === 'required-starttls' && info.tls === undefined)
    return void session.refuse(530, '5.7.0', 'begin TLS with STARTTLS first')
  if (info.kind === 'submission' && info.account === undefined)
    return void session.refuse(530, '5.7.0', 'log in with AUTH first')
  if (session.tooManyBadTransactions) return void session.farewell(reply(550, '5.1.0', 'too many failed transactions'))
  counts.bad++
  const command = parseMailCommand(line)
  if (!command.ok) return refuseSyntax(session, command, '5.1.7')
  const parameters = mailParameters(command.params, {
    now: session.now,
    submission: info.kind === 'submission',
    tls: info.tls !== undefined,
    maxSize: context.maxMessageSize,
  })
  if (!parameters.ok) return refused(session, parameters.reply)
  return session.receive!.mail(command.path, parameters.value).then(answer => {
    if (answer.code >= 400) return refused(session, answer)
    session.transaction = { smtputf8: parameters.value.smtputf8 === true, recipients: 0 }
    session.timing.transaction(session.now)
    session.reply(answer)
  })
}

// RFC 5321 §4.1.1.3.
function rcpt(session: Session, line: string): Promise<void> | undefined {
  const { transaction, counts } = session
  if (transaction === undefined) return void session.refuse(503, '5.5.1', 'say MAIL first')
  if (transaction.recipients >= MAX_RECIPIENTS) {
    counts.refusedRecipients++
    return void session.reply(reply(452, '4.5.3', 'too many recipients'))
  }
  const command = parseRcptCommand(line, transaction)
  if (!command.ok) return refuseSyntax(session, command, '5.1.3')
  const parameters = rcptParameters(command.params, transaction)
  if (!parameters.ok) return refused(session, parameters.reply)
  return session.receive!.rcpt({ path: command.path, ...parameters.value }).then(answer => {
    if (answer.code < 400) transaction.recipients++
    else counts.refusedRecipients++
    session.reply(answer)
  })
}

function refused(session: Session, answer: Parameters<Session['reply']>[0]): undefined {
  session.refuse(answer.code, answer.enhanced ?? '', answer.text)
}

function refuseSyntax(session: Session, command: CommandRefused, badAddress: string): undefined {
  if (command.needsUtf8) session.refuse(553, '5.6.7', command.error)
  else if (command.fault === 'path') session.refuse(553, badAddress, command.error)
  else session.refuse(501, command.fault === 'syntax' ? '5.5.2' : '5.5.4', command.error)
}

// RFC 5321 §4.1.1.4.
function data(session: Session): undefined {
  const { transaction, context } = session
  if (transaction === undefined) return void session.refuse(503, '5.5.1', 'say MAIL first')
  if (transaction.recipients === 0) return void session.refuse(503, '5.5.1', 'no recipient was accepted')
  const sink = session.receive!.data({ maxSize: context.maxMessageSize })
  if (sink.refused !== undefined) {
    void sink.abort()
    return refused(session, sink.refused)
  }
  session.message = new Message(sink, context.maxMessageSize)
  session.timing.contentBegins(session.now)
  session.reply({ code: 354, text: 'send the message, then a line with a dot' })
}

const verbs = new Map<string, Command>([
  ['EHLO', { name: 'ehlo', run: (session, line) => hello(session, line, true) }],
  ['HELO', { name: 'helo', run: (session, line) => hello(session, line, false) }],
  bare('STARTTLS', startTls),
  ['AUTH', { name: 'auth', run: (session, line) => authCommand(session, argument(line)) }],
  ['MAIL', { name: 'mail', run: mail }],
  ['RCPT', { name: 'rcpt', run: rcpt }],
  bare('DATA', data),
  bare('RSET', session => {
    session.counts.junk++
    session.reset()
    session.reply(reply(250, '2.0.0', 'forgotten'))
    return undefined
  }),
  bare('QUIT', session => void session.farewell(reply(221, '2.0.0', 'bye'))),
  junk('NOOP', 250, '2.0.0', 'ok'),
  junk('HELP', 214, '2.0.0', 'see RFC 5321'),
  // RFC 5321 §7.3: whether an address exists shows when mail comes for it.
  junk('VRFY', 252, '2.1.5', 'send mail and see'),
  junk('EXPN', 252, '2.1.5', 'send mail and see'),
])

export const COMMANDS: Commands = {
  verbs,
  response: { name: 'auth', run: authResponse },
  control: CONTROL,
}
