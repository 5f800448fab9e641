// A delivery in a few words, so that a row can say what is expected: "8 temporary 421 - greeting; delayed 4.0.0 421; failed 5.4.7
// 421" are eight attempts with that outcome, code, enhanced code and stage, and then what the sender is told.
import type { Row } from '../../plugins/smtp-out/test/client/rows/row.ts'
import type { Fate, Outcome } from './run.ts'

export const BOB_AND_CAROL: readonly string[] = ['bob@example.com', 'carol@example.com']

/** The clock moves by seconds while a server keeps silent, and sockets need a moment to notice. */
const ROUGHLY_MS = 10_000

/** Whether an ordinary message to ordinary recipients, sent without a relay, meets what the row is about. */
export function suits({ tls, login, message, content, to = [] }: Row): boolean {
  const ordinary = login === undefined && message === undefined && content === undefined
  const opportunistic = tls === undefined || (tls.mode === 'opportunistic' && Object.keys(tls).length === 1)
  return ordinary && opportunistic && recipientsOf({ to }).length === to.length
}

export function recipientsOf({ to = BOB_AND_CAROL }: Pick<Row, 'to'>): string[] {
  return to.filter(one => typeof one === 'string').filter(one => /^\w+@example\.com$/.test(one))
}

/** One for each recipient; one for all when it is the same. */
export function brief({ fates }: Outcome): string[] {
  const each = fates.map(({ attempts, told }) =>
    [attemptsOf(attempts), ...told.map(({ action, status, code }) => `${action} ${status} ${code}`)].join('; '),
  )
  return new Set(each).size === 1 ? each.slice(0, 1) : each
}

function attemptsOf(attempts: Fate['attempts']): string {
  const runs: { readonly what: string; count: number }[] = []
  for (const { outcome, code, enhanced, stage = '-', startedAt, endedAt = startedAt } of attempts) {
    const seconds = Math.round((endedAt - startedAt) / ROUGHLY_MS) * (ROUGHLY_MS / 1000)
    const what = `${outcome} ${code} ${enhanced || '-'} ${stage}${seconds === 0 ? '' : ` after ${seconds} s`}`
    const last = runs.at(-1)
    if (last?.what === what) last.count++
    else runs.push({ what, count: 1 })
  }
  return runs.map(({ what, count }) => (count === 1 ? what : `${count} ${what}`)).join(', ')
}
