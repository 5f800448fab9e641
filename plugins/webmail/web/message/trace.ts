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
  ['good', /^(?:accept|accepted|delivered|success)$/i],
  ['bad', /^(?:cancel|cancelled|discard|discarded|drop|failed|permanent|reject|rejected|suppressed)$/i],
  ['waiting', /^(?:defer|deferred|hold|running|temporary|waiting)$/i],
]

export function kindOf(verdict: string): Kind {
  return KINDS.find(([, verdicts]) => verdicts.test(verdict))?.[0] ?? 'plain'
}

export type Entry =
  | { readonly kind: 'step'; readonly step: TraceStep }
  /** Hooks that had nothing to say, in a row. */
  | { readonly kind: 'passed'; readonly steps: readonly TraceStep[] }

/** Puts together what passed without a word, so that what happened can be seen. */
export function entriesOf(steps: readonly TraceStep[]): readonly Entry[] {
  const entries: Entry[] = []
  for (const step of steps) {
    const last = entries.at(-1)
    if (step.verdict !== 'pass' || step.text !== '') entries.push({ kind: 'step', step })
    else if (last?.kind === 'passed') entries[entries.length - 1] = { kind: 'passed', steps: [...last.steps, step] }
    else entries.push({ kind: 'passed', steps: [step] })
  }
  return entries
}

export function journeys(steps: readonly TraceStep[]): readonly Journey[] {
  const found = new Map<string, TraceStep[]>()
  for (const step of steps) found.set(step.recipient, [...(found.get(step.recipient) ?? []), step])
  return [...found].map(([recipient, own]) => {
    const verdict = own.findLast(s => s.verdict !== 'pass')?.verdict ?? 'pass'
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
