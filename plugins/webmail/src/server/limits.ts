// Limits of the webmail's server.

/** Milliseconds that a session lasts after its last use. */
export const SESSION_MS: number = 24 * 3_600_000
/** Milliseconds after which the use of a session is written to the database again. */
export const FLUSH_MS: number = 5 * 60_000
/** Sessions of an account; a login more ends the one that was used longest ago. */
export const MAX_SESSIONS = 100
/** Sessions in memory. */
export const KNOWN_SESSIONS = 10_000
/** Seconds in which a login must follow its preparation. */
export const LOGIN_SECONDS = 30
/** Milliseconds that the answer to an invalid session waits, and how many answers may wait. */
export const INVALID_DELAY_MS = 1_000
export const MAX_DELAYED = 200
/** Bytes of a call without a session. */
export const LOGIN_BYTES: number = 8 * 1024
/** Bytes of all bodies of calls that are in memory. */
export const MAX_BODIES: number = 64 * 1024 * 1024
/** Levels of nested JSON in a body. */
export const MAX_JSON_DEPTH = 32
/** Bytes of a form. */
export const FORM_BYTES: number = 256 * 1024
/** Bytes from which an answer is compressed. */
export const COMPRESS_BYTES = 1_024
/** Bytes of an account's settings. */
export const SETTINGS_BYTES: number = 1024 * 1024
/** Characters of a browser's name that are kept. */
export const USER_AGENT_LENGTH = 300
/** Bytes of an extension's script. */
export const EXTENSION_BYTES: number = 256 * 1024
/** Messages of a search that are counted to narrow it, and entries of each kind. */
export const FACET_MESSAGES = 1_000
export const FACET_ENTRIES = 12
/** Seconds in which the code of a login must come, tries, and logins that wait for one. */
export const CODE_SECONDS = 600
export const CODE_TRIES = 5
export const PROOFS = 1_000
/** Random bytes that a passkey is asked to sign. */
export const CHALLENGE_BYTES = 32
