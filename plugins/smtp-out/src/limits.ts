// Every limit of deliveries to other servers, with the reason where it is not plain.
import type { Timeouts } from './client/types.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const MIB = 1024 * 1024

/** Milliseconds for the addresses of a host, its policies and the connection together. */
export const REACH_MS: number = 30 * SECOND
/** Milliseconds for finding the hosts of a domain. */
export const DESTINATIONS_MS: number = 30 * SECOND
/** Milliseconds for one connection; less when several addresses share what is left of REACH_MS. */
export const DIAL_MS: number = 30 * SECOND
/** Milliseconds from the connection to a session that can take mail, on top of the limits of each step. */
export const DIRECT_SETUP_MS: number = 5 * MINUTE
/** Milliseconds for one message in a session with an MX host. */
export const DIRECT_TRANSACTION_MS: number = 30 * MINUTE
/** Milliseconds from the connection to a session with a relay, login included. */
export const RELAY_SETUP_MS: number = MINUTE

/** Milliseconds for one message of `size` octets in a session with a relay. */
export function relayTransactionMs(size: number): number {
  return MINUTE + Math.ceil((size * SECOND) / MIB)
}

/** Hosts of a domain that are looked at; the least preferred of more are left out. */
export const HOSTS = 20
/** Addresses of one host that are tried. */
export const ADDRESSES = 10

/** Milliseconds that a connection without work is kept for the next message. Servers wait minutes for a command. */
export const IDLE_MS: number = 10 * SECOND
/** Connections without work for one destination, and in all. */
export const IDLE_PER_DESTINATION = 5
export const IDLE_TOTAL = 200
/** Transactions on one connection: servers get suspicious of endless ones. */
export const TRANSACTIONS_PER_CONNECTION = 100

/**
 * Connections that one message may take, one after the other, where each takes only so many recipients: the others wait for the
 * next attempt. A server that takes so few at a time does not want them all at once.
 */
export const CONNECTIONS_PER_MESSAGE = 20

/** Milliseconds that a host's broken TLS is remembered; then it is tried again. */
export const BROKEN_TLS_MS: number = 60 * MINUTE
/** Hosts whose broken TLS is remembered; the oldest is forgotten first. */
export const BROKEN_TLS_HOSTS = 10_000

/**
 * Of one session. Servers that check senders or wait on purpose take their time for greetings and replies. The reply after
 * the final dot gets what RFC 5321 §4.5.3.2.6 asks for: giving up earlier makes duplicates (RFC 1047).
 */
export const TIMEOUTS: Timeouts = {
  greeting: MINUTE,
  tls: MINUTE,
  command: MINUTE,
  write: MINUTE,
  end: 10 * MINUTE,
  quit: 5 * SECOND,
}
