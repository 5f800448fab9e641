// The client's side of a TLS handshake. The certificate is never judged by the TLS stack: what WebPKI and the caller think of
// it is found out afterwards, told in the facts, and ends the session only where it was asked for.
import { isIP, type Socket } from 'node:net'
import { createSecureContext, connect as handshake, type SecureContext, type TLSSocket } from 'node:tls'
import type { TlsFacts } from '@mox/plugin-sdk'
import { Failure } from './failure.ts'
import { certificateProblem, HANDSHAKE_TIMEOUT, handshakeProblem } from './tls-problem.ts'
import type { ClientTls, TlsProblem } from './types.ts'

/** Certificates of one chain that are looked at. */
const CHAIN_LENGTH = 10

export type Facts = TlsFacts & { readonly problem?: TlsProblem }

let systemContext: SecureContext | undefined

/** Starts a handshake on a socket that nobody reads any more. Rejects with a Failure; the socket is destroyed then. */
export function startTls(
  raw: Socket,
  tls: ClientTls,
  host: string,
  limit: (expired: () => void) => () => void,
): Promise<TLSSocket> {
  systemContext ??= createSecureContext({ minVersion: 'TLSv1.2' })
  return new Promise((resolve, reject) => {
    // No session of an earlier connection: names are not checked when one is resumed.
    const socket = handshake({
      socket: raw,
      secureContext: tls.context ?? systemContext,
      rejectUnauthorized: false,
      // RFC 6066 §3: no addresses in SNI; they are checked all the same.
      ...(isIP(tls.serverName) === 0 ? { servername: tls.serverName } : { host: tls.serverName }),
    })
    const settle = (problem: TlsProblem | undefined, cause?: Error): void => {
      cancel()
      socket.off('secureConnect', onSecure).off('error', onError).off('close', onClose)
      if (problem === undefined) {
        resolve(socket)
        return
      }
      socket.on('error', () => {}).destroy()
      reject(tlsFailure(host, problem, cause))
    }
    const onSecure = (): void => settle(undefined)
    const onError = (error: NodeJS.ErrnoException): void => settle(handshakeProblem(error), error)
    const onClose = (): void => settle(handshakeProblem({ code: 'ECONNRESET', message: '' }))
    socket.on('secureConnect', onSecure).on('error', onError).on('close', onClose)
    raw.on('error', () => {})
    const cancel = limit(() => settle(HANDSHAKE_TIMEOUT))
  })
}

export function tlsFailure(host: string, problem: TlsProblem, cause?: unknown): Failure {
  return new Failure('tls', `no TLS with ${host}: ${problem.text}`, {
    problem,
    ...(cause === undefined ? {} : { cause }),
  })
}

/** What is to be known of the connection, whatever is thought of it. */
export function factsOf(socket: TLSSocket, serverName: string): Facts {
  // Typed as an Error; a code in truth.
  const error = socket.authorizationError as Error | string | null | undefined
  const code = typeof error === 'string' ? error : (error?.message ?? 'not-authorized')
  return {
    version: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().standardName,
    serverName,
    verified: socket.authorized,
    ...(socket.authorized ? {} : { problem: certificateProblem(code) }),
  }
}

/** Why the session must not go on; undefined when it may. */
export function objection(socket: TLSSocket, tls: ClientTls, facts: Facts, host: string): Failure | undefined {
  // RFC 8996; a context of the caller's may allow more.
  if (facts.version !== 'TLSv1.2' && facts.version !== 'TLSv1.3')
    return tlsFailure(host, handshakeProblem({ code: 'ERR_SSL_VERSION_TOO_LOW', message: '' }))
  if (tls.verify && facts.problem !== undefined) return tlsFailure(host, facts.problem)
  const refused = tls.accept?.(chainOf(socket))
  return refused === undefined
    ? undefined
    : tlsFailure(host, { type: 'validation-failure', reason: '', text: `the certificate is not accepted: ${refused}` })
}

/** DER, leaf first, as far as issuers are known. (getPeerX509Certificate would take the chain away from the connection.) */
function chainOf(socket: TLSSocket): Buffer[] {
  const chain: Buffer[] = []
  let certificate = socket.getPeerCertificate(true)
  while (certificate?.raw !== undefined && chain.length < CHAIN_LENGTH) {
    chain.push(certificate.raw)
    const issuer = certificate.issuerCertificate
    // A self-signed certificate is its own issuer.
    if (issuer?.raw?.equals(certificate.raw) === true) break
    certificate = issuer
  }
  return chain
}

/**
 * Channel binding for SASL: tls-exporter with TLS 1.3 (RFC 9266), tls-unique with TLS 1.2 (RFC 5929 §3: the first Finished
 * message, which is ours, since we resume no session).
 */
export function channelBinding(socket: TLSSocket): { readonly type: string; readonly data: Buffer } | undefined {
  if (socket.getProtocol() === 'TLSv1.3')
    return {
      type: 'tls-exporter',
      data: socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)),
    }
  const data = socket.getFinished()
  return data === undefined ? undefined : { type: 'tls-unique', data }
}
