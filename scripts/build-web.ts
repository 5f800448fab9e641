// Builds the front end of each plugin that has a `web` folder into one HTML file, dist/web/index.html, with its script and
// style inside: one request, nothing to cache wrongly. Run by npm after install, and by `npm run build:web`.
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build, type Plugin } from 'vite'

/** Compressed bytes that a first load may have. */
const BUDGET = 100 * 1024

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
  await build({
    root: web,
    base: './',
    logLevel: 'warn',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: { outDir: join(web, '..', 'dist', 'web'), emptyOutDir: true, target: 'es2022', modulePreload: false },
    plugins: [inline()],
  })
}
