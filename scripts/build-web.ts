// Builds the front end of each plugin that has a `web` folder into one HTML file, dist/web/index.html, with its script and
// style inside: one request, nothing to cache wrongly. Run by npm after install, and by `npm run build:web`.
// What a page loads only when it is needed are modules of their own, named in web/entries.json: "editor.ts" becomes
// dist/web/editor.js with all that it needs, and the page loads it with `import(/* @vite-ignore */ './editor.js')`.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build, type Plugin } from 'vite'

/** Compressed bytes that a first load may have. */
const BUDGET = 100 * 1024

const JSX = { jsx: { runtime: 'automatic', importSource: 'preact' } } as const

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

function inline(): Plugin {
  return {
    name: 'inline',
    enforce: 'post',
    generateBundle(_, bundle) {
      const page = bundle['index.html']
      if (page?.type !== 'asset') throw new Error('no index.html in the bundle')
      let html = String(page.source)
      for (const [name, item] of Object.entries(bundle)) {
        if (item === page) continue
        const code = item.type === 'chunk' ? item.code.replaceAll('</script', '<\\/script') : String(item.source)
        const tag = new RegExp(`<(script|link)[^>]*${name.replaceAll('.', '\\.')}[^>]*>(</script>)?`)
        html = html.replace(tag, () => (item.type === 'chunk' ? '' : `<style>${code}</style>`))
        if (item.type === 'chunk') html = html.replace('</body>', () => `<script type="module">${code}</script></body>`)
        delete bundle[name]
      }
      const size = gzipSync(html).length
      if (size > BUDGET) throw new Error(`the page has ${size} bytes compressed, more than ${BUDGET}`)
      page.source = html
    },
  }
}

for (const plugin of readdirSync(join(root, 'plugins'))) {
  const web = join(root, 'plugins', plugin, 'web')
  if (!existsSync(join(web, 'index.html'))) continue
  const common = { root: web, base: './', logLevel: 'warn', oxc: JSX } as const
  const output = { outDir: join(web, '..', 'dist', 'web'), target: 'es2022', modulePreload: false } as const
  await build({ ...common, build: { ...output, emptyOutDir: true }, plugins: [inline()] })
  for (const file of entriesOf(web)) {
    const fileName = file.replace(/\.tsx?$/, '.js')
    const lib = { entry: join(web, file), formats: ['es' as const], fileName: () => fileName }
    await build({ ...common, build: { ...output, emptyOutDir: false, lib } })
  }
}

function entriesOf(web: string): readonly string[] {
  const file = join(web, 'entries.json')
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as string[]) : []
}
