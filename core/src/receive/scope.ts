// What belongs to the hooks of one session or of one message of it.
import type { TraceEntry } from '@mox/plugin-sdk'
import type { HookScope } from '../hooks/types.ts'
import { MessageFacts } from './facts.ts'

/** Trace entries kept with a message; a transaction has up to 1,000 recipients and any number of handlers. */
export const TRACE_ENTRIES = 1_000

export interface MessageScope extends HookScope {
  readonly facts: MessageFacts
  readonly trace: TraceEntry[]
  readonly exempted: Set<string>
}

export function newScope(signal: AbortSignal, facts: MessageFacts = new MessageFacts()): MessageScope {
  return { facts, trace: [], signal, exempted: new Set() }
}

/** The scope of a transaction: starts with what was found out when the session began. */
export function transactionScope(session: MessageScope): MessageScope {
  return {
    facts: new MessageFacts(session.facts),
    trace: [...session.trace],
    signal: session.signal,
    exempted: new Set(session.exempted),
  }
}

/** The same message, about one of its recipients. */
export function forRecipient(scope: MessageScope, recipient: string): MessageScope {
  return { ...scope, recipient }
}
