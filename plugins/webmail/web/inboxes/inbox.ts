// The Inbox of one account of this browser while all are shown together, with the token of that account.
import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals'
import type { Item } from '../../src/api/model.ts'
import type { Account } from '../lib/accounts.ts'
import { callAs, errorOf } from '../lib/api.ts'
import { StreamClient } from '../lib/stream-client.ts'
import type { LiveView } from '../lib/view-state.ts'
import type { SharedStreams } from './shared-streams.ts'

/** Messages of one account that are loaded at a time. */
const PORTION = 50
const INBOX = { scope: { mailbox: 'Inbox' }, order: 'newest', threads: false } as const

export class Inbox {
  readonly account: Account
  /** Why it is not shown; '' while it is. */
  readonly problem: Signal<string> = signal('')
  readonly items: ReadonlySignal<readonly Item[]>
  readonly more: ReadonlySignal<boolean>
  readonly #state = {
    ...{ hello: signal(undefined), connected: signal(false), mailboxes: signal(new Map()) },
    ...{ settings: signal(undefined), view: signal(undefined) },
  } as ConstructorParameters<typeof StreamClient>[0]
  readonly #client: StreamClient

  constructor(account: Account, streams: SharedStreams) {
    this.account = account
    const { csrf } = account
    this.#client = new StreamClient(this.#state, {
      open: (request, abort) => streams.open(csrf, request, abort),
      call: (name, params) => callAs(csrf, name, params),
      login: async (response, reason) => {
        const error = response === undefined ? undefined : await errorOf(response)
        if (error !== undefined && error.code !== 'noAuth' && error.code !== 'badAuth') return false
        this.problem.value = error?.message ?? reason
        this.#client.stop()
        return false
      },
      selected: () => undefined,
      onOutgoing: () => undefined,
      after(ms, work) {
        const timer = setTimeout(work, ms)
        return () => clearTimeout(timer)
      },
    })
    const view = (): LiveView | undefined => this.#state.view.value as LiveView | undefined
    this.items = computed(() => view()?.threads.flatMap(({ messages }) => messages) ?? [])
    this.more = computed(() => view()?.next !== null)
  }

  /** Time of receipt of the last message that is loaded: what others have before it is complete. */
  get bound(): number {
    return this.more.value ? (this.items.value.at(-1)?.receivedAt ?? Number.POSITIVE_INFINITY) : 0
  }

  start(): void {
    this.#client.openView(INBOX, { limit: PORTION })
    this.#client.start()
  }

  /** Connects, if it is not connected and is to be. */
  again(): void {
    if (!this.#client.stopped) this.#client.start()
  }

  stop(): void {
    this.#client.stop()
  }

  loadMore(): void {
    if (this.more.value) this.#client.loadMore(PORTION)
  }

  /** Returns how to take it back. Throws what the user is to be told. */
  async moveTo(role: 'archive' | 'trash', id: number): Promise<() => Promise<void>> {
    const target = [...this.#state.mailboxes.value.values()].find(({ specialUse }) => specialUse.includes(role))
    if (target === undefined) throw new Error(`${this.account.address} has no mailbox for ${role}`)
    const { csrf } = this.account
    const { undo } = await callAs(csrf, 'messagesMove', { ids: [id], mailboxId: target.id })
    return async () => void (await callAs(csrf, 'undo', undo))
  }
}
