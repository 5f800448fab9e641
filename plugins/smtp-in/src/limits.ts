// Every limit of an SMTP session that is not an option. Octets and milliseconds unless the name says otherwise; what is
// beyond a limit is answered as the comment says.

/** RFC 5321 §4.5.3.1.4 asks for 512 with its CRLF; extensions add to it. Longer: 500 5.5.0 and the end. */
export const COMMAND_OCTETS = 2048
/** RFC 4954 §4: an AUTH command and each response to a challenge, with CRLF. */
export const AUTH_OCTETS = 12_288
/** Accepted recipients of a transaction, announced by RFC 9422; more: 452 4.5.3. */
export const MAX_RECIPIENTS = 1000
/** Refused RCPT commands since the last accepted message; more: 421 4.7.0. */
export const REFUSED_RECIPIENTS = 1000
/** Refused commands of other sorts since the last accepted message; more: 421 4.7.0. */
export const MAX_ERRORS = 100
/** Commands that lead nowhere (EHLO, NOOP, RSET, VRFY, HELP) since the last accepted message; more: 421 4.7.0. */
export const MAX_JUNK = 100
/** Transactions that came to nothing on a connection without one that did; the next MAIL: 550 5.1.0 and the end. */
export const BAD_TRANSACTIONS = 10
/** Failed logins of a connection; one more: 421 4.7.0. */
export const FAILED_LOGINS = 10
/** Failed logins after which a connection is served slowly. */
export const SLOW_LOGINS = 3
/** Read beyond the size limit so that a client that is a little over gets its 552 in good order; then cut. */
export const SIZE_SLACK = 1024 * 1024
/** Replies held back for a pipelining client before they are sent anyway. */
export const HELD_REPLIES = 16 * 1024
/** Input taken from a socket ahead of its processing. */
export const READ_AHEAD = 64 * 1024 + 1

/** RFC 4865 §4: how far ahead a message may be held, in seconds: 60 days. */
export const HOLD_SECONDS: number = 60 * 86_400

/** How often deadlines are looked at. */
export const TICK = 1_000
/** From the first octet of a command line to its end: 421 4.4.2. */
export const LINE_TIME = 30_000
/** A whole message: 421 4.4.2. */
export const DATA_TIME: number = 30 * 60_000
/** Between two pieces of a message: 421 4.4.2. */
export const DATA_PAUSE = 30_000
/** After this much of DATA the average must have reached MIN_RATE: 421 4.4.2. */
export const RATE_GRACE = 60_000
/** Octets a second. */
export const MIN_RATE = 256
/** From MAIL to the end of the transaction: 421 4.4.2. */
export const TRANSACTION_TIME: number = 60 * 60_000
/** A whole session: 421 4.4.2. */
export const SESSION_TIME: number = 12 * 60 * 60_000
/** A TLS handshake: the connection is closed. */
export const HANDSHAKE_TIME = 60_000
/** For our own answer to one command: 421 4.3.0. */
export const ANSWER_TIME: number = 2 * 60_000
/** For storing a message after its last octet (RFC 5321 §4.5.3.2.6 lets the client wait 10 minutes): 421 4.3.0. */
export const FINISH_TIME: number = 8 * 60_000
/** A client that takes no output: the connection is closed. */
export const WRITE_TIME = 30_000
/** Slow mode stops dripping this long after the reply began and sends the rest. */
export const DRIP_TIME = 25_000
