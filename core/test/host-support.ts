// Hosts over plugins that a test writes down.
import { clock, definePlugin, log, type MoxConfig, type Needs, type Plugin, random, type Setup } from '@mox/plugin-sdk'
import { type CollectingLog, collectingLog, seededRandom, VirtualClock } from '@mox/plugin-sdk/testkit'
import { expect } from 'vitest'
import { createHost, type Host } from '../src/host/host.ts'

export interface HostBench {
  readonly host: Host
  readonly clock: VirtualClock
  readonly log: CollectingLog
}

export function hostOf(
  plugins: MoxConfig['plugins'],
  hooks: MoxConfig['hooks'] = {},
  builtins: readonly (readonly [string, unknown])[] = [],
): HostBench {
  const virtual = new VirtualClock()
  const lines = collectingLog()
  const given = new Map<string, unknown>([
    [clock.id, virtual],
    [random.id, seededRandom()],
    [log.id, lines],
    ...builtins,
  ])
  return { host: createHost({ config: { plugins, hooks }, builtins: given }), clock: virtual, log: lines }
}

/** A plugin without options. */
export function plugin(name: string, setup: Setup<Needs> = {}, needs: Needs = {}, provides: Needs = {}): Plugin {
  return definePlugin({ name, needs, provides, setup: () => setup })()
}

/** `expected` is the whole message of a UsageError, or undefined when all is well. */
export function checkHost(
  plugins: MoxConfig['plugins'],
  expected: string | undefined,
  hooks: MoxConfig['hooks'] = {},
  builtins: readonly (readonly [string, unknown])[] = [],
): void {
  let problem: unknown
  try {
    hostOf(plugins, hooks, builtins)
  } catch (error) {
    problem = [(error as Error).name, (error as Error).message]
  }
  expect(problem).toEqual(expected === undefined ? undefined : ['UsageError', expected])
}
