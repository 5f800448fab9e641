// The command lines of a transaction: RFC 5321 §4.1.1 with the parameters that the server announced. Whatever a message asks
// for that the server cannot do, or that would break a line, is a Failure of kind `local`.
import { encodeXtext, formatPath, type Path } from '@mox/plugin-sdk/mail'
import { type Failure, local } from './failure.ts'
import { COMMAND_OCTETS, MAIL_OCTETS, RCPT_OCTETS } from './limits.ts'
import type { ClientMessage, ClientRecipient, Extensions } from './types.ts'

/** EHLO and the like: one word that cannot be more than that. Throws a Failure. */
export function greetingLine(verb: 'EHLO' | 'HELO', name: string): string {
  const line = `${verb} ${name}\r\n`
  if (!/^[\x21-\x7e]+$/.test(name) || line.length > COMMAND_OCTETS)
    throw local(501, '5.5.4', 'our own name is no host name: set `hostname`')
  return line
}

/** Whether the envelope or the content cannot do without SMTPUTF8 (RFC 6531). */
function needsUtf8(message: ClientMessage): boolean {
  return message.smtputf8 || isUtf8(message.reversePath)
}

function isUtf8(path: Path | null): boolean {
  return path !== null && /[^\x00-\x7f]/.test(path.localpart)
}

/** MAIL for these recipients, or why this server cannot be given the message. `tls`: the connection has it. */
export function mailLine(
  message: ClientMessage,
  recipients: readonly ClientRecipient[],
  extensions: Extensions,
  tls: boolean,
): string | Failure {
  const { size } = extensions
  if (size !== undefined && size > 0 && message.size > size)
    return local(552, '5.3.4', `the message has ${message.size} octets; the server takes ${size}`)
  if (needsUtf8(message) && !extensions.smtputf8)
    return local(553, '5.6.7', 'the message needs SMTPUTF8, which the server does not have')
  if (message.requireTls && !(extensions.requireTls && tls))
    return local(554, '5.7.30', 'the message needs REQUIRETLS, which the server does not have')
  let line = `MAIL FROM:${formatPath(message.reversePath)}`
  if (size !== undefined) line += ` SIZE=${message.size}`
  // Without 8BITMIME the octets are sent as they are: all servers of today pass them on.
  if (message.has8bit && extensions.eightBitMime) line += ' BODY=8BITMIME'
  if (needsUtf8(message) || recipients.some(r => isUtf8(r.path))) line += ' SMTPUTF8'
  if (message.requireTls) line += ' REQUIRETLS'
  if (extensions.dsn && message.ret !== undefined) line += ` RET=${message.ret}`
  if (extensions.dsn && message.envid !== undefined) line += ` ENVID=${encodeXtext(message.envid)}`
  return finished(line, MAIL_OCTETS)
}

/** RCPT, or why this recipient cannot be given to this server. */
export function rcptLine(recipient: ClientRecipient, extensions: Extensions): string | Failure {
  if (isUtf8(recipient.path) && !extensions.smtputf8)
    return local(553, '5.6.7', 'the address needs SMTPUTF8, which the server does not have')
  let line = `RCPT TO:${formatPath(recipient.path)}`
  if (extensions.dsn && recipient.notify !== undefined)
    line += ` NOTIFY=${recipient.notify.length === 0 ? 'NEVER' : recipient.notify.join(',').toUpperCase()}`
  if (extensions.dsn && recipient.orcpt !== undefined) line += ` ORCPT=${encodeXtext(recipient.orcpt)}`
  return finished(line, RCPT_OCTETS)
}

function finished(line: string, limit: number): string | Failure {
  if (/[\x00-\x1f\x7f]/.test(line)) return local(553, '5.1.3', 'an address or parameter has a control character')
  if (Buffer.byteLength(line) + 2 > limit) return local(500, '5.5.2', 'the command would be too long')
  return `${line}\r\n`
}
