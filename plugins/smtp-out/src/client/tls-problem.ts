// Why TLS did not come about or is not trusted, in the words of TLS reports: RFC 8460 §4.3 result types, with reason codes of
// our own that say what they are.
import type { TlsProblem } from './types.ts'

interface ErrorLike {
  readonly code?: string | undefined
  readonly message: string
}

/** Verdicts of OpenSSL and Node on a certificate, by code: result type, reason and words. */
const CERTIFICATE: ReadonlyMap<string, readonly [type: string, reason: string, text: string]> = new Map([
  ['CERT_HAS_EXPIRED', ['certificate-expired', '', 'has expired']],
  ['CERT_NOT_YET_VALID', ['certificate-expired', '', 'is not valid yet']],
  ['ERR_TLS_CERT_ALTNAME_INVALID', ['certificate-host-mismatch', '', 'is for another name']],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', ['certificate-not-trusted', '', 'is self-signed']],
  ['SELF_SIGNED_CERT_IN_CHAIN', ['certificate-not-trusted', '', 'comes from an unknown authority']],
  ['UNABLE_TO_GET_ISSUER_CERT', ['certificate-not-trusted', '', 'comes from an unknown authority']],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', ['certificate-not-trusted', '', 'comes from an unknown authority']],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', ['certificate-not-trusted', '', 'comes without its chain']],
  ['CERT_UNTRUSTED', ['certificate-not-trusted', '', 'is not trusted']],
  ['INVALID_CA', ['certificate-not-trusted', 'not-authorized-to-sign', 'is signed by what is no authority']],
  ['PATH_LENGTH_EXCEEDED', ['certificate-not-trusted', 'too-many-intermediates', 'has too long a chain']],
  ['CERT_CHAIN_TOO_LONG', ['certificate-not-trusted', 'too-many-intermediates', 'has too long a chain']],
  ['INVALID_PURPOSE', ['certificate-not-trusted', 'incompatible-key-usage', 'is not for servers']],
  ['CERT_SIGNATURE_FAILURE', ['certificate-not-trusted', 'bad-signature', 'has a bad signature']],
  ['CERT_REJECTED', ['certificate-not-trusted', 'rejected', 'is rejected']],
  ['CERT_REVOKED', ['certificate-not-trusted', 'revoked', 'is revoked']],
])

/** `code`: what Node gives as `authorizationError`. */
export function certificateProblem(code: string): TlsProblem {
  const [type, reason, text] = CERTIFICATE.get(code) ?? ['certificate-not-trusted', slug(code), `is not good: ${code}`]
  return { type, reason, text: `the certificate ${text}` }
}

/** Of an error during the handshake, or on the first read after it (TLS 1.3 servers refuse that late). */
export function handshakeProblem(error: ErrorLike): TlsProblem {
  const code = error.code ?? ''
  const alert = /ALERT_(?!NUMBER)([A-Z_]+)$/.exec(code)?.[1]
  if (alert !== undefined) {
    const number = /alert number (\d+)/.exec(error.message)?.[1] ?? '0'
    return failed(`tls-remote-alert-${number}-${slug(alert)}`, `refused by the server: ${words(alert)}`)
  }
  if (/^(?:ECONNRESET|EPIPE|ECONNABORTED)$/.test(code))
    return failed('connection-closed-during-handshake', 'the connection closed during the handshake')
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|HTTPS_PROXY_REQUEST|RECORD_TOO_SMALL/.test(code))
    return failed('tls-record-header-error', 'what came was no TLS')
  if (/UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|UNKNOWN_PROTOCOL/.test(code))
    return failed('tls-local-alert-70-protocol-version', 'only versions of TLS that are no good any more')
  return failed(slug(code === '' ? 'handshake-failed' : code.replace(/^ERR_/, '')), words(code || error.message))
}

export const HANDSHAKE_TIMEOUT: TlsProblem = failed('io-timeout-during-handshake', 'the handshake took too long')

/** An error of TLS itself rather than of the connection below it. */
export function isTlsError(error: ErrorLike): boolean {
  return /^ERR_(?:SSL|TLS)_/.test(error.code ?? '')
}

function failed(reason: string, text: string): TlsProblem {
  return { type: 'validation-failure', reason, text }
}

function words(code: string): string {
  return code.toLowerCase().replaceAll('_', ' ')
}

function slug(code: string): string {
  return code.toLowerCase().replace(/[^a-z0-9]+/g, '-')
}
