// Text of a message as elements: nothing of it is ever read as HTML.
import type { WordCondition } from '@mox/plugin-sdk/search'
import type { JSX } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import type { OpenedMessage } from '../../src/api/model.ts'
import { openCompose } from '../compose/windows.tsx'
import { highlight } from '../search/highlight.ts'
import { Marked } from './marked.tsx'
import { type Block, blocksOf, hiddenHost, type Piece, piecesOf } from './text.ts'

/** Characters that are shown at first, and with each press for more. */
const PORTION = 200_000
/** Lines of a quote from which on it can be hidden, and is hidden where it is the end of a text. */
const HIDABLE = 3
const LONG = 15

export function Texts(props: {
  readonly texts: OpenedMessage['texts']
  readonly terms: readonly WordCondition[]
}): JSX.Element {
  return (
    <>
      {props.texts.map(({ path, text, truncated, alternate }) => (
        <section key={path} class={alternate ? 'message-text alternate' : 'message-text'}>
          <Text text={text} terms={props.terms} />
          {truncated ? (
            <p class="message-note">The end of this long text is left out. Its raw form has it all.</p>
          ) : null}
        </section>
      ))}
    </>
  )
}

function Text({ text, terms }: { readonly text: string; readonly terms: readonly WordCondition[] }): JSX.Element {
  const [shown, setShown] = useState(PORTION)
  const part = text.slice(0, shown)
  const blocks = useMemo(() => blocksOf(part), [part])
  const last = blocks.findLastIndex(b => b.kind === 'quote' || b.text.trim() !== '')
  return (
    <>
      <Blocks blocks={blocks} terms={terms} ending={terms.length === 0 && last > 0 ? last : -1} />
      {text.length > shown ? (
        <button type="button" onClick={() => setShown(shown + PORTION)}>
          Show more ({(text.length - shown).toLocaleString()} characters follow)
        </button>
      ) : null}
    </>
  )
}

/** `ending`: the block that nothing follows, which answers may hide when it is a long quote. */
function Blocks(props: {
  readonly blocks: readonly Block[]
  readonly terms: readonly WordCondition[]
  readonly ending: number
}): JSX.Element {
  const { blocks, terms, ending } = props
  return (
    <>
      {blocks.map((block, i) =>
        block.kind === 'quote' ? (
          <Quote key={i} quote={block} terms={terms} open={i !== ending || block.lines < LONG} />
        ) : (
          <Plain key={i} text={block.text} terms={terms} />
        ),
      )}
    </>
  )
}

function Quote(props: {
  readonly quote: Extract<Block, { kind: 'quote' }>
  readonly terms: readonly WordCondition[]
  readonly open: boolean
}): JSX.Element {
  const { level, lines, blocks } = props.quote
  const [open, setOpen] = useState(props.open)
  const what = `${lines.toLocaleString()} quoted line${lines === 1 ? '' : 's'}`
  return (
    <div class={`quote quote${((level - 1) % 3) + 1}`}>
      {lines < HIDABLE && open ? null : (
        <button
          type="button"
          class={open ? 'quote-toggle' : 'quote-toggle closed'}
          aria-expanded={open}
          title={`${open ? 'Hide' : 'Show'} ${what}`}
          onClick={() => setOpen(!open)}
        >
          {open ? <span class="visually-hidden">Hide {what}</span> : `Show ${what}`}
        </button>
      )}
      {open ? <Blocks blocks={blocks} terms={props.terms} ending={-1} /> : null}
    </div>
  )
}

function Plain({ text, terms }: { readonly text: string; readonly terms: readonly WordCondition[] }): JSX.Element {
  const pieces = useMemo(() => piecesOf(text), [text])
  return (
    <div class="plain">
      {pieces.map((piece, i) =>
        piece.kind === 'text' ? (
          <Highlighted key={i} text={piece.text} terms={terms} />
        ) : (
          <Link key={i} piece={piece} />
        ),
      )}
    </div>
  )
}

export function Highlighted(props: { readonly text: string; readonly terms: readonly WordCondition[] }): JSX.Element {
  const { text, terms } = props
  const pieces = useMemo(() => (terms.length === 0 ? [] : highlight(text, terms)), [text, terms])
  if (terms.length === 0) return <>{text}</>
  return <>{pieces.map(({ text: part, hit }, i) => (hit ? <mark key={i}>{part}</mark> : part))}</>
}

function Link({ piece }: { readonly piece: Exclude<Piece, { kind: 'text' }> }): JSX.Element {
  if (piece.kind === 'address')
    return (
      <a
        href={piece.address}
        onClick={event => {
          event.preventDefault()
          openCompose({ kind: 'new', mailto: piece.address })
        }}
      >
        <Marked text={piece.text} />
      </a>
    )
  const host = hiddenHost(piece.text, piece.href)
  return (
    <a href={piece.href} target="_blank" rel="noopener noreferrer" title={host === '' ? undefined : `Leads to ${host}`}>
      <Marked text={piece.text} />
      {host === '' ? null : <span class="link-host"> [{host}]</span>}
    </a>
  )
}
