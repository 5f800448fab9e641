// The way of a message, ordered for reading: what concerned the whole message, then each recipient.
import type { TraceStep } from '../../src/api/model.ts'

export interface Journey {
  /** '' for what concerned the message as a whole. */
  readonly recipient: string
  readonly steps: readonly TraceStep[]
  /** How it ended, or where it is. */
  readonly end: { readonly text: string; readonly kind: Kind }
}

/** How a verdict is drawn. */
export type Kind = 'good' | 'bad' | 'waiting' | 'plain'

const KINDS: readonly (readonly [kind: Kind, verdicts: RegExp])[] = [
  ['good', /^(?:accept|accepted|delivered|delivery|ok|pass|relayed|sent|success)$/i],
  ['bad', /^(?:bounced|cancelled|dropped|expired|fail|failed|permanent|permfail|reject|rejected|suppressed)$/i],
  ['waiting', /^(?:defer|deferred|hold|running|temporary|tempfail|throttled|waiting)$/i],
]

export function kindOf(verdict: string): Kind {
  return KINDS.find(([, verdicts]) => verdicts.test(verdict))?.[0] ?? 'plain'
}

export function journeys(steps: readonly TraceStep[]): readonly Journey[] {
  const found = new Map<string, TraceStep[]>()
  for (const step of steps) found.set(step.recipient, [...(found.get(step.recipient) ?? []), step])
  return [...found].map(([recipient, own]) => {
    const verdict = own.findLast(s => s.verdict !== '')?.verdict ?? ''
    return { recipient, steps: own, end: { text: verdict, kind: kindOf(verdict) } }
  })
}

/** "3 ms", "1.2 s". */
export function durationText(ms: number | null): string {
  if (ms === null) return ''
  return ms < 1_000
    ? `${Math.round(ms)} ms`
    : `${(ms / 1_000).toLocaleString(undefined, { maximumFractionDigits: 1 })} s`
}
