// The script for the page, as npm run build:web made it of web/extension.ts.
import { existsSync, readFileSync } from 'node:fs'
import { UsageError } from '@mox/plugin-sdk'

/** Beside the compiled code in a package, in dist/web in a clone. */
export function readScript(): string {
  const packaged = new URL('./web/extension.js', import.meta.url)
  const file = existsSync(packaged) ? packaged : new URL('../dist/web/extension.js', import.meta.url)
  if (!existsSync(file)) throw new UsageError('webmail-invitations: the script is not built; run npm run build:web')
  return readFileSync(file, 'utf8')
}
