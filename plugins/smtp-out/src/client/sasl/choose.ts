// Which mechanism a login uses: the first allowed one that the server announces and that gives nothing away on this
// connection. There is no second try with a weaker one: whoever makes the first fail would have won.
import { randomBytes } from 'node:crypto'
import type { Credentials } from '../types.ts'
import type { Mechanism } from './mechanism.ts'
import { saslPrep } from './prepare.ts'
import { type ChannelBinding, Scram, type ScramHash } from './scram.ts'
import { cramMd5, login, plain } from './simple.ts'

const NONCE_BYTES = 18

export interface Connection {
  /** What the server announced, upper case. */
  readonly announced: readonly string[]
  readonly binding: { readonly type: string; readonly data: Buffer } | undefined
  /** Nobody can listen: TLS, or this very machine. */
  readonly secret: boolean
}

export function chooseMechanism(credentials: Credentials, connection: Connection): Mechanism | undefined {
  for (const name of credentials.mechanisms) {
    const mechanism = connection.announced.includes(name) ? makeMechanism(name, credentials, connection) : undefined
    if (mechanism !== undefined) return mechanism
  }
  return undefined
}

/** Undefined when we do not know it or must not use it here. */
function makeMechanism(name: string, credentials: Credentials, connection: Connection): Mechanism | undefined {
  const { username, password } = credentials
  if (name === 'PLAIN') return connection.secret ? plain(username, password) : undefined
  if (name === 'LOGIN') return connection.secret ? login(username, password) : undefined
  if (name === 'CRAM-MD5') return cramMd5(username, password)
  const match = /^SCRAM-(SHA-256|SHA-1)(-PLUS)?$/.exec(name)
  if (match === null) return undefined
  const binding = bindingFor(match[2] !== undefined, connection)
  if (binding === undefined) return undefined
  return new Scram({
    hash: match[1] as ScramHash,
    username: saslPrep(username),
    password: saslPrep(password),
    binding,
    nonce: randomBytes(NONCE_BYTES).toString('base64'),
  })
}

/** RFC 5802 §6. */
function bindingFor(plus: boolean, { binding, announced }: Connection): ChannelBinding | undefined {
  if (plus) return binding === undefined ? undefined : { kind: 'bound', ...binding }
  const seen = announced.some(name => name.endsWith('-PLUS'))
  return { kind: binding === undefined || seen ? 'none' : 'unseen' }
}
