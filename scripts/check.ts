// `npm run check`: types, lint and format, import rules, size budgets, generated docs. Runs everything and then fails if
// anything was wrong, so that one run shows all there is to mend.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { budgets } from './check-budgets.ts'
import { importRules } from './check-imports.ts'
import { ROOT } from './files.ts'

const failed: string[] = []

function report(name: string, problems: readonly string[]): void {
  for (const problem of problems) console.error(problem)
  console.log(`${problems.length === 0 ? 'ok  ' : 'FAIL'} ${name}`)
  if (problems.length > 0) failed.push(name)
}

function run(name: string, command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit' })
  report(name, status === 0 ? [] : [`${command} ${args.join(' ')} failed`])
}

const bin = (name: string): string => join(ROOT, 'node_modules', '.bin', name)

run('types', bin('tsc'), ['-p', 'tsconfig.json'])
for (const plugin of readdirSync(join(ROOT, 'plugins')))
  if (existsSync(join(ROOT, 'plugins', plugin, 'web', 'tsconfig.json')))
    run(`types of the ${plugin} page`, bin('tsc'), ['-p', `plugins/${plugin}/web/tsconfig.json`])
run('lint and format', bin('biome'), ['check', '--error-on-warnings', '.'])
report('import rules', importRules())
report('size budgets', budgets())
run('generated docs', process.execPath, [
  'core/bin/mox.js',
  'docs',
  '--config',
  'docs/reference.config.ts',
  '--dir',
  'docs/reference',
  '--check',
])

if (failed.length > 0) {
  console.error(`\ncheck failed: ${failed.join(', ')}`)
  process.exit(1)
}
