// Two verdicts of one ladder become one. The result does not depend on who answered first: the stronger wins; equals are
// added up where that means something, and else decided by time, by who did not fail, by plugin name.
import type { HookEntry } from './table.ts'
import { type AnyVerdict, PASS } from './verdicts.ts'

/** The strongest so far and whose it is. */
export interface Ranked {
  readonly verdict: AnyVerdict
  readonly rank: number
  readonly plugin: string
  /** It stands for a failure of its own; `verdict.failed` may tell of somebody else's. */
  readonly failed: boolean
}

/** Nobody had an opinion. */
export const NOTHING: Ranked = { verdict: PASS, rank: 0, plugin: '', failed: false }

/** A handler's verdict with its place. */
export function ranked(entry: HookEntry, verdict: AnyVerdict, plugin: string): Ranked {
  return { verdict, rank: rankOf(entry, verdict), plugin, failed: verdict.failed ?? false }
}

/** The place of a verdict on the hook's ladder. */
function rankOf(entry: HookEntry, verdict: AnyVerdict): number {
  return (entry.ladder as readonly string[]).indexOf(verdict.kind)
}

export function isTop(entry: HookEntry, rank: number): boolean {
  return rank > 0 && rank === entry.ladder.length - 1
}

export function stronger(a: Ranked, b: Ranked): Ranked {
  if (a.rank !== b.rank) return a.rank > b.rank ? a : b
  const first = preferred(a, b)
  switch (first.verdict.kind) {
    case 'tag':
      return { ...first, verdict: { ...first.verdict, keywords: union(a, b, 'keywords') } }
    case 'exempt':
      return { ...first, verdict: { ...first.verdict, categories: union(a, b, 'categories') } }
    case 'postpone': {
      const [x, y] = [Number(a.verdict['until']), Number(b.verdict['until'])]
      const latest = x === y ? first : x > y ? a : b
      const failed = a.verdict.failed || b.verdict.failed
      return failed && !latest.verdict.failed ? { ...latest, verdict: { ...latest.verdict, failed } } : latest
    }
    default:
      return first
  }
}

/** Who meant it comes before who failed. */
function preferred(a: Ranked, b: Ranked): Ranked {
  if (a.failed !== b.failed) return a.failed ? b : a
  return a.plugin <= b.plugin ? a : b
}

function union(a: Ranked, b: Ranked, field: string): readonly string[] {
  const of = ({ verdict }: Ranked): readonly string[] => verdict[field] as readonly string[]
  return [...new Set([...of(a), ...of(b)])].sort()
}
