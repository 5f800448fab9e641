// AUTH: RFC 4954, on submission only, within TLS or, where the options say so, from this machine.
import { type LoginContext, type LoginResult, reply } from '@mox/plugin-sdk'
import { Login, type LoginStep } from './login.ts'
import { isLoopback } from './networks.ts'
import type { Session } from './session.ts'

/** Whether this session may send credentials now. */
export function mayLogIn(session: Session): boolean {
  const { context, info } = session
  if (info.tls !== undefined) return true
  return context.tls !== 'required-starttls' && context.allowPlainAuth === 'loopback' && isLoopback(info.remoteIp)
}

export function authCommand(session: Session, args: string): Promise<void> | undefined {
  const { info, context } = session
  if (info.kind !== 'submission') return void session.refuse(503, '5.5.1', 'no AUTH here')
  if (info.protocol !== 'ESMTP') return void session.refuse(503, '5.5.1', 'say EHLO first')
  if (info.account !== undefined) return void session.refuse(503, '5.5.1', 'you are logged in already')
  if (session.transaction !== undefined) return void session.refuse(503, '5.5.1', 'not within a transaction')
  if (!mayLogIn(session)) return void session.refuse(538, '5.7.11', 'begin TLS with STARTTLS first')
  const [mechanism = '', initial, ...more] = args.split(' ')
  if (mechanism === '' || more.length > 0)
    return void session.refuse(501, '5.5.4', 'AUTH takes a mechanism and a response')
  const exchange = context.services.directory.sasl(mechanism.toUpperCase(), loginContext(session))
  if (exchange === undefined) return void session.refuse(504, '5.5.4', 'mechanism not known')
  const login = new Login(exchange)
  session.login = login
  return login.begin(initial).then(
    step => answer(session, step),
    error => unexpected(session, error),
  )
}

export function authResponse(session: Session, line: string): Promise<void> {
  return session.login!.respond(line).then(
    step => answer(session, step),
    error => unexpected(session, error),
  )
}

function unexpected(session: Session, error: unknown): never {
  session.login = undefined
  throw error
}

function loginContext(session: Session): LoginContext {
  const { info, wire } = session
  const binding = wire.channelBinding()
  return {
    protocol: 'submission',
    remoteIp: info.remoteIp,
    localIp: info.localIp,
    ...(info.tls === undefined ? {} : { tls: info.tls }),
    ...(binding === undefined ? {} : { channelBinding: binding }),
  }
}

async function answer(session: Session, step: LoginStep): Promise<void> {
  if (step.kind === 'challenge') {
    session.line(`334 ${step.text}`)
    return
  }
  session.login = undefined
  if (step.kind === 'refused') {
    await session.loginFailed()
    session.reply(step.reply)
  } else if (step.result.ok) succeed(session, step.result)
  else {
    // A failure on our side is not the client's.
    if (step.result.result !== 'error') await session.loginFailed()
    session.reply(step.result.reply)
  }
}

function succeed(session: Session, result: Extract<LoginResult, { ok: true }>): void {
  const { info, context } = session
  info.account = result.account
  info.loginAddress = result.loginAddress
  session.slowDown(false)
  session.counts.failedLogins = 0
  context.services.log.debug({ cid: info.id, account: result.account }, 'logged in')
  session.reply(reply(235, '2.7.0', 'welcome'))
}
