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
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
