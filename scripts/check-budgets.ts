// Files that a reader can hold in the head: median at most 120 lines, 95th percentile 350, none above 600; and no `any`
// in exported types (the linter forbids it everywhere).
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, sources } from './files.ts'

const MEDIAN = 120
const PERCENTILE_95 = 350
const MAXIMUM = 600

/** Problems as text; none when all is well. */
export function budgets(): string[] {
  const files = ['core', 'plugin-sdk', 'plugins', 'test', 'scripts']
    .flatMap(folder => sources(folder))
    .map(file => ({ file, lines: readFileSync(join(ROOT, file), 'utf8').split('\n').length - 1 }))
  const problems = files
    .filter(f => f.lines > MAXIMUM)
    .map(f => `${f.file}: ${f.lines} lines, more than ${MAXIMUM}; split it by concept`)
  const sizes = files
    .filter(f => f.file.includes('/src/'))
    .map(f => f.lines)
    .sort((a, b) => a - b)
  const at = (share: number): number => sizes[Math.min(sizes.length - 1, Math.floor(sizes.length * share))] ?? 0
  if (at(0.5) > MEDIAN) problems.push(`the median source file has ${at(0.5)} lines, more than ${MEDIAN}`)
  if (at(0.95) > PERCENTILE_95)
    problems.push(`the 95th percentile of source files has ${at(0.95)} lines, more than ${PERCENTILE_95}`)
  return problems
}
