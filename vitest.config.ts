import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

// Tests run the sources: the `mox-source` condition makes `@mox/*` resolve to `src` in every package.
export default defineConfig({
  resolve: { conditions: ['mox-source', 'node', 'import', 'module', 'default'] },
  ssr: { resolve: { conditions: ['mox-source', 'node', 'import', 'module', 'default'] } },
  test: {
    include: [
      'core/test/**/*.test.ts',
      'plugin-sdk/**/test/**/*.test.ts',
      'plugins/*/test/**/*.test.ts',
      'test/**/*.test.ts',
    ],
    exclude: ['**/node_modules/**', '**/dist/**'],
    execArgv: ['--conditions=mox-source'],
    // vitest would leave one of two cores to itself. Tests that start programs wait for them most of the time.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
