// Runs hooks over tapable: AsyncSeriesBailHook for decide, AsyncSeriesWaterfallHook for shape, AsyncSeriesHook for write. Only
// guarded handlers are tapped, in an order computed before (host/order.ts).
import type { HookInput, HookName } from '@mox/plugin-sdk'
import { AsyncSeriesBailHook, AsyncSeriesHook, AsyncSeriesWaterfallHook } from 'tapable'
import { type GuardTools, guarded, type Handler, type Outcome } from './guard.ts'
import { HOOK_TABLE, type HookRow, hookRow } from './table.ts'
import type { DecideHook, Decision, HookScope, Hooks, ReactHook, ShapeHook, WriteHook } from './types.ts'
import { type AnyVerdict, type Judged, stronger } from './verdict.ts'

const PASS: AnyVerdict = Object.freeze({ kind: 'pass' })

/** One call of a hook: what the handlers get and the strongest verdict so far. */
interface Run {
  readonly row: HookRow
  readonly input: object
  readonly scope: HookScope
  readonly deadline: number
  best: Judged | undefined
  /** Shape hooks: the draft as patched so far. */
  draft: object
  error: string | undefined
  savepoint: ((work: () => Promise<void>) => Promise<void>) | undefined
}

interface Tapped {
  readonly handlers: readonly Handler[]
  readonly bail: AsyncSeriesBailHook<[Run], true | undefined>
  readonly waterfall: AsyncSeriesWaterfallHook<[Run]>
  readonly series: AsyncSeriesHook<[Run]>
}

/** A hook whose failure is the caller's to handle: the draft or report could not be made. */
export class HookError extends Error {
  override readonly name = 'HookError'
}

/** `handlers`: each hook's handlers in the order they run. */
export function makeHooks(handlers: ReadonlyMap<HookName, readonly Handler[]>, tools: GuardTools): Hooks {
  const tapped = new Map<HookName, Tapped>()
  for (const row of HOOK_TABLE.values()) {
    const list = handlers.get(row.name) ?? []
    if (list.length > 0) tapped.set(row.name, tap(row, list, tools))
  }
  const run = (hook: HookName, input: object, scope: HookScope): Run => ({
    row: hookRow(hook),
    input,
    scope,
    deadline: tools.clock.now() + (hookRow(hook).totalMs ?? Number.POSITIVE_INFINITY),
    best: undefined,
    draft: (input as { draft?: object }).draft ?? {},
    error: undefined,
    savepoint: undefined,
  })
  return {
    has: hook => tapped.has(hook),
    decide: async <H extends DecideHook>(hook: H, input: HookInput<H>, scope: HookScope) => {
      const taps = tapped.get(hook)
      if (taps === undefined) return PASS as unknown as Decision<H>
      const state = run(hook, input, scope)
      await taps.bail.promise(state)
      if (state.error !== undefined) throw new HookError(`${hook}: ${state.error}`)
      return (state.best?.verdict ?? PASS) as unknown as Decision<H>
    },
    shape: async <H extends ShapeHook>(hook: H, input: HookInput<H>, scope: HookScope) => {
      const taps = tapped.get(hook)
      const state = run(hook, input, scope)
      if (taps !== undefined) await taps.waterfall.promise(state)
      if (state.error !== undefined) throw new HookError(`${hook}: ${state.error}`)
      const verdict = state.best?.verdict.kind === 'patch' ? PASS : (state.best?.verdict ?? PASS)
      return { draft: state.draft as HookInput<H>['draft'], verdict: verdict as unknown as Decision<H> }
    },
    write: async (hook: WriteHook, input, scope, savepoint) => {
      const taps = tapped.get(hook)
      if (taps === undefined) return
      const state = run(hook, input, scope)
      state.savepoint = savepoint
      await taps.series.promise(state)
    },
    subscribers: (hook: ReactHook) => (tapped.get(hook)?.handlers ?? []).map(h => h.plugin),
    react: async (hook: ReactHook, subscriber, input, scope) => {
      const handler = tapped.get(hook)?.handlers.find(h => h.plugin === subscriber)
      if (handler === undefined) throw new HookError(`${hook}: the plugin ${subscriber} is not enabled`)
      const outcome = await guarded(handler, input as object, scope, tools, { eventId: scope.eventId })
      if ('failure' in outcome) throw new HookError(`${subscriber} in ${hook}: ${outcome.failure}`)
    },
  }
}

function tap(row: HookRow, handlers: readonly Handler[], tools: GuardTools): Tapped {
  const bail = new AsyncSeriesBailHook<[Run], true | undefined>(['run'], row.name)
  const waterfall = new AsyncSeriesWaterfallHook<[Run]>(['run'], row.name)
  const series = new AsyncSeriesHook<[Run]>(['run'], row.name)
  for (const handler of handlers) {
    const call = async (state: Run): Promise<true | undefined> => {
      const done = await step(handler, state, tools)
      return done ? true : undefined
    }
    bail.tapPromise(handler.plugin, call)
    waterfall.tapPromise(handler.plugin, async state => {
      await step(handler, state, tools)
      return state
    })
    series.tapPromise(handler.plugin, async state => {
      await inSavepoint(handler, state, tools)
    })
  }
  return { handlers, bail, waterfall, series }
}

/** Runs one handler of a decide or shape hook; true when the hook ends here. */
async function step(handler: Handler, state: Run, tools: GuardTools): Promise<boolean> {
  const { row, scope } = state
  if (handler.category !== undefined && !handler.mandatory && scope.exempted.has(handler.category)) return false
  const left = state.deadline - tools.clock.now()
  const input = row.sort === 'shape' ? { ...state.input, draft: state.draft } : state.input
  const running =
    left <= 0
      ? { failure: `no time left of ${row.totalMs} ms for all handlers` }
      : guarded(handler, input, scope, tools, {}, Math.min(handler.limitMs, left))
  const outcome = running instanceof Promise ? await running : running
  const verdict = 'failure' in outcome ? failureVerdict(handler, outcome.failure, tools) : outcome.verdict
  if (verdict === undefined) {
    if ('failure' in outcome && handler.onError === 'error') {
      state.error ??= `${handler.plugin}: ${outcome.failure}`
      return true
    }
    return false
  }
  if (verdict.kind === 'pass') return false
  if (verdict.kind === 'exempt') for (const category of verdict['categories'] as string[]) scope.exempted.add(category)
  if (verdict.kind === 'patch') state.draft = { ...state.draft, ...(verdict['changes'] as object) }
  const judged: Judged = { verdict, by: handler.plugin }
  state.best = state.best === undefined ? judged : stronger(row, state.best, judged)
  return row.sort === 'first' || state.best.verdict.kind === row.ladder.at(-1)
}

/** The verdict that a failure counts as; undefined for pass and error. */
function failureVerdict(handler: Handler, failure: string, tools: GuardTools): AnyVerdict | undefined {
  const reason = `${handler.plugin} failed: ${failure}`
  const reply = {
    code: handler.row.name === 'onReceive.connect' ? 421 : 451,
    enhanced: '4.3.0',
    text: 'internal error, try again later',
  }
  switch (handler.onError) {
    case 'defer':
    case 'refuse':
      return { kind: handler.onError, reply, reason }
    case 'reject':
      return { kind: 'reject', reply: { code: 554, enhanced: '5.3.0', text: 'internal error' }, reason }
    case 'quarantine':
    case 'hold':
      return { kind: handler.onError, reason }
    case 'postpone':
      return { kind: 'postpone', until: tools.clock.now(), reason, failed: true }
    default:
      return undefined
  }
}

async function inSavepoint(handler: Handler, state: Run, tools: GuardTools): Promise<void> {
  let outcome: Outcome | undefined
  const savepoint = state.savepoint
  if (savepoint === undefined) return
  try {
    await savepoint(async () => {
      outcome = await guarded(handler, state.input, state.scope, tools)
      if ('failure' in outcome) throw new HookError(outcome.failure) // undoes what the handler wrote
    })
  } catch (error) {
    // The failure is in the trace already; a savepoint that cannot be undone is the transaction's problem.
    if (outcome === undefined || !('failure' in outcome)) throw error
  }
}
