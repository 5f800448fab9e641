// The page and its files: read and compressed once, and revalidated by the browser with each load. The page's policy names
// its inline script and style by their hashes, so that nothing else that gets into the document runs.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { UsageError, type WebmailExtension } from '@mox/plugin-sdk'
import type { Context } from 'koa'
import { compressBest, type Encoding, encodingOf } from './compress.ts'
import { EXTENSION_BYTES } from './limits.ts'

const TYPES: ReadonlyMap<string, string> = new Map([
  ['html', 'text/html; charset=utf-8'],
  ['js', 'text/javascript; charset=utf-8'],
  ['css', 'text/css; charset=utf-8'],
  ['svg', 'image/svg+xml'],
  ['png', 'image/png'],
  ['json', 'application/json; charset=utf-8'],
  ['webmanifest', 'application/manifest+json; charset=utf-8'],
  ['txt', 'text/plain; charset=utf-8'],
])
const EXTENSION_NAME = /^[a-z0-9-]{1,50}$/
/** Of files that are no page: nothing may come from them. */
const FILE_POLICY = "default-src 'none'; sandbox"

interface File {
  readonly type: string
  readonly policy: string
  readonly etag: string
  readonly modified: Date
  /** Compressed in the background, so that the start need not wait for it. */
  readonly bytes: Promise<Readonly<Record<Encoding, Buffer>>>
}

/** Files of the operator, by the name under which the page loads them. */
export type CustomFiles = Readonly<Record<'custom.css' | 'custom.js', string | undefined>>

/** Bytes of such a file. */
export const CUSTOM_BYTES: number = 1024 * 1024

const TAGS: readonly (readonly [keyof CustomFiles, string])[] = [
  ['custom.css', '<link rel="stylesheet" href="custom.css">'],
  ['custom.js', '<script src="custom.js"></script>'],
]

export class Page {
  readonly #extensions: readonly WebmailExtension[]
  readonly #custom: CustomFiles
  /** Times of change of the operator's files that are loaded. */
  readonly #loaded = new Map<keyof CustomFiles, number>()
  #page: { readonly html: string; readonly modified: Date } | undefined
  /** By path below the webmail's prefix. */
  readonly #files = new Map<string, File>()

  constructor(
    extensions: readonly WebmailExtension[],
    custom: CustomFiles = { 'custom.css': undefined, 'custom.js': undefined },
  ) {
    this.#extensions = extensions
    this.#custom = custom
  }

  /** Throws a UsageError when the page is not built, or for an extension that cannot be. */
  async start(): Promise<void> {
    const folder = webFolder()
    if (!existsSync(`${folder}index.html`))
      throw new UsageError('webmail: the page is not built; run npm run build:web')
    for (const name of await readdir(folder)) {
      const type = TYPES.get(name.slice(name.lastIndexOf('.') + 1))
      if (type === undefined) continue
      const bytes = await readFile(`${folder}${name}`)
      const modified = (await stat(`${folder}${name}`)).mtime
      if (name === 'index.html') this.#page = { html: bytes.toString(), modified }
      else this.#files.set(name, file(bytes, type, modified, FILE_POLICY))
    }
    this.#setPage()
    await this.#readCustom()
    const now = new Date()
    for (const { name, script } of this.#extensions) {
      const path = `ext/${name}.js`
      if (!EXTENSION_NAME.test(name))
        throw new UsageError(
          `webmail: an extension is named ${JSON.stringify(name)}; use lower-case letters, digits and -`,
        )
      if (this.#files.has(path)) throw new UsageError(`webmail: two extensions are named ${name}; rename one`)
      const bytes = Buffer.from(script)
      if (bytes.length > EXTENSION_BYTES)
        throw new UsageError(`webmail: the script of extension ${name} has more than ${EXTENSION_BYTES} bytes`)
      this.#files.set(path, file(bytes, TYPES.get('js') ?? '', now, FILE_POLICY))
    }
  }

  /** Reads what the operator changed. A file that is not there, or is too large, is a UsageError. */
  async #readCustom(): Promise<void> {
    let changed = false
    for (const [name] of TAGS) {
      const path = this.#custom[name]
      if (path === undefined) continue
      const facts = await stat(path).catch(() => undefined)
      if (facts === undefined)
        throw new UsageError(`webmail: there is no file ${path}; make it, or take the option away`)
      if (facts.mtimeMs === this.#loaded.get(name)) continue
      if (facts.size > CUSTOM_BYTES) throw new UsageError(`webmail: ${path} has more than ${CUSTOM_BYTES} bytes`)
      const type = TYPES.get(name.slice(name.lastIndexOf('.') + 1)) ?? ''
      this.#files.set(name, file(await readFile(path), type, facts.mtime, FILE_POLICY))
      this.#loaded.set(name, facts.mtimeMs)
      changed = true
    }
    if (changed) this.#setPage()
  }

  /** The page, with the operator's files in its head. */
  #setPage(): void {
    if (this.#page === undefined) return
    const { html, modified } = this.#page
    const tags = TAGS.filter(([name]) => this.#loaded.has(name)).map(([, tag]) => tag)
    const whole = html.replace('</head>', () => `${tags.join('')}</head>`)
    this.#files.set('', file(Buffer.from(whole), TYPES.get('html') ?? '', modified, pagePolicy(html)))
  }

  /** Whether there is such a file, which is the answer then. */
  async serve(ctx: Context, path: string): Promise<boolean> {
    // What cannot be read any more is served as it was.
    if (path === '' || path.startsWith('custom.')) await this.#readCustom().catch(() => undefined)
    const found = this.#files.get(path)
    if (found === undefined) return false
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      ctx.status = 405
      ctx.set('Allow', 'GET, HEAD')
      return true
    }
    ctx.status = 200
    ctx.set('Content-Security-Policy', found.policy)
    ctx.set('Cache-Control', 'no-cache')
    ctx.set('ETag', found.etag)
    ctx.lastModified = found.modified
    ctx.vary('Accept-Encoding')
    if (ctx.fresh) {
      ctx.status = 304
      return true
    }
    const encoding = encodingOf(ctx)
    ctx.type = found.type
    if (encoding !== 'identity') ctx.set('Content-Encoding', encoding)
    ctx.body = (await found.bytes)[encoding]
    return true
  }
}

function file(bytes: Buffer, type: string, modified: Date, policy: string): File {
  const compressed = compressBest(bytes)
  // Whoever asks for it gets the error.
  compressed.catch(() => undefined)
  const etag = `W/"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`
  return { type, policy, etag, modified, bytes: compressed }
}

/** Exported for tests. */
export function pagePolicy(html: string): string {
  const hashes = (element: string): string =>
    [...html.matchAll(new RegExp(`<${element}(?:\\s[^>]*)?>([\\s\\S]*?)</${element}>`, 'g'))]
      .map(([, code = '']) => ` 'sha256-${createHash('sha256').update(code).digest('base64')}'`)
      .join('')
  return [
    "default-src 'none'",
    `script-src 'self'${hashes('script')}`,
    `style-src 'self'${hashes('style')}`,
    "img-src 'self' data: blob:",
    "media-src 'self' blob:",
    "connect-src 'self'",
    "frame-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "object-src 'none'",
  ].join('; ')
}

/** Beside the compiled code in a package, in dist/web in a clone. */
function webFolder(): string {
  const packaged = new URL('../web/', import.meta.url)
  return fileURLToPath(
    existsSync(new URL('index.html', packaged)) ? packaged : new URL('../../dist/web/', import.meta.url),
  )
}
