// What an answer means for a recipient: RFC 5321 §4.2.1 and §5.1, with the exceptions that experience asks for. And the
// result that core gets.
import type { DeliveryResult, Outcome, TlsFacts } from '@mox/plugin-sdk'
import type { Answer, FailureKind } from './client/types.ts'

/**
 * - `delivered`: the server has taken it.
 * - `permanent`: refused for good, other hosts are not asked.
 * - `unsuitable`: this host never will do, another may; permanent when no host will do.
 * - `retry`: another host may take it, or this one later.
 * - `uncertain`: the server may have taken it: not for another host now (RFC 1047).
 */
export type Fate = 'delivered' | 'permanent' | 'unsuitable' | 'retry' | 'uncertain'

export interface Judged extends Answer {
  readonly kind: 'ok' | FailureKind
}

/** `lenient`: a refusal by policy may be about our address, and another family of addresses is there to try next time. */
export function fateOf({ kind, stage, code, enhanced }: Judged, lenient: boolean): Fate {
  if (kind === 'ok') return 'delivered'
  if (kind === 'local') return code >= 500 ? 'unsuitable' : 'retry'
  if (kind !== 'reply') return stage === 'end' ? 'uncertain' : 'retry'
  if (code < 500 || code > 599) return 'retry'
  // A server that cannot do TLS now.
  if (stage === 'starttls') return 'retry'
  // RFC 5321 §4.5.3.1.10: once meant "too many recipients".
  if (stage === 'rcpt' && code === 552) return 'retry'
  return lenient && enhanced.startsWith('5.7.') ? 'retry' : 'permanent'
}

/** Where an answer came from. */
export interface Place {
  readonly remoteHost?: string
  readonly remoteIp?: string
  readonly tls?: TlsFacts
}

/** `place.remoteIp` is an address that a connection was made to. */
export function resultOf(
  id: number,
  answer: Judged & { readonly dsn?: boolean },
  fate: Fate,
  place: Place,
): DeliveryResult {
  const { stage, enhanced, text } = answer
  const outcome = outcomeOf(fate)
  const passedOn = fate === 'delivered' && answer.dsn === true ? { dsnPassedOn: true as const } : {}
  const words = { code: answer.code, enhanced, text }
  return {
    id,
    outcome,
    ...(outcome === 'temporary' ? delayed(answer, words) : words),
    stage,
    ...place,
    ...dialedAt(place),
    ...passedOn,
  }
}

/** The connection that was made there, if any. */
export function dialedAt({ remoteHost: host, remoteIp: ip }: Place): Pick<DeliveryResult, 'dialed'> {
  return host === undefined || ip === undefined ? {} : { dialed: { host, ip } }
}

function outcomeOf(fate: Fate): Outcome {
  if (fate === 'delivered') return 'delivered'
  return fate === 'permanent' ? 'permanent' : 'temporary'
}

/** A decision of ours that may turn out otherwise next time is no permanent status. A server's words stay as they are. */
function delayed({ kind }: Judged, said: { code: number; enhanced: string; text: string }): typeof said {
  return kind === 'local' ? { ...said, code: 0, enhanced: said.enhanced.replace(/^5/, '4') } : said
}
