// Every limit of the mail functions, by name. A value here is a promise: what is beyond it is refused (addresses,
// reader, formatting) or cut with an entry in `problems` (header, MIME). Sizes are octets unless the name says
// otherwise.

/** RFC 5321 §4.5.3.1.1: the decoded localpart, in UTF-8. */
export const LOCALPART_OCTETS = 64
/** RFC 1035 §2.3.4: one label of a domain, in A-label form. */
export const LABEL_OCTETS = 63
/** RFC 5321 §4.5.3.1.2: a domain, in A-label form. */
export const DOMAIN_OCTETS = 255
/** RFC 5321 §4.5.3.1.3: a path with its brackets and route. */
export const PATH_OCTETS = 256
/** Parameters of one MAIL or RCPT command. */
export const COMMAND_PARAMETERS = 30

/** One line of a server's reply with its CRLF. RFC 5321 §4.5.3.1.5 says 512; servers exceed it. */
export const REPLY_LINE_OCTETS = 4096
/** Lines of one reply. */
export const REPLY_LINES = 500
/** One reply, all lines with their codes and CRLFs. */
export const REPLY_OCTETS: number = 64 * 1024

/** The header section with the empty line after it. */
export const HEADER_BYTES: number = 256 * 1024
/** Lines of the header section, continuation lines included, without the empty line after it. */
export const HEADER_LINES = 4_000
/** Continuation lines of one header field. */
export const CONTINUATION_LINES = 1_000
/** RFC 5322 §2.1.1: a line without its CRLF. */
export const LINE_OCTETS = 998
/** RFC 5322 §2.1.1: where lines that we make are folded. */
export const FOLD_COLUMN = 78

/** Parameters, or segments of them (RFC 2231 §3), of one Content-Type or Content-Disposition. */
export const PARAMETER_SEGMENTS = 200
/** Entries read from an address list. */
export const ADDRESS_LIST_ENTRIES = 1_000
/** Message-IDs kept of References or In-Reply-To: the last ones. */
export const MESSAGE_IDS = 200
/** Characters of a message-id; longer ones are ignored. */
export const MESSAGE_ID_LENGTH = 998
/** Characters read from a subject for its base. */
export const SUBJECT_LENGTH = 998
/** Characters read from a date. */
export const DATE_LENGTH = 200

/** Levels of nested multiparts and messages. */
export const MIME_DEPTH = 100
/** Parts of a message, all levels together. */
export const MIME_PARTS = 10_000
/** Characters of a multipart boundary. RFC 2046 §5.1.1 says 70; senders exceed it. */
export const BOUNDARY_LENGTH = 200
/** Characters of a file name for display. */
export const FILENAME_LENGTH = 200
/** Characters of a client-given text in a trace field. */
export const TRACE_TEXT_LENGTH = 255

/** Octets of a message that a view of it is made from; the rest is not looked at. */
export const VIEW_OCTETS: number = 32 * 1024 * 1024
/** Parts of a message in a view. */
export const VIEW_PARTS = 1_000
/** Octets of the text, and of the HTML, in a view, in UTF-8. */
export const VIEW_TEXT_OCTETS: number = 1024 * 1024
/** Characters of all parameters, ids and file names of the structure in a view, and of one of them. */
export const VIEW_STRUCTURE_TEXT: number = 256 * 1024
export const VIEW_PARAMETER_LENGTH = 1_000

/** Characters of the line of a message that lists show. */
export const PREVIEW_LENGTH = 256
/** Characters of a message that search finds it by, and of one header field in it. */
export const SEARCH_TEXT_LENGTH: number = 128 * 1024
export const SEARCH_HEADER_LENGTH = 4_000
/** Different header field names of a message that search knows. */
export const SEARCH_FIELD_NAMES = 500
/** Characters of a search as typed, and conditions in it; the rest is not looked at. */
export const SEARCH_QUERY_LENGTH = 2_000
export const SEARCH_CONDITIONS = 50
