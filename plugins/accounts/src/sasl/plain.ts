// The mechanisms that send the password itself: PLAIN (RFC 4616) and LOGIN, which has no RFC but many users.
import type { LoginContext } from '@mox/plugin-sdk'
import type { Authenticator } from '../authenticator.ts'
import { type Mechanism, ProtocolError, textOf } from './exchange.ts'

const NOTHING = Buffer.alloc(0)
const USERNAME = Buffer.from('Username:')
const PASSWORD = Buffer.from('Password:')

/** RFC 4616 §2: [authzid] NUL authcid NUL passwd; nobody may act for somebody else. */
export function plain(authenticator: Authenticator, context: LoginContext): Mechanism {
  return async function* (initial) {
    const message = initial ?? (yield NOTHING)
    const first = message.indexOf(0)
    const second = message.indexOf(0, first + 1)
    if (first < 0 || second < 0) throw new ProtocolError('two NULs needed')
    const authzid = textOf(message.subarray(0, first))
    const name = textOf(message.subarray(first + 1, second))
    const password = textOf(message.subarray(second + 1))
    if (name === '' || password === '') throw new ProtocolError('empty name or password')
    if (authzid !== '' && authzid !== name)
      return { outcome: { result: 'badcreds', identity: authenticator.identify(name) } }
    return { outcome: await authenticator.login(name, password, context, 'PLAIN') }
  }
}

/** draft-murchison-sasl-login; the name may be the initial response. */
export function login(authenticator: Authenticator, context: LoginContext): Mechanism {
  return async function* (initial) {
    const name = textOf(initial ?? (yield USERNAME))
    const password = textOf(yield PASSWORD)
    if (name === '' || password === '') throw new ProtocolError('empty name or password')
    return { outcome: await authenticator.login(name, password, context, 'LOGIN') }
  }
}
