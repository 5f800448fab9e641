// Events for react handlers: one row for each subscriber, written in the unit of work that the event belongs to.
import type { Clock, HookInput, Random, Storage } from '@mox/plugin-sdk'
import type { FactStore, Hooks, ReactHook } from '../hooks/types.ts'

/** What a row carries. */
export interface OutboxPayload {
  readonly input: unknown
  /** Persisted facts of the message, by id. */
  readonly facts: Readonly<Record<string, unknown>>
}

export interface OutboxDeps {
  readonly hooks: Hooks
  readonly clock: Clock
  readonly random: Random
  readonly storage: Storage
}

/** Inside a unit of work. Rows of one event share its id. */
export async function outboxRows<H extends ReactHook>(
  deps: OutboxDeps,
  hook: H,
  facts: FactStore,
  input: HookInput<H>,
): Promise<void> {
  const subscribers = deps.hooks.subscribers(hook, { input, facts })
  if (subscribers.length === 0) return
  const now = deps.clock.now()
  const eventId = deps.random.id()
  const payload: OutboxPayload = { input, facts: facts.persisted() }
  await deps.storage.outbox.add(
    subscribers.map(subscriber => ({ eventId, hook, subscriber, payload, createdAt: now, due: now })),
  )
  deps.storage.notify('outbox')
}
