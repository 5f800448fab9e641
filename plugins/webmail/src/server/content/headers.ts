// Response headers of everything that comes from mail: an origin of its own for what is shown, no scripts, nothing loaded but
// what is named. Beside the sanitiser, and enough without it.
import { createHash } from 'node:crypto'
import type { Context } from 'koa'

/** Of a standalone page: prints itself when the address ends in #print. The one script that runs beside mail. */
export const PRINT_SCRIPT = "if(location.hash==='#print')addEventListener('load',()=>print())"
const PRINT_HASH = `'sha256-${createHash('sha256').update(PRINT_SCRIPT).digest('base64')}'`

const SANDBOX = 'sandbox allow-popups allow-popups-to-escape-sandbox'
const NOTHING = "frame-ancestors 'self'; default-src 'none'; base-uri 'none'; form-action 'none'"
const SHOWN = "img-src data:; style-src 'unsafe-inline'"
/** The only thing that "external" adds: images. Styles and fonts of others are not kept by the sanitiser. */
const EXTERNAL = "img-src data: http: https:; style-src 'unsafe-inline'"
/** The same, fetched by us. */
const PROXIED = "img-src data: 'self'; style-src 'unsafe-inline'"
const PRINTS = `${SANDBOX} allow-scripts allow-modals; ${NOTHING}; script-src ${PRINT_HASH}`

/**
 * - `file`: shown or saved as it is. `pdf`: the same without the sandbox, in which browsers do not show PDF; their viewers give
 *   it no access to our pages.
 * - `body`, `bodyExternal`, `bodyProxied`: text or HTML of a message for a frame; the latter two with images from elsewhere.
 *   `page`, `pageExternal`, `pageProxied`: with its header, to print.
 */
export const POLICIES = {
  file: `${SANDBOX}; ${NOTHING}; ${SHOWN}`,
  pdf: `${NOTHING}; ${SHOWN}`,
  body: `${SANDBOX}; ${NOTHING}; ${SHOWN}`,
  bodyExternal: `${SANDBOX}; ${NOTHING}; ${EXTERNAL}`,
  bodyProxied: `${SANDBOX}; ${NOTHING}; ${PROXIED}`,
  page: `${PRINTS}; ${SHOWN}`,
  pageExternal: `${PRINTS}; ${EXTERNAL}`,
  pageProxied: `${PRINTS}; ${PROXIED}`,
} as const

/** Browsers keep nothing, or ask each time whether it is still allowed and the same. */
export type Caching = 'none' | 'revalidated'

export function setHeaders(ctx: Context, policy: keyof typeof POLICIES, caching: Caching = 'none'): void {
  ctx.set('Content-Security-Policy', POLICIES[policy])
  ctx.set('X-Frame-Options', 'sameorigin')
  ctx.set('X-Content-Type-Options', 'nosniff')
  ctx.set('Referrer-Policy', 'no-referrer')
  ctx.set('Cross-Origin-Resource-Policy', 'same-origin')
  // A sandboxed page has no opener policy: browsers refuse to show it with one.
  ctx.remove('Cross-Origin-Opener-Policy')
  ctx.set('Cache-Control', caching === 'none' ? 'no-store, max-age=0' : 'private, no-cache')
}
