// Builds the front end of each plugin that has a `web` folder into one HTML file, dist/web/index.html, with its script and
// style inside: one request, nothing to cache wrongly. Run by npm after install, and by `npm run build:web`.
// What a page loads only when it is needed, by `import()`, becomes a file of its own beside it. Such a file uses what the page
// has already: the page cannot be imported, as it is inline, so it leaves its exports at `globalThis.moxPage`.
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build, defaultClientConditions, type Plugin, type Rolldown } from 'vite'

type OutputBundle = Rolldown.OutputBundle

/** Compressed bytes that a first load may have. */
const BUDGET = 100 * 1024

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

const EXPORTS = /export\s*\{([^}]*)\};?\s*$/

function inline(): Plugin {
  return {
    name: 'inline',
    enforce: 'post',
    // After Vite's own, which writes the last of the code.
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const page = bundle['index.html']
        if (page?.type !== 'asset') throw new Error('no index.html in the bundle')
        let html = String(page.source)
        for (const [name, item] of Object.entries(bundle)) {
          if (item === page) continue
          if (item.type === 'chunk' && !item.isEntry) {
            item.code = withoutImportsOfPage(item.code, item.imports, bundle)
            continue
          }
          const code = item.type === 'chunk' ? leavingExports(item.code) : String(item.source)
          const tag = new RegExp(`<(script|link)[^>]*${name.replaceAll('.', '\\.')}[^>]*>(</script>)?`)
          html = html.replace(tag, () => (item.type === 'chunk' ? '' : `<style>${code}</style>`))
          if (item.type === 'chunk')
            html = html.replace('</body>', () => `<script type="module">${code}</script></body>`)
          delete bundle[name]
        }
        const size = gzipSync(html).length
        if (size > BUDGET) throw new Error(`the page has ${size} bytes compressed, more than ${BUDGET}`)
        page.source = html
      },
    },
  }
}

/** The page's script, with its exports (`a as b`) left where files that are loaded later find them. */
function leavingExports(code: string): string {
  const left = code.replace(EXPORTS, (_, names: string) => {
    const pairs = names.split(',').map(pair => pair.trim().split(/\s+as\s+/))
    return `globalThis.moxPage={${pairs.map(([local, name = local]) => `${name}:${local}`).join(',')}};`
  })
  return left.replaceAll('</script', '<\\/script')
}

/** A file that is loaded later, with what it imports of the page taken from where the page left it. */
function withoutImportsOfPage(code: string, imports: readonly string[], bundle: OutputBundle): string {
  let result = code
  for (const name of imports) {
    const of = bundle[name]
    if (of?.type === 'chunk' && !of.isEntry) continue
    const from = new RegExp(`import\\s*(?:\\{([^}]*)\\}\\s*from\\s*)?["']\\./${name.replaceAll('.', '\\.')}["'];?`, 'g')
    result = result.replace(from, (_, names: string | undefined) =>
      names === undefined ? '' : `const {${names.replaceAll(/\s+as\s+/g, ':')}}=globalThis.moxPage;`,
    )
    if (result.includes(`/${name}`)) throw new Error(`a file imports the page in a way that is not understood: ${name}`)
  }
  return result
}

for (const plugin of readdirSync(join(root, 'plugins'))) {
  const web = join(root, 'plugins', plugin, 'web')
  if (!existsSync(join(web, 'index.html'))) continue
  await build({
    root: web,
    base: './',
    logLevel: 'warn',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    // Packages of the workspace are taken from their sources: this runs before they are built.
    resolve: { conditions: ['mox-source', ...defaultClientConditions] },
    build: {
      ...{ outDir: join(web, '..', 'dist', 'web'), emptyOutDir: true, target: 'es2022' },
      // All files beside each other, and all styles in the page.
      ...{ assetsDir: '', cssCodeSplit: false, modulePreload: false },
    },
    plugins: [inline()],
  })
}
