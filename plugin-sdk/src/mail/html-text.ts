// The text of an HTML body, for previews and for search: tags, comments, scripts and styles go, character references are
// read, blocks end lines. Never for showing HTML. One pass whatever the input; nothing throws.

/** Elements whose content nobody reads. */
const HIDDEN = new Set(['script', 'style', 'head', 'title', 'template', 'noscript', 'svg', 'math'])
/** Elements that stand on lines of their own. */
const BLOCKS = new Set(
  'address article aside blockquote body br center dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr html li main nav ol option p pre section table tbody td tfoot th thead tr ul'.split(
    ' ',
  ),
)
const NAMED: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', copy: '©', reg: '®', trade: '™', euro: '€' },
    ...{ pound: '£', yen: '¥', cent: '¢', sect: '§', deg: '°', middot: '·', bull: '•', hellip: '…', ndash: '–' },
    ...{ mdash: '—', lsquo: '‘', rsquo: '’', sbquo: '‚', ldquo: '“', rdquo: '”', bdquo: '„', laquo: '«', raquo: '»' },
    ...{ auml: 'ä', ouml: 'ö', uuml: 'ü', Auml: 'Ä', Ouml: 'Ö', Uuml: 'Ü', szlig: 'ß', aacute: 'á', eacute: 'é' },
    ...{ iacute: 'í', oacute: 'ó', uacute: 'ú', agrave: 'à', egrave: 'è', ograve: 'ò', acirc: 'â', ecirc: 'ê' },
    ...{ icirc: 'î', ocirc: 'ô', ucirc: 'û', ntilde: 'ñ', ccedil: 'ç', oslash: 'ø', aring: 'å', aelig: 'æ' },
    ...{ Eacute: 'É', Agrave: 'À', Ccedil: 'Ç', Oslash: 'Ø', Aring: 'Å', times: '×', shy: '', zwnj: '', zwj: '' },
  }),
)
const TAG_NAME = /[a-z][a-z0-9:-]{0,30}/iy

/** Text with "\n" after blocks; white space inside of lines is as it was. */
export function htmlText(html: string): string {
  const out: string[] = []
  /** Hidden elements that have no end tag from here on: not looked for again. */
  const endless = new Set<string>()
  for (let at = 0; at < html.length; ) {
    const open = html.indexOf('<', at)
    out.push(references(html.slice(at, open < 0 ? html.length : open)))
    if (open < 0) break
    if (html.startsWith('<!--', open)) at = after(html, '-->', open + 4)
    else if (/[/!?a-z]/i.test(html[open + 1] ?? '')) {
      at = endOfTag(html, open)
      const closing = html[open + 1] === '/'
      TAG_NAME.lastIndex = open + (closing ? 2 : 1)
      const name = TAG_NAME.exec(html)?.[0].toLowerCase() ?? ''
      if (BLOCKS.has(name)) out.push('\n')
      else if (!closing && HIDDEN.has(name)) at = endOfHidden(html, name, at, endless)
    } else {
      out.push('<')
      at = open + 1
    }
  }
  return out.join('')
}

/** The index after `mark`, or the end. */
function after(html: string, mark: string, from: number): number {
  const found = html.indexOf(mark, from)
  return found < 0 ? html.length : found + mark.length
}

/** After the ">" of a tag; one inside of quotes does not count, unless the quotes are never closed. */
function endOfTag(html: string, open: number): number {
  let quote = ''
  let first = -1
  for (let at = open + 1; at < html.length && at < open + TAG_LENGTH; at++) {
    const c = html[at] ?? ''
    if (c === '>' && first < 0) first = at + 1
    if (quote !== '') quote = c === quote ? '' : quote
    else if (c === '>') return at + 1
    else if ((c === '"' || c === "'") && html[at - 1] === '=') quote = c
  }
  return first < 0 ? after(html, '>', open + 1) : first
}

/** Characters of a tag in which quotes are looked at. */
const TAG_LENGTH = 2_000

/** After the end tag of a hidden element; one without an end tag hides nothing, but for scripts and styles. */
function endOfHidden(html: string, name: string, from: number, endless: Set<string>): number {
  if (endless.has(name)) return from
  const end = new RegExp(`</${name}\\b`, 'gi')
  end.lastIndex = from
  const found = end.exec(html)
  if (found !== null) return after(html, '>', found.index)
  endless.add(name)
  return name === 'script' || name === 'style' ? html.length : from
}

function references(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#([0-9]{1,7})|([a-z][a-z0-9]{1,8}));?/gi, (whole, hex, decimal, name) => {
    if (name !== undefined) return NAMED.get(name) ?? whole
    const code = hex === undefined ? Number.parseInt(decimal, 10) : Number.parseInt(hex, 16)
    return code > 0x1f && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : ' '
  })
}
