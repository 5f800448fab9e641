// The words of TLS reports for what OpenSSL and Node say.
import { strictEqual } from 'node:assert/strict'
import { test } from 'vitest'
import { certificateProblem, handshakeProblem } from '../../src/client/tls-problem.ts'

test('certificates', () => {
  const check = (code: string, expected: string): void => {
    const { type, reason } = certificateProblem(code)
    strictEqual(`${type} ${reason}`.trim(), expected)
  }
  check('CERT_HAS_EXPIRED', 'certificate-expired')
  check('CERT_NOT_YET_VALID', 'certificate-expired')
  check('ERR_TLS_CERT_ALTNAME_INVALID', 'certificate-host-mismatch')
  check('DEPTH_ZERO_SELF_SIGNED_CERT', 'certificate-not-trusted')
  check('SELF_SIGNED_CERT_IN_CHAIN', 'certificate-not-trusted')
  check('UNABLE_TO_GET_ISSUER_CERT', 'certificate-not-trusted')
  check('UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'certificate-not-trusted')
  check('UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'certificate-not-trusted')
  check('CERT_UNTRUSTED', 'certificate-not-trusted')
  check('INVALID_CA', 'certificate-not-trusted not-authorized-to-sign')
  check('PATH_LENGTH_EXCEEDED', 'certificate-not-trusted too-many-intermediates')
  check('INVALID_PURPOSE', 'certificate-not-trusted incompatible-key-usage')
  check('CERT_SIGNATURE_FAILURE', 'certificate-not-trusted bad-signature')
  check('CERT_REJECTED', 'certificate-not-trusted rejected')
  check('EE_KEY_TOO_SMALL', 'certificate-not-trusted ee-key-too-small')
})

test('handshakes', () => {
  const check = (code: string, message: string, expected: string): void => {
    const { type, reason } = handshakeProblem({ code, message })
    strictEqual(type, 'validation-failure')
    strictEqual(reason, expected)
  }
  check('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'x:SSL alert number 48', 'tls-remote-alert-48-unknown-ca')
  check('ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE', 'x:SSL alert number 40', 'tls-remote-alert-40-handshake-failure')
  check('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', '', 'tls-remote-alert-0-protocol-version')
  check('ERR_SSL_WRONG_VERSION_NUMBER', '', 'tls-record-header-error')
  check('ERR_SSL_PACKET_LENGTH_TOO_LONG', '', 'tls-record-header-error')
  check('ERR_SSL_UNSUPPORTED_PROTOCOL', '', 'tls-local-alert-70-protocol-version')
  check('ECONNRESET', '', 'connection-closed-during-handshake')
  check('EPIPE', '', 'connection-closed-during-handshake')
  check('ERR_SSL_BAD_ECPOINT', '', 'ssl-bad-ecpoint')
  check('', 'odd', 'handshake-failed')
})
