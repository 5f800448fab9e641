// The state of the page that its parts share. Only the folder that owns a part changes it: the stream (lib/stream.ts) what the
// server said, list/ the selection, and so on; others call their functions.
import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals'
import type { Hello } from '../../src/api/events.ts'
import type { ListedThread, Mailbox, OpenedMessage, Settings, ViewQuery } from '../../src/api/model.ts'

export const hello: Signal<Hello | undefined> = signal(undefined)
export const connected: Signal<boolean> = signal(false)
export const mailboxes: Signal<ReadonlyMap<number, Mailbox>> = signal(new Map())
export const settings: Signal<Settings | undefined> = signal(undefined)

/** What the list shows. */
export interface View {
  readonly id: number
  readonly query: ViewQuery
  /** As typed, when it is a search; '' for a mailbox. */
  readonly search: string
  readonly threads: readonly ListedThread[]
  readonly next: string | null
  readonly loading: boolean
  readonly complete: boolean
  readonly total: number | null
  readonly error: string
  /** Its rows are those of another time, shown while it is loaded. */
  readonly kept: boolean
}
export const view: Signal<View | undefined> = signal(undefined)

/** Ids of messages: the row with the focus, and the selected ones in the order in which they were selected. */
export const focused: Signal<number | undefined> = signal(undefined)
export const selected: Signal<readonly number[]> = signal([])

/** The message that is shown: the only selected one. */
export const opened: Signal<OpenedMessage | undefined> = signal(undefined)

/** The mailbox that is open; undefined in a search over several. */
export const openMailbox: ReadonlySignal<Mailbox | undefined> = computed(() => {
  const scope = view.value?.query.scope
  if (scope === undefined || typeof scope === 'string') return undefined
  const { mailbox } = scope
  if (typeof mailbox === 'number') return mailboxes.value.get(mailbox)
  return [...mailboxes.value.values()].find(m => m.name === mailbox)
})

export const narrow: Signal<boolean> = signal(false)
