// Builds what plugins bring for the browser. The page of a plugin with web/index.html becomes one HTML file,
// dist/web/index.html, with its script and style inside: one request, nothing to cache wrongly. Run by npm after install, and
// by `npm run build:web`.
// What a page loads only when it is needed, by `import()`, becomes a file of its own beside it. Such a file uses what the page
// has already: the page's scripts cannot be imported, as they are inline, so they leave their exports at `globalThis.moxPage`.
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build, defaultClientConditions, type Plugin, type Rolldown } from 'vite'

// Whoever builds it gets the same page.
process.env['NODE_ENV'] = 'production'

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
        const chunks = Object.values(bundle).filter(item => item.type === 'chunk')
        const ofPage = scriptsOfPage(chunks)
        for (const chunk of chunks) chunk.code = withoutImports(chunk, ofPage)
        let html = String(page.source).replaceAll(/<(script|link)\b[^>]*\b(src|href)="\.\/[^>]*>(<\/script>)?/g, '')
        const styles = Object.values(bundle).flatMap(item => (item.type === 'asset' && item !== page ? item : []))
        for (const style of styles) html = html.replace('</head>', () => `<style>${style.source}</style></head>`)
        for (const chunk of ofPage) {
          const script = leavingExports(chunk).replaceAll('</script', '<\\/script')
          html = html.replace('</body>', () => `<script type="module">${script}</script></body>`)
        }
        for (const { fileName } of [...styles, ...ofPage]) delete bundle[fileName]
        const size = gzipSync(html).length
        if (size > BUDGET) throw new Error(`the page has ${size} bytes compressed, more than ${BUDGET}`)
        page.source = html
      },
    },
  }
}

/** What the page needs at once: its script and what that imports, in the order in which they must run. */
function scriptsOfPage(chunks: readonly Rolldown.OutputChunk[]): readonly Rolldown.OutputChunk[] {
  const found = new Set<Rolldown.OutputChunk>()
  const add = (chunk: Rolldown.OutputChunk | undefined): void => {
    if (chunk === undefined || found.has(chunk)) return
    for (const name of chunk.imports) add(chunks.find(c => c.fileName === name))
    found.add(chunk)
  }
  add(chunks.find(chunk => chunk.isEntry))
  return [...found]
}

/** The script with its exports (`a as b`) left where others find them. */
function leavingExports({ code, fileName }: Rolldown.OutputChunk): string {
  return code.replace(EXPORTS, (_, names: string) => {
    const pairs = names.split(',').map(pair => pair.trim().split(/\s+as\s+/))
    const exports = pairs.map(([local, name = local]) => `${name}:${local}`).join(',')
    return `(globalThis.moxPage??={})["${fileName}"]={${exports}};`
  })
}

/** The script with what it imports of the page taken from where the page leaves it. */
function withoutImports(chunk: Rolldown.OutputChunk, ofPage: readonly Rolldown.OutputChunk[]): string {
  let { code } = chunk
  for (const { fileName } of ofPage.filter(c => chunk.imports.includes(c.fileName))) {
    const name = fileName.replaceAll('.', '\\.')
    const statement = new RegExp(`import\\s*(?:\\{([^}]*)\\}\\s*from\\s*)?["']\\./${name}["'];?`, 'g')
    code = code.replace(statement, (_, names: string | undefined) =>
      names === undefined ? '' : `const {${names.replaceAll(/\s+as\s+/g, ':')}}=globalThis.moxPage["${fileName}"];`,
    )
    if (code.includes(`./${fileName}`)) throw new Error(`${chunk.fileName} imports ${fileName} in a way not understood`)
  }
  return code
}

/** The script of an extension of the webmail, which is one module: web/extension.ts becomes dist/web/extension.js. */
async function buildExtension(web: string): Promise<void> {
  await build({
    root: web,
    logLevel: 'warn',
    resolve: { conditions: ['mox-source', ...defaultClientConditions] },
    build: {
      ...{ outDir: join(web, '..', 'dist', 'web'), emptyOutDir: true, target: 'es2022' },
      lib: { entry: join(web, 'extension.ts'), formats: ['es'], fileName: () => 'extension.js' },
    },
  })
}

for (const plugin of readdirSync(join(root, 'plugins'))) {
  const web = join(root, 'plugins', plugin, 'web')
  if (existsSync(join(web, 'extension.ts'))) await buildExtension(web)
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
