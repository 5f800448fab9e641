// What we know of a TLS connection: its facts, its channel bindings, and in one word why a handshake failed.

import { type SecureContext, TLSSocket } from 'node:tls'
import type { TlsFacts } from '@mox/plugin-sdk'

export function tlsFacts(socket: TLSSocket): TlsFacts {
  const serverName = typeof socket.servername === 'string' ? socket.servername : ''
  return {
    version: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().standardName,
    ...(serverName === '' ? {} : { serverName }),
  }
}

/** RFC 8996: whether the peers agreed on a version that is still good. */
export function isCurrent(facts: TlsFacts): boolean {
  return facts.version === 'TLSv1.2' || facts.version === 'TLSv1.3'
}

/** Channel binding data by type: tls-exporter with TLS 1.3 (RFC 9266), tls-unique with TLS 1.2 (RFC 5929 §3). */
export function channelBinding(socket: TLSSocket): (type: string) => Buffer | undefined {
  return type => {
    const version = socket.getProtocol()
    if (type === 'tls-exporter' && version === 'TLSv1.3')
      return socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
    // The first Finished message: the client's in a full handshake, ours in an abbreviated one.
    if (type === 'tls-unique' && version === 'TLSv1.2')
      return socket.isSessionReused() ? socket.getFinished() : socket.getPeerFinished()
    return undefined
  }
}

/** A label for metrics: eof, timeout, nottls, sslv2, unsupportedversions, alert-N-text, other. */
export function handshakeFailure(error: NodeJS.ErrnoException | undefined): string {
  const code = error?.code ?? ''
  const text = error?.message ?? ''
  if (error === undefined || /^(?:ECONNRESET|EPIPE|SocketError)$/.test(code)) return 'eof'
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return 'timeout'
  const alert = /ALERT_([A-Z_]+)$/.exec(code)?.[1]
  if (alert !== undefined) {
    const number = /alert number (\d+)/.exec(`${text} ${metaMessage(error)}`)?.[1] ?? '0'
    return `alert-${number}-${alert.toLowerCase().replaceAll('_', '-')}`
  }
  if (/SSLV2/i.test(code)) return 'sslv2'
  if (/UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|UNKNOWN_PROTOCOL/.test(code)) return 'unsupportedversions'
  if (/WRONG_VERSION_NUMBER|HTTP_REQUEST|HTTPS_PROXY_REQUEST|PACKET_LENGTH_TOO_LONG/.test(code)) return 'nottls'
  return 'other'
}

/** smtp-server moves OpenSSL's text there for some errors. */
function metaMessage(error: Error): string {
  const meta = (error as { meta?: { message?: unknown } }).meta
  return typeof meta?.message === 'string' ? meta.message : ''
}

/**
 * The context map that smtp-server looks into for handshakes without a server name: always the certificates service's
 * present answer, so that a renewed certificate is used from the next handshake on.
 */
export class LiveContexts extends Map<string, SecureContext> {
  readonly #current: () => SecureContext

  constructor(current: () => SecureContext) {
    super()
    this.#current = current
  }

  override get(_name: string): SecureContext {
    return this.#current()
  }
}

export function asTls(socket: unknown): TLSSocket | undefined {
  return socket instanceof TLSSocket ? socket : undefined
}
