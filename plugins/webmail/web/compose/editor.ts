// The rich text editor: an editable element with a toolbar, loaded when it is first needed. What is pasted, and what is opened,
// goes through an allow list of elements and attributes that is applied to parsed, inert nodes.
import { askLine } from '../frame/ask.tsx'
import { BLOCKS, CELLS, textOf } from './html-text.ts'
import './editor.css'

export interface Editor {
  readonly element: HTMLElement
  html(): string
  text(): string
  /** Replaces all of it. */
  set(html: string): void
  /** `behindQuote`: the cursor goes behind the last quote, else to the beginning. */
  focus(behindQuote: boolean): void
  destroy(): void
}

/** Elements that stay, with the attributes that they may have. What is inside of others stays without them. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  ...{
    P: [],
    DIV: [],
    BR: [],
    SPAN: [],
    B: [],
    STRONG: [],
    I: [],
    EM: [],
    U: [],
    S: [],
    STRIKE: [],
    DEL: [],
    CODE: [],
  },
  ...{ PRE: [], BLOCKQUOTE: [], UL: [], OL: [], LI: [], H1: [], H2: [], H3: [], HR: [], SUB: [], SUP: [], A: ['href'] },
}
/** Elements whose text is not meant for readers. */
const DROPPED = new Set(['SCRIPT', 'STYLE', 'TEMPLATE', 'HEAD', 'TITLE', 'NOSCRIPT', 'IFRAME', 'OBJECT', 'SVG', 'MATH'])
const LINK = /^(?:https?:\/\/|mailto:|tel:)/i
/** Elements inside each other; deeper ones are dropped. */
const DEPTH = 60

/** Nodes of an HTML text, without anything that acts. */
export function clean(html: string): DocumentFragment {
  // A document of DOMParser is inert: nothing in it loads or runs.
  const parsed = new DOMParser().parseFromString(html, 'text/html')
  const out = document.createDocumentFragment()
  copy(parsed.body, out, 0)
  return out
}

function copy(from: Node, to: Node, depth: number): void {
  for (const child of from.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) to.appendChild(document.createTextNode(child.textContent ?? ''))
    const name = child.nodeName.toUpperCase()
    if (!(child instanceof Element) || depth > DEPTH || DROPPED.has(name)) continue
    const allowed = ALLOWED[name]
    if (allowed === undefined) {
      if (CELLS.has(name) && child.previousElementSibling !== null) to.appendChild(document.createTextNode(' '))
      const block = BLOCKS.has(name) && name !== 'TABLE' ? document.createElement('DIV') : undefined
      copy(child, block ?? to, depth + 1)
      if (block !== undefined) to.appendChild(block)
      continue
    }
    const element = document.createElement(child.nodeName)
    for (const name of allowed) {
      const value = child.getAttribute(name)
      if (value !== null && LINK.test(value)) element.setAttribute(name, value)
    }
    copy(child, element, depth + 1)
    to.appendChild(element)
  }
}

interface Tool {
  readonly label: string
  /** A letter, or what is drawn on a grid of 20. */
  readonly sign: string
  readonly key?: string
  /** For those that can be on: of document.queryCommandState(). */
  readonly state?: string
  run(): void | Promise<void>
}

// execCommand is old but the only way to edit with the browser's own undo, and all browsers have it.
const exec = (name: string, value?: string): void => void document.execCommand(name, false, value)

function tools(element: HTMLElement): readonly Tool[] {
  const simple = (label: string, sign: string, command: string, key?: string): Tool => ({
    ...{ label, sign, state: command, run: () => exec(command) },
    ...(key === undefined ? {} : { key }),
  })
  return [
    simple('Bold', 'B', 'bold', 'b'),
    simple('Italic', 'I', 'italic', 'i'),
    simple('Underline', 'U', 'underline', 'u'),
    simple('Strike through', 'S', 'strikeThrough'),
    { label: 'Heading', sign: 'H', run: () => exec('formatBlock', inBlock('H2') ? 'div' : 'h2') },
    simple('List', 'M4 5h.01M4 10h.01M4 15h.01M8 5h9M8 10h9M8 15h9', 'insertUnorderedList'),
    simple(
      'Numbered list',
      'M3 3.500l1.500-.8V8M2.800 12h2.400L2.800 16h2.400M8.500 5H17M8.500 10H17M8.500 15H17',
      'insertOrderedList',
    ),
    {
      label: 'Quote',
      sign: 'M4 4v12M8 6h9M8 10h9M8 14h6',
      run: () => exec('formatBlock', inBlock('BLOCKQUOTE') ? 'div' : 'blockquote'),
    },
    {
      label: 'Code',
      sign: 'M7 5L2.500 10 7 15M13 5l4.500 5-4.500 5',
      run: () => exec('formatBlock', inBlock('PRE') ? 'div' : 'pre'),
    },
    {
      label: 'Link',
      sign: 'M8.500 11.500l3-3M7 9l-2.500 2.500a3 3 0 0 0 4 4L11 13M9 7l2.500-2.500a3 3 0 0 1 4 4L13 11',
      key: 'k',
      run: () => link(element),
    },
    {
      label: 'Clear formatting',
      sign: 'M5 4h10M10 4L8 16M13 12l4 4M17 12l-4 4',
      run: () => {
        exec('removeFormat')
        exec('unlink')
        exec('formatBlock', 'div')
      },
    },
  ]
}

function inBlock(name: string): boolean {
  const node = getSelection()?.anchorNode
  const element = node instanceof Element ? node : node?.parentElement
  return element?.closest(name) !== null && element !== undefined
}

function link(element: HTMLElement): void {
  const selection = getSelection()
  const range = selection === null || selection.rangeCount === 0 ? undefined : selection.getRangeAt(0).cloneRange()
  askLine({ title: 'Link', label: 'Address', value: 'https://', verb: 'Set link' }, async typed => {
    const url = LINK.test(typed) ? typed : `https://${typed}`
    if (!URL.canParse(url)) throw new Error('this is no address of a page; write it like https://example.org/')
    // The popup gives the focus back when it closes.
    setTimeout(() => {
      element.focus()
      if (range === undefined) return
      selection?.removeAllRanges()
      selection?.addRange(range)
      if (!range.collapsed) return exec('createLink', url)
      const a = document.createElement('a')
      a.href = url
      a.textContent = url
      exec('insertHTML', a.outerHTML)
    })
  })
}

/** Puts the editor into `place`. `changed` is called with every change. */
export function createEditor(
  place: HTMLElement,
  options: { readonly html: string; readonly label: string; changed(): void; pasted(files: FileList): void },
): Editor {
  const element = document.createElement('div')
  element.className = 'rich scroll'
  element.contentEditable = 'true'
  element.setAttribute('role', 'textbox')
  element.setAttribute('aria-multiline', 'true')
  element.setAttribute('aria-label', options.label)
  element.spellcheck = true
  element.append(clean(options.html))
  const all = tools(element)
  const bar = toolbar(all, element, options.changed)
  exec('defaultParagraphSeparator', 'div')
  exec('styleWithCSS', 'false')

  element.addEventListener('input', () => options.changed())
  element.addEventListener('paste', event => {
    const data = event.clipboardData
    if (data === null) return
    event.preventDefault()
    // Office programs add a picture of the text.
    if (data.files.length > 0 && data.getData('text/plain') === '') {
      options.pasted(data.files)
      return
    }
    const html = data.getData('text/html')
    const holder = document.createElement('div')
    // Spaces in a row would become one.
    if (html === '') exec('insertText', data.getData('text/plain').replace(/^ | (?= )/gm, '\u00a0'))
    else {
      holder.append(clean(html))
      exec('insertHTML', holder.innerHTML)
    }
  })
  element.addEventListener('keydown', event => {
    const tool = event.ctrlKey || event.metaKey ? all.find(t => t.key === event.key) : undefined
    if (tool === undefined) return
    event.preventDefault()
    event.stopPropagation()
    Promise.resolve(tool.run()).then(options.changed, () => undefined)
  })
  // Where the cursor was, for when the focus comes back: the browser would put it at the beginning.
  let last: Range | undefined
  const remember = (): void => {
    // While something else has the focus, what is changed here would seem to move it.
    if (document.activeElement !== element) return
    const selection = getSelection()
    if (selection !== null && selection.rangeCount > 0 && element.contains(selection.anchorNode))
      last = selection.getRangeAt(0).cloneRange()
  }
  document.addEventListener('selectionchange', remember)
  const restore = (): void => {
    if (last === undefined || !element.contains(last.commonAncestorContainer)) return
    const selection = getSelection()
    selection?.removeAllRanges()
    selection?.addRange(last)
  }
  element.addEventListener('focus', restore)
  place.replaceChildren(bar, element)
  return {
    element,
    html: () => {
      const holder = document.createElement('div')
      holder.append(clean(element.innerHTML))
      return holder.innerHTML
    },
    text: () => textOf(element),
    set: html => {
      const before = element.textContent ?? ''
      const at = last === undefined ? undefined : offsetIn(element, last)
      element.replaceChildren(clean(html))
      const now = element.textContent ?? ''
      // What is new stands behind the cursor, as a signature does, or before it, as a template.
      if (at !== undefined)
        last = cursorAt(element, now.startsWith(before.slice(0, at)) ? at : now.length - (before.length - at))
      if (document.activeElement === element) restore()
    },
    focus: behindQuote => {
      element.focus()
      const quote = behindQuote ? element.querySelector(':scope > blockquote:last-of-type') : null
      const behind = quote?.nextElementSibling ?? null
      // An empty line after it is where one goes on.
      if (behind !== null) getSelection()?.collapse(behind.nextElementSibling ?? behind, 0)
    },
    destroy: () => {
      document.removeEventListener('selectionchange', remember)
      place.replaceChildren()
    },
  }
}

/** Characters of text before a place. */
function offsetIn(element: HTMLElement, place: Range): number {
  const before = document.createRange()
  before.setStart(element, 0)
  before.setEnd(place.startContainer, place.startOffset)
  return before.toString().length
}

function cursorAt(element: HTMLElement, offset: number): Range {
  const range = document.createRange()
  range.selectNodeContents(element)
  range.collapse(true)
  const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
  for (let left = Math.max(0, offset), node = texts.nextNode(); node !== null; node = texts.nextNode()) {
    const length = node.textContent?.length ?? 0
    range.setStart(node, Math.min(left, length))
    range.collapse(true)
    if (left <= length) break
    left -= length
  }
  return range
}

function drawing(path: string): SVGElement {
  const of = (name: string, attributes: Readonly<Record<string, string>>): SVGElement => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', name)
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
    return element
  }
  const svg = of('svg', {
    ...{ width: '17', height: '17', viewBox: '0 0 20 20', fill: 'none', stroke: 'currentColor', 'aria-hidden': 'true' },
    ...{ 'stroke-width': '1.6', 'stroke-linecap': 'round', 'stroke-linejoin': 'round' },
  })
  svg.append(of('path', { d: path }))
  return svg
}

/** One stop for the Tab key; arrows move within it. */
function toolbar(all: readonly Tool[], element: HTMLElement, changed: () => void): HTMLElement {
  const bar = document.createElement('div')
  bar.className = 'rich-tools'
  bar.setAttribute('role', 'toolbar')
  bar.setAttribute('aria-label', 'Formatting')
  const buttons = all.map((tool, n) => {
    const button = document.createElement('button')
    button.type = 'button'
    button.className = 'icon'
    button.append(tool.sign.length === 1 ? tool.sign : drawing(tool.sign))
    button.title = tool.key === undefined ? tool.label : `${tool.label} (Ctrl ${tool.key.toUpperCase()})`
    button.setAttribute('aria-label', tool.label)
    button.tabIndex = n === 0 ? 0 : -1
    // The selection stays in the text.
    button.addEventListener('mousedown', event => event.preventDefault())
    button.addEventListener('click', () => {
      element.focus()
      Promise.resolve(tool.run()).then(
        () => {
          changed()
          show()
        },
        () => undefined,
      )
    })
    bar.append(button)
    return button
  })
  const show = (): void => {
    for (const [n, { state }] of all.entries())
      if (state !== undefined) buttons[n]?.setAttribute('aria-pressed', String(document.queryCommandState(state)))
  }
  bar.addEventListener('keydown', event => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement)
    if (step === 0 || at < 0) return
    event.preventDefault()
    const next = buttons[(at + step + buttons.length) % buttons.length]
    for (const button of buttons) button.tabIndex = button === next ? 0 : -1
    next?.focus()
  })
  element.addEventListener('keyup', show)
  element.addEventListener('mouseup', show)
  return bar
}
