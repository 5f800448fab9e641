// What is wrong when the log of the server that took mail and the history of the one that was killed are laid side by side. Looks
// at nothing but what it is given.
import type { Attempt } from '@mox/plugin-sdk'
import type { Taken } from '../kit/outside.ts'
import type { ProbeRecipient } from '../kit/probe.ts'

export interface Expected {
  readonly subject: string
  readonly recipients: readonly string[]
  readonly content: Buffer
  /** SHA-256 of the content, hexadecimal. */
  readonly hash: string
}

export interface Evidence {
  readonly expected: readonly Expected[]
  /** What got its 250 from the other server. */
  readonly log: readonly Taken[]
  /** Every recipient of the server that was killed. */
  readonly history: readonly Pick<ProbeRecipient, 'address' | 'subject' | 'status' | 'results'>[]
  /** When it was gone, milliseconds since the epoch, in order. */
  readonly kills: readonly number[]
}

export interface DeliveryJudgement {
  readonly problems: readonly string[]
  /** Attempts that a kill ended. */
  readonly interrupted: number
  /** Deliveries beyond the first of a recipient, each explained by such an attempt. */
  readonly repeated: number
}

export function judgeDeliveries({ expected, log, history, kills }: Evidence): DeliveryJudgement {
  const problems: string[] = []
  const arrived = arrivals(log, expected, problems)
  const known = new Map<string, Evidence['history'][number][]>()
  for (const one of history) {
    const key = `${one.subject} ${one.address}`
    known.set(key, [...(known.get(key) ?? []), one])
  }
  let interrupted = 0
  let repeated = 0
  for (const { subject, recipients } of expected)
    for (const address of recipients) {
      const key = `${subject} ${address}`
      const [row, ...others] = known.get(key) ?? []
      known.delete(key)
      if (row === undefined || others.length > 0) {
        problems.push(`${others.length + (row === undefined ? 0 : 1)} times in the history: ${key}`)
        continue
      }
      const times = arrived.get(key) ?? 0
      const cut = row.results.slice(0, -1)
      interrupted += cut.length
      repeated += Math.max(0, times - 1)
      if (times === 0) problems.push(`lost: ${key}`)
      // The last attempt delivered it; each one before may have, and only the kill kept that from being recorded.
      if (times > 1 + cut.length) problems.push(`${times} times with ${cut.length} attempts interrupted: ${key}`)
      problems.push(...attemptProblems(row.results, row.status, kills).map(problem => `${problem}: ${key}`))
    }
  for (const key of known.keys()) problems.push(`in the history and never sent: ${key}`)
  return { problems, interrupted, repeated }
}

/** How often each recipient got each message; what it got must be what was sent. */
function arrivals(log: readonly Taken[], expected: readonly Expected[], problems: string[]): Map<string, number> {
  const sent = new Map(expected.map(one => [one.subject, one]))
  const arrived = new Map<string, number>()
  for (const { subject, recipients, hash } of log) {
    const message = sent.get(subject)
    if (message === undefined) problems.push(`arrived and never sent: ${subject}`)
    else if (message.hash !== hash) problems.push(`changed on the way: ${subject}`)
    for (const address of recipients) {
      if (message?.recipients.includes(address) === false) problems.push(`not a recipient of ${subject}: ${address}`)
      arrived.set(`${subject} ${address}`, (arrived.get(`${subject} ${address}`) ?? 0) + 1)
    }
  }
  return arrived
}

/** One attempt delivered it, the last; every other one was interrupted, by a kill that came before the next one began. */
function attemptProblems(results: readonly Attempt[], status: string, kills: readonly number[]): string[] {
  const problems: string[] = []
  const last = results.at(-1)
  if (status !== 'delivered' || last?.outcome !== 'delivered') problems.push(`${status}, not delivered`)
  for (const [i, { number, outcome, text, startedAt }] of results.entries()) {
    const next = results[i + 1]
    if (number !== i + 1) problems.push(`attempt ${i + 1} has number ${number}`)
    if (next === undefined) continue
    if (outcome !== 'temporary' || !text.startsWith('interrupted: '))
      problems.push(`attempt ${number}: ${outcome} ${text}`)
    if (!kills.some(kill => kill >= startedAt && kill <= next.startedAt))
      problems.push(`attempt ${number} was interrupted without a kill`)
  }
  return problems
}
