// The project's source files, for the checks.
import { readdirSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT: string = join(dirname(fileURLToPath(import.meta.url)), '..')

const SKIP = new Set(['node_modules', 'dist', '.git'])

/** TypeScript files below a folder, as paths from the root with "/". */
export function sources(folder: string): string[] {
  const found: string[] = []
  const visit = (dir: string): void => {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      if (SKIP.has(entry.name)) continue
      const path = join(dir, entry.name)
      if (entry.isDirectory()) visit(path)
      else if (/\.tsx?$/.test(entry.name)) found.push(relative(ROOT, path).split(sep).join('/'))
    }
  }
  visit(join(ROOT, folder))
  return found.sort()
}
