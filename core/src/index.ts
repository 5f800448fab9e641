// @mox/core: for programs and tests that run mox in their own process. Plugins never import it.
export { type Application, createApplication } from './cli/application.ts'
export { type ServeOptions, serve } from './cli/serve.ts'
export { loadConfig } from './config/load.ts'
export { type ResolvedConfig, resolveConfig } from './config/resolve.ts'
export { createHost, type Host, type HostExplanation, type HostOptions } from './host/host.ts'
export { createStages, type StageDeps, type Stages } from './stages.ts'
