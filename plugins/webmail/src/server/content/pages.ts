// Documents that show mail: bodies for frames, and standalone pages with the header. Text is escaped here, HTML comes from the
// sanitiser.

import { LINK, withoutEnd } from '../../api/links.ts'
import type { NameAddress } from '../../api/model.ts'
import { PRINT_SCRIPT } from './headers.ts'
import type { BodyContent, OpenedContent, ShownText } from './read.ts'
import { linkUrl } from './sanitise.ts'

const HTML_STYLE =
  'html{color-scheme:light}body{margin:12px;background:#fff;color:#111;font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}img{max-width:100%}img:not([src]){display:inline-block;min-width:1em;min-height:1em;outline:1px dashed #999}'
const TEXT_STYLE =
  '.text{margin:0;padding:8px 0;white-space:pre-wrap;overflow-wrap:anywhere;font:14px/1.5 ui-monospace,monospace}.text+.text{border-top:1px solid #8888}.alternate{background:#8881}.q1{color:#0a5c99}.q2{color:#7a3d8f}.q0{color:#2b6e2b}.note{font:italic 14px/1.5 system-ui,sans-serif;opacity:.8}.image{max-width:100%;display:block;margin:8px 0}'
const DARK_STYLE =
  'html{color-scheme:light dark}body{margin:12px;font:15px/1.5 system-ui,sans-serif}@media (prefers-color-scheme:dark){body{background:#16181d;color:#e6e6e6}a{color:#8ab8ff}.q1{color:#7ab8ec}.q2{color:#cf9be3}.q0{color:#86c886}}'
const PAGE_STYLE =
  'h1.head{font-size:1.3em;margin:0 0 8px}table.head{border-collapse:collapse;width:100%;border-bottom:2px solid #888;margin-bottom:12px}table.head th{text-align:left;vertical-align:top;padding:1px 12px 1px 0;white-space:nowrap;font-weight:600}table.head td{width:100%;overflow-wrap:anywhere}.mail{contain:layout paint;isolation:isolate;overflow-x:auto}@media print{body{margin:0}.mail{contain:none;overflow:visible}}'

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, c => `&#${c.charCodeAt(0)};`)
}

function documentOf(title: string, style: string, body: string, script = ''): string {
  const run = script === '' ? '' : `<script>${script}</script>`
  return `<!doctype html><html lang="und"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeHtml(title)}</title><style>${style}</style>${run}</head><body>${body}</body></html>`
}

/** For a frame. */
export function bodyDocument(content: BodyContent): string {
  return documentOf('', content.kind === 'html' ? HTML_STYLE : DARK_STYLE + TEXT_STYLE, bodyOf(content))
}

/** For a window of its own, or, without its script, for a frame. */
export function standaloneDocument(opened: OpenedContent, content: BodyContent, script: string = PRINT_SCRIPT): string {
  const style = (content.kind === 'html' ? HTML_STYLE : DARK_STYLE + TEXT_STYLE) + PAGE_STYLE
  const names = opened.attachments.map(({ filename }) => filename || '(unnamed)').join(', ')
  const rows = [
    ['From', people(opened.from)],
    ['Date', opened.date === null ? '' : new Date(opened.date).toUTCString()],
    ['Reply-To', people(opened.replyTo)],
    ['To', people(opened.to)],
    ['Cc', people(opened.cc)],
    ['Bcc', people(opened.bcc)],
    ['Attachments', names],
  ]
    .filter(([, value]) => value !== '')
    .map(([name = '', value = '']) => `<tr><th scope="row">${name}</th><td>${escapeHtml(value)}</td></tr>`)
  const title = escapeHtml(opened.subject || '(no subject)')
  const body = `<main><h1 class="head">${title}</h1><table class="head">${rows.join('')}</table><div class="mail">${bodyOf(content)}</div></main>`
  return documentOf(opened.subject, style, body, script)
}

function people(addresses: readonly NameAddress[]): string {
  return addresses.map(({ name, address }) => (name === '' ? address : `${name} <${address}>`)).join(', ')
}

function bodyOf(content: BodyContent): string {
  if (content.kind === 'none') return '<p class="note">No textual content</p>'
  if (content.kind === 'html')
    return content.notice === '' ? content.html : `${content.html}<p><i>${escapeHtml(content.notice)}</i></p>`
  const images = content.images.map(({ name, url }) => `<img class="image" src="${url}" alt="${escapeHtml(name)}">`)
  return content.texts.map(textHtml).join('') + images.join('')
}

function textHtml({ text, truncated, alternate }: ShownText): string {
  const note = truncated ? '<p class="note">The end of this long text is left out.</p>' : ''
  const lines = text.split('\n').map(lineHtml).join('\n')
  return `<div class="text${alternate ? ' alternate' : ''}">${lines}</div>${note}`
}

/** Quotes have a colour by level. */
function lineHtml(line: string): string {
  const marks = /^(?:> ?)+/.exec(line)?.[0] ?? ''
  const level = marks.split('>').length - 1
  const html = linked(line)
  return level === 0 ? html : `<span class="q${level % 3}">${html}</span>`
}

function linked(text: string): string {
  let html = ''
  let at = 0
  for (const match of text.matchAll(LINK)) {
    const found = withoutEnd(match[0])
    const href = linkUrl(found)
    if (href === undefined) continue
    html += `${escapeHtml(text.slice(at, match.index))}<a href="${escapeHtml(href)}" target="_blank" rel="noopener noreferrer">${escapeHtml(found)}</a>`
    at = match.index + found.length
  }
  return html + escapeHtml(text.slice(at))
}
