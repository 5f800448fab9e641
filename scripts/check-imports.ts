// Who may import whom: core → plugin-sdk ← plugins. A plugin never imports core or another plugin; storage plugins may
// import the storage-sql library. A package's tests may use any package. What is imported must be declared.
import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { ROOT, sources } from './files.ts'

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s*['"]([^'"]+)['"]|(?:^|[^.\w])import\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)\s*import\s*['"]([^'"]+)['"]/g

/** Allowed on top of the rule, with the reason. */
const EXCEPTIONS: Readonly<Record<string, readonly string[]>> = {
  // The test host runs plugins in the real host; it is loaded on demand, by tests only.
  'plugin-sdk/src/testkit/test-host.ts': ['@mox/core'],
}

interface Manifest {
  readonly name: string
  readonly dependencies?: Record<string, string>
  readonly peerDependencies?: Record<string, string>
}

/** Problems as "file: what"; none when all is well. */
export function importRules(): string[] {
  const problems: string[] = []
  for (const folder of ['core', 'plugin-sdk', 'plugins'])
    for (const file of sources(folder)) {
      const owner = /^(core|plugin-sdk|plugins\/[^/]+)\/src\//.exec(file)?.[1]
      if (owner === undefined || file.startsWith('plugin-sdk/template/')) continue
      for (const specifier of importsOf(readFileSync(join(ROOT, file), 'utf8'))) {
        const problem = judge(owner, file, specifier)
        if (problem !== undefined) problems.push(`${file}: ${problem}`)
      }
    }
  return problems
}

export function importsOf(text: string): string[] {
  return [...text.matchAll(IMPORT)].map(m => m[1] ?? m[2] ?? m[3] ?? '')
}

function judge(owner: string, file: string, specifier: string): string | undefined {
  if (EXCEPTIONS[file]?.includes(specifier)) return undefined
  if (specifier.startsWith('.')) {
    if (!/\.(ts|tsx|css)$/.test(specifier)) return `imports '${specifier}' without its ending`
    const target = join(file, '..', specifier).split('\\').join('/')
    return target.startsWith(`${owner}/`) ? undefined : `imports '${specifier}' from another package; use its name`
  }
  if (isBuiltin(specifier))
    return specifier.startsWith('node:') ? undefined : `imports '${specifier}'; write 'node:${specifier}'`
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  if (name === '@mox/core') return 'imports core; ask for a service instead'
  if (name.startsWith('@mox/plugin-') && name !== '@mox/plugin-sdk') {
    const storage = name === '@mox/plugin-storage-sql' && /^plugins\/storage-/.test(owner)
    if (!storage) return `imports the plugin ${name}; ask for a service instead`
  }
  const manifest = JSON.parse(readFileSync(join(ROOT, owner, 'package.json'), 'utf8')) as Manifest
  const types = `@types/${name.replace(/^@/, '').replace('/', '__')}`
  const declared = { ...manifest.dependencies, ...manifest.peerDependencies }
  if (name === manifest.name || name in declared || types in declared) return undefined
  return `imports '${name}', which ${owner}/package.json does not declare`
}
