// hooks@1: how a plugin runs the hooks of a moment that it owns. Each call has a scope of its own.
import type { HookRun, HookRunner } from '@mox/plugin-sdk'
import { type OutboxDeps, outboxRows } from '../notify/outbox.ts'
import { MessageFacts } from '../receive/facts.ts'
import { type MessageScope, newScope } from '../receive/scope.ts'

/** `deps` is asked at each call: plugins get the service before the handlers of all are known. */
export function hookRunner(deps: () => OutboxDeps): HookRunner {
  const hooks = () => deps().hooks
  return {
    has: hook => hooks().has(hook),
    decide: async (hook, input, run) => {
      const scope = scopeOf(run)
      const verdict = await hooks().decide(hook, input, scope)
      return { verdict, trace: scope.trace }
    },
    shape: async (hook, input, run) => {
      const scope = scopeOf(run)
      return { ...(await hooks().shape(hook, input, scope)), trace: scope.trace }
    },
    write: (hook, input, run) => hooks().write(hook, input, scopeOf(run), work => deps().storage.write(work)),
    emit: (hook, input, facts = {}) => outboxRows(deps(), hook, MessageFacts.restored(facts), input),
  }
}

function scopeOf({ signal, facts = {}, recipient }: HookRun): MessageScope {
  return { ...newScope(signal, MessageFacts.restored(facts)), ...(recipient === undefined ? {} : { recipient }) }
}
