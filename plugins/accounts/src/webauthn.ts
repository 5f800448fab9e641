// Passkeys: WebAuthn (Level 3) without attestation, as a second factor. Who made the authenticator is not asked, so that all there is to
// check is that the answer is to our question, for our site, by a key that was registered: a hash and a signature.
import { createHash, createPublicKey, type KeyObject, timingSafeEqual, verify } from 'node:crypto'
import type { PasskeyAnswer, PasskeyRegistration } from '@mox/plugin-sdk'

/** §6.1: hash of the site, flags, counter. */
const FLAGS_AT = 32
const COUNTER_AT = 33
const HEAD_BYTES = 37
/** A user touched it; there is a credential in it. */
const USER_PRESENT = 0x01
const CREDENTIAL = 0x40
/** Of the kind of authenticator, then the length of the credential's id. */
const ID_LENGTH_AT = 53
const RSA_BITS = 2_048

/** Milliseconds that a browser lets the user take. */
const TIMEOUT_MS = 120_000

/** "mail.example.org:8443" is of the site "mail.example.org". */
export function siteOf(host: string): string {
  return host.replace(/:\d+$/, '').toLowerCase()
}

/** For PublicKeyCredential.parseCreationOptionsFromJSON. `known`: ids of passkeys that the account has. */
export function creationOptions(
  host: string,
  {
    account,
    loginAddress,
    challenge,
    known,
  }: Record<'account' | 'loginAddress' | 'challenge', string> & { known: readonly string[] },
) {
  const user = createHash('sha256').update(account).digest('base64url')
  return {
    challenge,
    rp: { id: siteOf(host), name: siteOf(host) },
    user: { id: user, name: loginAddress, displayName: loginAddress },
    // ES256, EdDSA, RS256.
    pubKeyCredParams: [-7, -8, -257].map(alg => ({ type: 'public-key', alg })),
    excludeCredentials: known.map(id => ({ type: 'public-key', id })),
    authenticatorSelection: { residentKey: 'discouraged', userVerification: 'preferred' },
    attestation: 'none',
    timeout: TIMEOUT_MS,
  }
}

/** For PublicKeyCredential.parseRequestOptionsFromJSON. */
export function requestOptions(host: string, challenge: string, known: readonly string[]) {
  return {
    ...{ challenge, rpId: siteOf(host), userVerification: 'preferred', timeout: TIMEOUT_MS },
    allowCredentials: known.map(id => ({ type: 'public-key', id })),
  }
}

/** The public key of a new passkey as DER (SPKI); undefined when the answer is not right. */
export function registered(host: string, challenge: string, answer: PasskeyRegistration): Buffer | undefined {
  const data = Buffer.from(answer.authenticatorData, 'base64url')
  if (!isAsked(answer.clientData, 'webauthn.create', host, challenge) || !isOfSite(data, host)) return undefined
  if (((data[FLAGS_AT] ?? 0) & CREDENTIAL) === 0 || data.length < ID_LENGTH_AT + 2) return undefined
  const length = data.readUInt16BE(ID_LENGTH_AT)
  const id = data.subarray(ID_LENGTH_AT + 2, ID_LENGTH_AT + 2 + length)
  if (id.length !== length || id.toString('base64url') !== answer.id) return undefined
  const key = Buffer.from(answer.publicKey, 'base64url')
  return keyOf(key) === undefined ? undefined : key
}

/** The counter of an answer; undefined when it is not right. */
export function answered(
  host: string,
  challenge: string,
  publicKey: Buffer,
  answer: PasskeyAnswer,
): number | undefined {
  const data = Buffer.from(answer.authenticatorData, 'base64url')
  if (!isAsked(answer.clientData, 'webauthn.get', host, challenge) || !isOfSite(data, host)) return undefined
  const key = keyOf(publicKey)
  if (key === undefined) return undefined
  const hash = createHash('sha256').update(Buffer.from(answer.clientData, 'base64url')).digest()
  const signed = Buffer.concat([data, hash])
  const digest = key.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  if (!verify(digest, signed, key, Buffer.from(answer.signature, 'base64url'))) return undefined
  return data.readUInt32BE(COUNTER_AT)
}

/** §5.8.1: what the browser says that it was asked, by whom and from where. */
function isAsked(clientData: string, type: string, host: string, challenge: string): boolean {
  let said: unknown
  try {
    said = JSON.parse(Buffer.from(clientData, 'base64url').toString())
  } catch {
    return false
  }
  if (typeof said !== 'object' || said === null) return false
  const { type: saidType, challenge: saidChallenge, origin, crossOrigin } = said as Record<string, unknown>
  const from = typeof origin === 'string' ? URL.parse(origin) : null
  return (
    saidType === type &&
    typeof saidChallenge === 'string' &&
    same(Buffer.from(saidChallenge), Buffer.from(challenge)) &&
    from !== null &&
    from.host === host.toLowerCase() &&
    crossOrigin !== true
  )
}

function isOfSite(data: Buffer, host: string): boolean {
  const site = createHash('sha256').update(siteOf(host)).digest()
  return (
    data.length >= HEAD_BYTES && same(data.subarray(0, FLAGS_AT), site) && ((data[FLAGS_AT] ?? 0) & USER_PRESENT) !== 0
  )
}

function keyOf(der: Buffer): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
    const good =
      type === 'ed25519' ||
      (type === 'ec' && details?.namedCurve === 'prime256v1') ||
      (type === 'rsa' && (details?.modulusLength ?? 0) >= RSA_BITS)
    return good ? key : undefined
  } catch {
    return undefined
  }
}

function same(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
