// @mox/plugin-sdk/testkit: fakes, conformance suites and players for tests. Node builtins only.
export * from './dialogue.ts'
export * from './memory-storage.ts'
