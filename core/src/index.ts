// @mox/core: for programs and tests that run mox in their own process. Plugins never import it.

export { createMetrics } from './base/metrics.ts'
export { type Application, createApplication } from './cli/application.ts'
export { type ServeOptions, serve } from './cli/serve.ts'
export { loadConfig } from './config/load.ts'
export { type ResolvedConfig, resolveConfig } from './config/resolve.ts'
export { HookFailure } from './hooks/failure.ts'
export type { HookScope, Hooks } from './hooks/types.ts'
export { createHost, type Host, type HostExplanation, type HostOptions } from './host/host.ts'
export { newScope } from './receive/scope.ts'
export { createStages, type StageDeps, type Stages } from './stages.ts'
