// AUTH: RFC 4954 from the client's side. Throws a Failure of stage `auth`; no secret is in its text.
import type { ServerReply } from '@mox/plugin-sdk/mail'
import { Failure, local, refusal } from './failure.ts'
import { AUTH_OCTETS, COMMAND_OCTETS } from './limits.ts'
import { type Connection, chooseMechanism } from './sasl/choose.ts'
import { type Mechanism, SaslError } from './sasl/mechanism.ts'
import type { Credentials } from './types.ts'
import type { Wire } from './wire.ts'

/** `limit`: milliseconds for each reply. */
export async function logIn(
  wire: Wire,
  credentials: Credentials,
  connection: Connection,
  limit: number,
): Promise<void> {
  const mechanism = choose(credentials, connection)
  try {
    await converse(wire, mechanism, limit)
  } catch (error) {
    if (!(error instanceof SaslError)) throw error
    wire.bye()
    throw new Failure('protocol', `${mechanism.name} login to ${wire.host}: ${error.message}`, { cause: error })
  }
}

function choose(credentials: Credentials, connection: Connection): Mechanism {
  let mechanism: Mechanism | undefined
  try {
    mechanism = chooseMechanism(credentials, connection)
  } catch (error) {
    if (!(error instanceof SaslError)) throw error
    throw local(454, '4.7.0', error.message)
  }
  if (mechanism !== undefined) return mechanism
  const offered = connection.announced.join(' ') || 'none'
  const tls = connection.secret ? '' : ' (no password is sent without TLS)'
  const allowed = credentials.mechanisms.join(' ')
  throw local(454, '4.7.0', `no way to log in: the server offers ${offered}, allowed are ${allowed}${tls}`)
}

async function converse(wire: Wire, mechanism: Mechanism, limit: number): Promise<void> {
  const command = `AUTH ${mechanism.name}`
  let first = mechanism.first
  const initial = first === undefined ? '' : `${command} ${first.toString('base64') || '='}\r\n`
  // The mechanism's first words go with the command where they fit (RFC 4954 §4).
  if (initial.length > COMMAND_OCTETS) wire.command(`${command}\r\n`)
  else {
    wire.command(initial === '' ? `${command}\r\n` : initial)
    first = undefined
  }
  for (;;) {
    const reply = await wire.read('AUTH', limit)
    if (reply.code === 235 && mechanism.complete) return
    if (reply.code === 235) throw new SaslError('the server says yes before it proved itself')
    if (reply.code !== 334) throw refusal(reply, 'AUTH')
    const response = first ?? (await respond(wire, mechanism, reply, limit))
    first = undefined
    const line = `${response.toString('base64')}\r\n`
    if (line.length > AUTH_OCTETS) throw local(454, '4.7.0', 'the user name or password is too long for a login')
    wire.command(line)
  }
}

/** RFC 4954 §4: a client that gives up says "*"; what the server answers changes nothing. */
async function respond(wire: Wire, mechanism: Mechanism, reply: ServerReply, limit: number): Promise<Buffer> {
  try {
    if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(reply.text))
      throw new SaslError('the server sends what is no base64')
    return await mechanism.respond(Buffer.from(reply.text, 'base64'))
  } catch (error) {
    if (error instanceof SaslError) {
      wire.command('*\r\n')
      await wire.read('the end of AUTH', limit)
    }
    throw error
  }
}
