// The frame of every page: no script at all, one style that the Content-Security-Policy names by its hash, dark where the
// reader's system is.
import { createHash } from 'node:crypto'

const STYLE = `:root{color-scheme:light dark;--fg:#1d2733;--dim:#5b6877;--bg:#f6f8fa;--card:#fff;--line:#dfe5ec;--accent:#0b63ce;--on:#fff}
@media (prefers-color-scheme:dark){:root{--fg:#e4e9f0;--dim:#9aa7b6;--bg:#12171e;--card:#1a212b;--line:#2d3744;--accent:#6cb2ff;--on:#0d1520}}
*{box-sizing:border-box}
body{margin:0;font:16px/1.55 system-ui,sans-serif;color:var(--fg);background:var(--bg)}
main{max-width:52rem;margin:0 auto;padding:2rem 1rem 4rem}
h1{font-size:1.6rem;margin:.2rem 0 .6rem;overflow-wrap:anywhere}
h2{font-size:1.05rem;margin:2rem 0 .5rem}
a{color:var(--accent)}
p{margin:.5rem 0}
.dim{color:var(--dim)}
ul.list{list-style:none;margin:1rem 0;padding:0;background:var(--card);border:1px solid var(--line);border-radius:10px}
ul.list li{padding:.7rem 1rem;border-top:1px solid var(--line)}
ul.list li:first-child{border-top:0}
ul.list a{font-weight:600;text-decoration:none}
pre,textarea{width:100%;font:14px/1.5 ui-monospace,monospace;background:var(--card);color:var(--fg);border:1px solid var(--line);border-radius:10px;padding:.9rem 1rem;margin:0}
pre{overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere}
label{display:block;margin:.8rem 0 .3rem}
input[type=file]{display:block;margin-top:.3rem;max-width:100%}
button{font:inherit;font-weight:600;margin-top:1rem;padding:.55rem 1.3rem;border:0;border-radius:8px;background:var(--accent);color:var(--on);cursor:pointer}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
`

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

export const PAGE_POLICY: string = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`

/** `body` is HTML, `title` is text. */
export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, c => `&#${c.charCodeAt(0)};`)
}
