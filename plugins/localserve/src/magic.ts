// Magic localparts: addresses that make the test server answer as a difficult one would. The end of the localpart says what
// happens, its start says where. Case-sensitive. Several words with one of - . _ + between them happen together: first what is
// slow, then TLS, greylisting and refusals, and after a delivery what comes back later.
//
//   …temperror   451      …permerror   550      …<400–599>   that code      …timeout   no answer for an hour, then 451
//   …greylist[minutes]    451 for the first 5 minutes                       …slow<seconds>   answers after so long
//   …bounce[minutes]      taken, and a DSN comes a minute later             …complaint[minutes]   taken, then a spam report
//   …tlsfail              STARTTLS fails when the queue delivers
//
//   mailfrom…    as sender: at MAIL FROM             rcptto…   as recipient: at RCPT TO
//   queue…       as recipient: accepted from our users, then happens when the queue delivers it
//   anything else as recipient: at the end of DATA
import type { SmtpReply } from '@mox/plugin-sdk'

/** What comes back some time after the delivery: a delivery status notification, or a spam report. */
export interface Later {
  readonly kind: 'bounce' | 'complaint'
  readonly afterMs: number
}

export interface Magic {
  /** Nothing is said for so long. */
  readonly slowMs: number
  /** Refused for now, for so long after the first try. 0: not. */
  readonly greylistMs: number
  readonly tlsFailure: boolean
  readonly refusal?: SmtpReply
  readonly later: readonly Later[]
}

export type Stage = 'mailfrom' | 'rcptto' | 'queue' | 'data'

const MINUTE_MS = 60_000
/** Words of one localpart that are looked at. */
export const MAGIC_WORDS = 8
const WORD =
  /(?:(?<number>greylist|bounce|complaint)(?<amount>\d{0,4})|slow(?<seconds>\d{1,4})|(?<name>temperror|permerror|timeout|tlsfail)|(?<!\d)(?<code>[45]\d\d))$/

/** What the localpart's start asks for. */
export function stageOf(localpart: string): Stage {
  for (const stage of ['mailfrom', 'rcptto', 'queue'] as const) if (localpart.startsWith(stage)) return stage
  return 'data'
}

/** What the localpart's end asks for; undefined for an ordinary address. */
export function magicOf(localpart: string): Magic | undefined {
  let magic: Magic = { slowMs: 0, greylistMs: 0, tlsFailure: false, later: [] }
  let rest = localpart
  for (let words = 0; words < MAGIC_WORDS; words++) {
    const match = WORD.exec(rest)
    if (match === null) return words === 0 ? undefined : magic
    magic = withWord(magic, match.groups ?? {})
    const before = rest.slice(0, match.index)
    rest = before.replace(/[-._+]$/, '')
    if (rest === before) return magic
  }
  return magic
}

/** Of two refusals the last one in the address counts, which is found first. */
function withWord(
  magic: Magic,
  { number, amount = '', seconds, name, code }: Record<string, string | undefined>,
): Magic {
  const given = (standard: number): number => (amount === '' ? standard : Number(amount))
  if (seconds !== undefined) return { ...magic, slowMs: Number(seconds) * 1_000 }
  switch (number ?? name) {
    case 'greylist':
      return { ...magic, greylistMs: given(5) * MINUTE_MS }
    case 'bounce':
    case 'complaint':
      return { ...magic, later: [{ kind: number as Later['kind'], afterMs: given(1) * MINUTE_MS }, ...magic.later] }
    case 'tlsfail':
      return { ...magic, tlsFailure: true }
    case 'timeout':
      return refusing({ ...magic, slowMs: 60 * MINUTE_MS }, 451)
    default:
      return refusing(magic, code === undefined ? (name === 'temperror' ? 451 : 550) : Number(code))
  }
}

const refusing = (magic: Magic, code: number): Magic => ({ refusal: simulated(code), ...magic })

export const simulated = (code: number): SmtpReply => ({
  code,
  enhanced: `${Math.floor(code / 100)}.0.0`,
  text: 'simulated by the recipient or sender address',
})
