// Lets a config file that lives anywhere import the packages of mox: when its own node_modules have none, those
// installed beside core are used. Also makes a second import of a config read it, and the files beside it, again.
import { registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

const OURS = /^@mox\//
const GENERATION = 'mox-config'

let installed = false
let generation = 0

/** The URL to import a config file by; a new one each time. */
export function configUrl(path: string): string {
  install()
  const url = pathToFileURL(path)
  generation++
  // Plain on the first load, so that stack traces and messages show the file's own name.
  if (generation > 1) url.searchParams.set(GENERATION, String(generation))
  return url.href
}

function install(): void {
  if (installed) return
  installed = true
  registerHooks({
    resolve(specifier, context, next) {
      if (OURS.test(specifier)) {
        try {
          return next(specifier, context)
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
          try {
            return next(specifier, { ...context, parentURL: import.meta.url })
          } catch {
            throw error
          }
        }
      }
      const resolved = next(specifier, context)
      const reload = specifier.startsWith('.') && context.parentURL?.includes(`?${GENERATION}=`)
      if (!reload) return resolved
      const url = new URL(resolved.url)
      url.searchParams.set(GENERATION, new URL(context.parentURL ?? '').searchParams.get(GENERATION) ?? '')
      return { ...resolved, url: url.href }
    },
  })
}

/**
 * The file of a package's entry point such as "@mox/plugin-x/command", looked up beside core; undefined when there is
 * none.
 */
export function findPackage(specifier: string): string | undefined {
  try {
    return fileURLToPath(import.meta.resolve(specifier))
  } catch {
    return undefined
  }
}
