// @mox/plugin-sdk/testkit: fakes, sample inputs, a host for plugins, conformance suites and players for tests. Node builtins
// only, but testHost, which loads @mox/core.
export * from './clock.ts'
export * from './dialogue.ts'
export * from './dns.ts'
export * from './failing.ts'
export * from './log.ts'
export * from './memory-storage.ts'
export * from './random.ts'
export * from './samples.ts'
export * from './storage-conformance.ts'
export * from './test-host.ts'
