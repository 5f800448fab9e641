// What all sessions of a listener share, and what a session needs of its connection.
import type { Certificates, Clock, Directory, Log, Random, ReceiveKind, Receiver, TlsFacts } from '@mox/plugin-sdk'
import type { SmtpMetrics } from './metrics.ts'
import type { ConnectionLimits } from './networks.ts'
import type { Limits, ListenerOptions } from './options.ts'
import type { Watchdog } from './watchdog.ts'

export interface Services {
  readonly receiver: Receiver
  readonly directory: Directory
  readonly certificates: Certificates | undefined
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** Shared by all listeners of one plugin instance. */
export interface Shared {
  readonly services: Services
  readonly metrics: SmtpMetrics
  readonly watchdog: Watchdog
  readonly connections: ConnectionLimits
  readonly limits: Limits
  readonly allowPlainAuth: 'never' | 'loopback'
  readonly earlyTalkerMs: number
}

export interface ListenerContext extends Shared {
  /** The listener's key in the options. */
  readonly name: string
  readonly kind: ReceiveKind
  readonly tls: ListenerOptions['tls']
  readonly maxMessageSize: number
  readonly hostname: string
}

/** The connection as its session sees it. */
export interface Wire {
  /** Sends; the promise, if there is one, resolves when the client has taken enough of it or is gone. */
  write(text: string): Promise<void> | undefined
  /** Ends the connection in good order. */
  close(): void
  /** Ends it at once. */
  destroy(): void
  /** RFC 3207: throws away what was read ahead and begins the handshake; `Session.secured` follows, or the end. */
  startTls(): void
  channelBinding(): ((type: string) => Buffer | undefined) | undefined
}

export interface Peer {
  readonly id: string
  readonly localIp: string
  readonly remoteIp: string
  readonly remotePort: number
  readonly tls: TlsFacts | undefined
}
