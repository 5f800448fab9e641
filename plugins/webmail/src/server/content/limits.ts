// Every limit of showing a message, by name. Sizes are bytes unless the name says otherwise.

/** Parts of a message that are looked at. */
export const MESSAGE_PARTS = 1_000
/** Levels of parts that a path can name: the root, and twenty below it. */
export const PATH_LEVELS = 21
/** Of one text part that is shown, decoded, in UTF-8; and of all together. */
export const TEXT_BYTES: number = 2 * 1024 * 1024
export const TEXTS_BYTES: number = 8 * 1024 * 1024
/** Text parts that are shown. */
export const TEXT_PARTS = 100
/** Characters of HTML that are shown. */
export const HTML_LENGTH = 1_000_000
/** Elements inside each other in shown HTML. */
export const HTML_NESTING = 200
/** Images that are put into a page as data URLs, all together, each as often as it is used. */
export const INLINE_IMAGES_BYTES: number = 10 * 1024 * 1024
/** Characters of one style attribute, and declarations that are kept of it. */
export const STYLE_LENGTH = 10_000
export const STYLE_DECLARATIONS = 100
/** Characters of an address in a link or of an image. */
export const URL_LENGTH = 8_000
/** Characters of an image's address that our server fetches. */
export const IMAGE_URL_LENGTH = 4_000
/** Bytes of such an image, and of a response's header. */
export const IMAGE_BYTES: number = 10 * 1024 * 1024
export const IMAGE_HEADER_BYTES: number = 16 * 1024
/** Milliseconds for all of it, redirects included. */
export const IMAGE_TIMEOUT_MS = 20_000
export const IMAGE_REDIRECTS = 3
/** Images fetched at a time: for one account, and for all. */
export const IMAGES_OF_ACCOUNT = 20
export const IMAGES_AT_ONCE = 200
/** Milliseconds that the links of a message are good: one to two of these. */
export const IMAGE_LINK_MS = 3_600_000
/** Images from elsewhere that are counted, and hosts that are named. */
export const REMOTE_IMAGES = 1_000
export const TRACKER_HOSTS = 20
/** Files of a zip archive that are listed, bytes of one that is taken out, characters of a name. */
export const ZIP_ENTRIES = 1_000
export const ZIP_ENTRY_BYTES: number = 20 * 1024 * 1024
export const ZIP_NAME_LENGTH = 500
/** Characters of a title or alternative text. */
export const LABEL_LENGTH = 1_000
/** Header fields shown, and characters of one. */
export const HEADER_FIELDS = 1_000
export const HEADER_FIELD_LENGTH = 20_000
/** Characters of a List field that are looked at. */
export const LIST_FIELD_LENGTH = 32_000
/** Milliseconds that reading a message may take, and MiB of memory. */
export const READ_MS = 5_000
export const READ_MIB = 256
/** Of a message that could not be read as a whole: the beginning that is. */
export const BEGINNING_BYTES: number = 32 * 1024
/** Messages that wait to be read. */
export const READS_WAITING = 200
/** Messages whose parts are remembered. */
export const OUTLINES_KEPT = 200
/** Of a message that panels of extensions are shown: its beginning. */
export const PANEL_BYTES: number = 1024 * 1024
/** Parts that a panel may read as text, and octets of each as transferred. */
export const PANEL_PARTS = 10
export const PANEL_PART_BYTES: number = 256 * 1024
/** Addresses of an account with a remembered view mode. */
export const VIEW_MODES = 5_000
/** Recipients and steps of a trace. */
export const TRACE_RECIPIENTS = 1_000
export const TRACE_STEPS = 2_000
