// Who is told what: the rules of RFC 3461 §4.1 and §5, and ours against backscatter. Reads nothing but what it is given.
import type { Attempt, DsnAction, Job, Retired, StoredMessage } from '@mox/plugin-sdk'
import type { DsnKind } from './model.ts'
import type { Options } from './options.ts'

type Asked = Pick<Job, 'notify' | 'reversePath'>

/** Whether NOTIFY allows a notice of delay. Null reverse-paths are never told anything. */
export function wantsDelayed({ notify, reversePath }: Asked): boolean {
  return reversePath !== null && (notify === undefined || notify.includes('delay'))
}

/** What the end of a recipient is to be told as, if at all. */
export function wantedAtEnd({
  notify,
  reversePath,
  status,
  results,
}: Pick<Retired, 'notify' | 'reversePath' | 'status' | 'results'>): DsnKind | undefined {
  if (reversePath === null) return undefined
  if (status === 'failed' || status === 'suppressed')
    return notify === undefined || notify.includes('failure') ? 'failed' : undefined
  if (status !== 'delivered' || !notify?.includes('success')) return undefined
  // RFC 3461 §5.2.1: the next hop has taken over.
  return results.at(-1)?.dsnPassedOn === true ? undefined : 'success'
}

/** RFC 3461 §5.2: what became of a delivered recipient. `alias`: it stands for several here. */
export function successAction(attempt: Attempt | undefined, alias: boolean): DsnAction {
  if (attempt?.stage !== undefined) return 'relayed'
  return alias ? 'expanded' : 'delivered'
}

/**
 * Whether the sender may be told. Mail of our own users: yes. Mail that the server itself wrote: no, a report about a report
 * helps nobody. Mail from outside, whose reverse-path anybody may have made up: only where the sender used NOTIFY.
 */
export function mayTell(
  { kind, account, reversePath }: Pick<StoredMessage, 'kind' | 'account' | 'reversePath'>,
  notify: Job['notify'],
  { outsideSenders }: Pick<Options, 'outsideSenders'>,
): boolean {
  if (reversePath === null) return false
  if (kind === 'submission') return account !== ''
  return outsideSenders === 'asked' && notify !== undefined
}
