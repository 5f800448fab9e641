// Magic localparts: addresses that make the test server answer as a difficult one would. The end of the localpart says
// what happens, its start says where. Case-sensitive.
//
//   …temperror   451      …permerror   550      …timeout   no answer, then 451      …<400–599>   that code
//
//   mailfrom…    as sender: at MAIL FROM             rcptto…   as recipient: at RCPT TO
//   queue…       as recipient: accepted from our users, then fails when the queue delivers it
//   anything else as recipient: at the end of DATA
import type { SmtpReply } from '@mox/plugin-sdk'

export type Magic =
  /** Answer with this reply. */
  | { readonly kind: 'reply'; readonly reply: SmtpReply }
  /** Say nothing for an hour, then answer with this reply. */
  | { readonly kind: 'timeout'; readonly reply: SmtpReply }

export type Stage = 'mailfrom' | 'rcptto' | 'queue' | 'data'

/** What the localpart's start asks for. */
export function stageOf(localpart: string): Stage {
  for (const stage of ['mailfrom', 'rcptto', 'queue'] as const) if (localpart.startsWith(stage)) return stage
  return 'data'
}

/** What the localpart's end asks for; undefined for an ordinary address. */
export function magicOf(localpart: string): Magic | undefined {
  if (localpart.endsWith('temperror')) return answer(451)
  if (localpart.endsWith('permerror')) return answer(550)
  if (localpart.endsWith('timeout')) return { kind: 'timeout', reply: simulated(451) }
  const code = Number(/(?<!\d)[45]\d\d$/.exec(localpart)?.[0] ?? 0)
  return code === 0 ? undefined : answer(code)
}

const simulated = (code: number): SmtpReply => ({
  code,
  enhanced: `${Math.floor(code / 100)}.0.0`,
  text: 'simulated by the recipient or sender address',
})
const answer = (code: number): Magic => ({ kind: 'reply', reply: simulated(code) })
