// Lets a config file that lives anywhere import the packages of mox: when its own node_modules have none, those
// installed beside core are used. Also makes a second import of a config read it, and the files beside it, again, and
// spares Node its TypeScript where a config has none.
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

const OURS = /^@mox\//
const GENERATION = 'mox-config'

let installed = false
let generation = 0
/** The module that is imported as it is written. */
let untyped: string | undefined

/** The URL to import a config file by; a new one each time. */
export function configUrl(path: string): string {
  install()
  const url = pathToFileURL(path)
  generation++
  // Plain on the first load, so that stack traces and messages show the file's own name.
  if (generation > 1) url.searchParams.set(GENERATION, String(generation))
  return url.href
}

/**
 * Imports a config by its URL. Most have no types in them although they are named .ts, and what takes types out costs as
 * much time as 50 of our modules and 28 MB: it is left for files that are no JavaScript. Whatever both languages can
 * read means the same in both, but for `<`: `f<T>(x)` compares in JavaScript.
 */
export async function importConfig(url: string): Promise<object> {
  if (mayBeJavaScript(url)) {
    untyped = url
    try {
      return (await import(/* @vite-ignore */ url)) as object
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      // Nothing of it has run: Node reads it again.
    } finally {
      untyped = undefined
    }
  }
  return (await import(/* @vite-ignore */ url)) as object
}

/** With an export, so that it is no CommonJS module. */
function mayBeJavaScript(url: string): boolean {
  const file = fileURLToPath(url)
  if (!/\.m?ts$/.test(file)) return false
  try {
    const source = readFileSync(file, 'utf8')
    return !source.includes('<') && /^export\s/m.test(source)
  } catch {
    // Importing it says why.
    return false
  }
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
    load(url, context, next) {
      if (url !== untyped) return next(url, context)
      return { format: 'module', source: readFileSync(fileURLToPath(url)), shortCircuit: true }
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
