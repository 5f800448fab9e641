// Certificates for scripted servers: good for a name, expired, and the context that trusts them. Made once for each process.
import { X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import { makeSelfSigned, type SelfSigned } from '../../../certificates/src/self-signed.ts'

/** The name of the scripted server. */
export const SERVER_NAME = 'mx.example.com'
const DAY = 86_400_000
const YEARS = 5 * 365 * DAY

export type CertificateKind = 'good' | 'expired'

const made = new Map<CertificateKind, SelfSigned>()

export function certificateOf(kind: CertificateKind): SelfSigned {
  let pair = made.get(kind)
  if (pair === undefined) {
    // OpenSSL knows no other clock than the machine's.
    pair = makeSelfSigned([SERVER_NAME], Date.now() - (kind === 'expired' ? YEARS : 0))
    made.set(kind, pair)
  }
  return pair
}

/** Trusts what the scripted servers show. */
export function trusting(): SecureContext {
  return createSecureContext({
    minVersion: 'TLSv1.2',
    ca: [certificateOf('good').certificate, certificateOf('expired').certificate],
  })
}

/** DER. */
export function derOf(kind: CertificateKind): Buffer {
  return new X509Certificate(certificateOf(kind).certificate).raw
}
