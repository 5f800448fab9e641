// The server side of SCRAM (RFC 5802 §3, RFC 7677) with channel binding (RFC 5929 tls-unique, RFC 9266 tls-exporter). A name
// that nobody has gets a salt all the same, and fails at the end like a wrong password.
import { timingSafeEqual } from 'node:crypto'
import type { LoginContext } from '@mox/plugin-sdk'
import type { Authenticator, Identity, Outcome } from '../authenticator.ts'
import { DIGEST_BYTES, hmac, ITERATIONS, proofIsRight, type ScramHash, type ScramKeys } from '../scram.ts'
import { type Mechanism, ProtocolError, textOf } from './exchange.ts'
import {
  type ClientFinal,
  type ClientFirst,
  NONCE_LENGTH,
  parseClientFinal,
  parseClientFirst,
} from './scram-messages.ts'

const NOTHING = Buffer.alloc(0)
const NONCE_BYTES = 18

/** `plus`: the client asked for the mechanism with channel binding. */
export function scram(authenticator: Authenticator, context: LoginContext, hash: ScramHash, plus: boolean): Mechanism {
  const { limits, random } = authenticator.deps
  return async function* (initial) {
    const first = parseClientFirst(textOf(initial ?? (yield NOTHING)))
    if (first.nonce.length > NONCE_LENGTH) throw new ProtocolError('nonce too long')
    const bound = bindingOf(first, plus, context)
    const identity = authenticator.forPrograms(first.name)
    if (bound === null) return { outcome: { result: 'badchanbind', identity } }
    if (limits.limited(context.remoteIp)) return { outcome: { result: 'toomany' } }
    const stored = await identity.credential?.scram(hash)
    const keys = stored ?? nobodysKeys(authenticator, hash, identity)
    const nonce = first.nonce + random.bytes(NONCE_BYTES).toString('base64')
    const serverFirst = `r=${nonce},s=${keys.salt.toString('base64')},i=${keys.iterations}`
    const final = parseClientFinal(textOf(yield Buffer.from(serverFirst)))
    if (final.nonce !== nonce) throw new ProtocolError('another nonce')
    if (!isBound(final, first, bound)) {
      if (first.flag !== 'p') throw new ProtocolError('another gs2-header')
      return { outcome: { result: 'badchanbind', identity } }
    }
    // Again: others may have failed meanwhile.
    if (limits.limited(context.remoteIp)) return { outcome: { result: 'toomany' } }
    const giveBack = limits.take(context.remoteIp)
    const message = `${first.bare},${serverFirst},${final.withoutProof}`
    const right = proofIsRight(keys, message, final.proof)
    // A name with a password but without these secrets cannot do better: no failed login.
    if (right || (identity.credential !== undefined && stored === undefined)) giveBack()
    const outcome = judge(authenticator, identity, right && stored !== undefined)
    return { outcome, data: Buffer.from(`v=${hmac(hash, keys.serverKey, message).toString('base64')}`) }
  }
}

function judge(authenticator: Authenticator, identity: Identity, right: boolean): Outcome {
  const { account } = identity
  if (account === undefined) return { result: 'baduser', identity }
  return { result: right ? authenticator.allowed(account) : 'badcreds', identity }
}

/** The bytes to be bound, or null when the client's choice is refused (RFC 5802 §6). */
function bindingOf(first: ClientFirst, plus: boolean, context: LoginContext): Buffer | null {
  if (first.flag === 'p') {
    if (first.bindingType !== 'tls-exporter' && first.bindingType !== 'tls-unique') return null
    return context.channelBinding?.(first.bindingType) ?? null
  }
  if (plus) throw new ProtocolError('no channel binding with a -PLUS mechanism')
  // The client has channel binding and did not see ours in the list: somebody took it out.
  return first.flag === 'y' && context.channelBinding !== undefined ? null : NOTHING
}

function isBound(final: ClientFinal, first: ClientFirst, bound: Buffer): boolean {
  const expected = Buffer.concat([Buffer.from(first.gs2Header), bound])
  return final.binding.length === expected.length && timingSafeEqual(final.binding, expected)
}

function nobodysKeys(authenticator: Authenticator, hash: ScramHash, { canonical }: Identity): ScramKeys {
  const { random } = authenticator.deps
  const [storedKey, serverKey] = [random.bytes(DIGEST_BYTES[hash]), random.bytes(DIGEST_BYTES[hash])]
  return { hash, iterations: ITERATIONS[hash], salt: authenticator.salt(hash, canonical), storedKey, serverKey }
}
