// What the queue view's list shows: the filters as people set them, and as requests say them.
import { computed, signal } from '@preact/signals'
import type { QueueFilterFields } from '../src/api-types.ts'

export type Order = 'nextattempt' | 'nextattempt-last' | 'queued' | 'queued-first'

/** Fields of a text, '' for any. */
export const TEXTS = [
  ...(['to', 'from', 'account', 'ids', 'message', 'messageIdHeader', 'envid', 'submitted', 'nextattempt'] as const),
]
export type TextFilter = (typeof TEXTS)[number]

export interface Filters extends Readonly<Record<TextFilter, string>> {
  readonly state: 'all' | 'waiting' | 'held'
  /** '' for recipients without an operator's choice; undefined for any. */
  readonly transport: string | undefined
  readonly order: Order
}

export const NO_FILTERS: Filters = {
  ...{ to: '', from: '', account: '', ids: '', message: '', messageIdHeader: '', envid: '', submitted: '' },
  ...{ nextattempt: '', state: 'all', transport: undefined, order: 'nextattempt' },
}

export const filters = signal<Filters>(NO_FILTERS)

/** What is set, as a change of all that match says it. */
export const fields = computed<QueueFilterFields>(() => {
  const { state, transport } = filters.value
  const texts = TEXTS.map(name => [name, filters.value[name].trim()] as const).filter(([, text]) => text !== '')
  return {
    ...Object.fromEntries(texts),
    ...(transport === undefined ? {} : { transport }),
    ...(state === 'all' ? {} : { hold: state === 'held' ? 'true' : 'false' }),
  }
})

export const filtered = computed(() => Object.keys(fields.value).length > 0)

/** How many of those that are not always shown are set. */
export const moreSet = computed(
  () => Object.keys(fields.value).filter(name => name !== 'to' && name !== 'from' && name !== 'hold').length,
)

export function set(change: Partial<Filters>): void {
  filters.value = { ...filters.value, ...change }
}

/** The query of a list. */
export function listQuery(limit: number, after?: string): URLSearchParams {
  const { order } = filters.value
  const query = new URLSearchParams({ ...fields.value, limit: String(limit) })
  query.set('sort', order.startsWith('queued') ? 'queued' : 'nextattempt')
  query.set('asc', String(order === 'nextattempt' || order === 'queued-first'))
  if (after !== undefined) query.set('after', after)
  return query
}
