// Who is talking to us and how: what a listener knows of its peer, handed to every receive hook.

/** Facts of a TLS connection. */
export interface TlsFacts {
  /** "TLSv1.2" or "TLSv1.3". */
  readonly version: string
  /** IANA or OpenSSL cipher name. */
  readonly cipher: string
  /** Server name the peer asked for or we verified, if any. */
  readonly serverName?: string
  /** Whether the peer's certificate was verified against WebPKI for `serverName` (outgoing only). */
  readonly verified?: boolean
  /** Why it was not: a result type of RFC 8460 §4.3 such as "certificate-expired", and the reason in words. */
  readonly problem?: { readonly type: string; readonly text: string }
}

/** `delivery` takes mail for our own addresses from anybody; `submission` takes mail to anywhere from our own users. */
export type ReceiveKind = 'delivery' | 'submission'

/** What a plugin that submits says of a message beyond its envelope. */
export interface Submitted {
  /** The submitter's own data, as webhooks give it back. */
  readonly extra?: Readonly<Record<string, string>>
  /** Message stream: with suppression, limits and statistics of its own. */
  readonly stream?: string
  /** False: deliver even where TLS cannot be had or verified (RFC 8689 §5). True is REQUIRETLS of the envelope. */
  readonly requireTls?: false
}

/** One SMTP session or API call, as the receive hooks see it. Fields change as the session goes on (EHLO, STARTTLS, AUTH). */
export interface SessionInfo {
  /** Unique in this process; in log lines and error replies. */
  readonly id: string
  readonly kind: ReceiveKind
  /** The listener's name in the config, or the plugin that receives without a socket ("queue", "webapi"). */
  readonly listener: string
  /** Our own host name towards this peer. */
  readonly hostname: string
  readonly localIp: string
  readonly remoteIp: string
  readonly remotePort: number
  /** Milliseconds since the epoch. */
  readonly connectedAt: number
  /** EHLO or HELO argument, checked against the grammar; '' before. */
  helo: string
  /** "SMTP", "ESMTP", or "HTTP" and the like: the base of the `with` protocol in Received. */
  protocol: string
  tls?: TlsFacts
  /** Set once the peer has logged in. */
  account?: string
  /** The address used to log in. */
  loginAddress?: string
  /** Set for submissions that do not come over SMTP. */
  readonly submitted?: Submitted
}
