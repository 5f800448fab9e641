// Every limit of the webapi, by name. What is beyond one is refused with an error that names it; nothing is cut silently.

const MIB = 1024 * 1024

/** Octets of a composed message, unless the option says otherwise. */
export const MAX_MESSAGE_SIZE: number = 100 * MIB
/** Recipients of one message, To, Cc and Bcc together: what one transaction takes. */
export const MAX_RECIPIENTS = 1_000
/** Characters of a display name, a file name, and a content type. */
export const MAX_NAME = 255
/** Characters of a subject, and of the value of a header field of the caller. */
export const MAX_HEADER_VALUE = 10_000
/** Header fields of the caller. */
export const MAX_HEADERS = 100
/** Characters of a Message-ID, with its brackets. */
export const MAX_MESSAGE_ID = 250
/** Entries of References. */
export const MAX_REFERENCES = 100
/** Files of one message. */
export const MAX_FILES = 100
/** Extra data: keys, octets of a key, of a value, and of all together. */
export const MAX_EXTRA_KEYS = 32
export const MAX_EXTRA_KEY = 64
export const MAX_EXTRA_VALUE = 1024
export const MAX_EXTRA: number = 8 * 1024
/** How far ahead a message may be scheduled, in milliseconds. */
export const MAX_FUTURE_RELEASE: number = 60 * 86_400_000
/** Characters of the name of a stream: lower-case letters, digits and dashes. */
export const MAX_STREAM = 50
/** Octets of a JSON request that carries no message. */
export const MAX_SMALL_BODY: number = 64 * 1024
/** Levels of a JSON request. */
export const MAX_JSON_DEPTH = 20
/** Octets of request bodies in memory at the same time, all requests together; beyond it requests are told to wait. */
export const MAX_BODIES: number = 512 * MIB
/** Octets of text and of HTML that are given back of a stored message. */
export const MAX_TEXT: number = MIB
/** Messages of one batch. */
export const MAX_BATCH = 500
/** Variables of one message of a batch, and characters of one value. */
export const MAX_VARIABLES = 100
export const MAX_VARIABLE = 10_000
/** Characters of an Idempotency-Key. */
export const MAX_IDEMPOTENCY_KEY = 200
/** How long the answer to an Idempotency-Key is kept, in milliseconds. */
export const IDEMPOTENCY_MS = 86_400_000
/** Rows in one page of a list. */
export const MAX_PAGE = 1_000
/** Seconds that a request for events may wait. */
export const MAX_WAIT = 60
/** Open event streams and waiting requests: in all, and of one account. */
export const MAX_STREAMS_OPEN = 500
export const MAX_STREAMS_OPEN_ACCOUNT = 20
/** API keys of one account. */
export const MAX_KEYS = 1_000

export const DAY_MS = 86_400_000
