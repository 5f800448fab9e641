// The services that core itself provides to every plugin.
import { type Clock, clockControl, type Log, type Random, type Secrets, type System } from '@mox/plugin-sdk'
import type { ResolvedConfig } from '../config/resolve.ts'
import { AdvancingClock } from './advancing-clock.ts'
import { createClock } from './clock.ts'
import { createLog } from './log.ts'
import { createMetrics, type MetricsRegistry } from './metrics.ts'
import { createRandom } from './random.ts'
import { createSecrets } from './secrets.ts'
import { version } from './version.ts'

export interface BaseServices {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: MetricsRegistry
  readonly secrets: Secrets
  readonly system: System
}

/** `overrides` replaces some, for tests and for commands that must stay quiet. */
export function createBase(config: ResolvedConfig, overrides: Partial<BaseServices> = {}): BaseServices {
  const metrics = overrides.metrics ?? createMetrics()
  const warnings = metrics.counter('mox_logging_level_warn_total', 'Log lines of level warn.')
  const errors = metrics.counter('mox_logging_level_error_total', 'Log lines of level error.')
  const count = (level: string): void => {
    if (level === 'warn') warnings.inc()
    if (level === 'error') errors.inc()
  }
  return {
    clock: overrides.clock ?? (movesClock(config) ? new AdvancingClock() : createClock()),
    random: overrides.random ?? createRandom(),
    log: overrides.log ?? createLog({ ...config.log, count }),
    metrics,
    secrets: overrides.secrets ?? createSecrets(config.dataDir),
    system: overrides.system ?? { hostname: config.hostname, dataDir: config.dataDir, version: version() },
  }
}

/** Whether a plugin of the config moves the clock. */
function movesClock({ plugins }: ResolvedConfig): boolean {
  return plugins.some(({ spec }) => Object.values(spec.needs ?? {}).some(({ id }) => id === clockControl.id))
}
