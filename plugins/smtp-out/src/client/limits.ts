// Limits of the SMTP client, by name.

/** RFC 5321 §4.5.3.1.4: a command line with its CRLF. */
export const COMMAND_OCTETS = 512
/**
 * MAIL with its parameters: SIZE 26 (RFC 1870), BODY 17 (RFC 6152), SMTPUTF8 10 (RFC 6531), REQUIRETLS 11 (RFC 8689), RET
 * and ENVID 107 (RFC 3461 §4).
 */
export const MAIL_OCTETS: number = COMMAND_OCTETS + 26 + 17 + 10 + 11 + 107
/** RCPT with its parameters: NOTIFY and ORCPT 500 (RFC 3461 §4). */
export const RCPT_OCTETS: number = COMMAND_OCTETS + 500

/** A message of at most so many octets is held in memory while it is sent; a larger one is read twice. */
export const HELD_OCTETS: number = 256 * 1024
/** Transactions that one message may take: what is left after them is told to try again later. */
export const TRANSACTIONS = 100

/** RFC 4954 §4: an AUTH exchange's line with its CRLF. */
export const AUTH_OCTETS = 12_288
/** RFC 5802 §5.1, RFC 7677 §4: fewer iterations would give a listener too much. */
export const ITERATIONS_MINIMUM = 4096
/** Iterations that we compute for a server: half a second of work, as much as our own side allows. */
export const ITERATIONS_MAXIMUM = 1_000_000
