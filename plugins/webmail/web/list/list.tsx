// The list of messages. Only rows that can be seen, and a few around them, are in the document; a row's place follows from its
// number, so that a hundred thousand scroll like ten.
import { effect, type Signal, signal, useSignalEffect } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { loadMore } from '../lib/stream.ts'
import { local } from '../state/local.ts'
import { hello, narrow, view } from '../state/store.ts'
import { Columns } from './columns.tsx'
import { registerListCommands, setCollapsed } from './commands.ts'
import { startDrag } from './drag.ts'
import { age, rowTime } from './format.ts'
import { Header } from './header.tsx'
import { TickedBar } from './multi.tsx'
import { pageRows, startOpening } from './open.ts'
import { ListRow } from './row.tsx'
import { Rows } from './rows.ts'
import { startRuleSuggestions } from './rule.ts'
import { type Held, onClick } from './selection.ts'
import { fitting, followRows, rows, selection, setSelection, tick, ticked } from './state.ts'
import { listenToTouch } from './touch.ts'
import { drawn, pageSize, reveal, wantsMore } from './window.ts'
import './list.css'

/** Pixels of a row on one line, and on two. */
const ROW = 30
const TWO_LINES = 60
/** Pixels of width below which rows have two lines. */
const NARROW = 520
/** Rows drawn grey while more are loaded. */
const SKELETONS = 6

/** Everything of the list that is to happen once, before navigation starts. */
export function startList(): void {
  startOpening()
  followRows()
  followClock()
  startRuleSuggestions()
  registerListCommands()
}

const scrolled: Signal<number> = signal(0)
const size: Signal<{ readonly width: number; readonly height: number }> = signal({ width: 800, height: 600 })
/** How far the server's clock is ahead of this machine's: ages are by the clock that gave the messages their times. */
let ahead = 0
const time = (): number => Date.now() + ahead
/** The time that ages are counted to. */
const now: Signal<number> = signal(time())

function followClock(): void {
  effect(() => {
    if (hello.value === undefined) return
    ahead = hello.value.now - Date.now()
    now.value = time()
  })
}

const isTwoLines = (): boolean => narrow.value || size.value.width < NARROW
const rowHeight = (): number => (isTwoLines() ? TWO_LINES : ROW)

export function List(): JSX.Element {
  const { listFlagsWidth, listAgeWidth, listFromPct } = local.value
  const style = { '--flags': `${listFlagsWidth}px`, '--age': `${listAgeWidth}px`, '--from': `${listFromPct}` }
  return (
    <div class={`list ${isTwoLines() ? 'two-lines' : 'one-line'}`} style={style}>
      <Header />
      <div class="list-body">
        <Scroller />
        {isTwoLines() ? null : <Columns width={size.value.width} />}
      </div>
      <TickedBar />
    </div>
  )
}

function Scroller(): JSX.Element {
  const scroller = useRef<HTMLDivElement>(null)
  const current = view.value
  const all = rows.value
  const height = rowHeight()
  useMeasure(scroller)
  useAnchor(scroller, all, height, current?.id)
  useReveal(scroller, all, height)
  // By itself, as scrolling draws no more of this part anew.
  useSignalEffect(() => {
    const now = view.value
    if (now === undefined || now.loading || now.next === null || now.error !== '') return
    if (wantsMore(scrolled.value, size.value.height, rowHeight(), rows.value.length)) loadMore(pageRows.value)
  })
  return (
    <div
      class="scroller"
      ref={scroller}
      onScroll={event => {
        scrolled.value = event.currentTarget.scrollTop
      }}
    >
      <Grid all={all} height={height} />
      <Footer empty={all.length === 0} />
    </div>
  )
}

function Grid({ all, height }: { all: Rows; height: number }): JSX.Element | null {
  const grid = useRef<HTMLDivElement>(null)
  const { first, end } = drawn(scrolled.value, size.value.height, height, all.length)
  const { focus, selected } = selection.value
  const chosen = new Set(selected)
  const tickedRows = ticked.value
  const order = view.value?.query.order ?? 'newest'
  const shown = all.list.slice(first, end)
  const ages = shown.map(row => age(rowTime(row, order), now.value))
  useTick(ages.map(a => a.next))
  useEffect(() => (grid.current === null ? undefined : listenToTouch(grid.current)), [all.length === 0])
  if (all.length === 0) return null
  const focusIndex = all.indexOf(focus)
  return (
    // biome-ignore lint/a11y/useSemanticElements: a table cannot be drawn in part
    // biome-ignore lint/a11y/useKeyWithClickEvents: keys are commands
    <div
      role="grid"
      id="message-list"
      class="rows"
      ref={grid}
      tabIndex={0}
      aria-label="Messages"
      aria-multiselectable="true"
      aria-rowcount={view.value?.next === null ? all.length : -1}
      {...(focusIndex >= first && focusIndex < end ? { 'aria-activedescendant': `row-${focus}` } : {})}
      style={{ height: `${all.length * height}px` }}
      onMouseDown={onMouseDown}
      onClick={onRowClick}
      onDblClick={onRowDoubleClick}
      onDragStart={onRowDragStart}
    >
      {shown.map((row, i) => (
        <ListRow
          key={row.id}
          row={row}
          index={first + i}
          top={(first + i) * height}
          selected={chosen.has(row.id)}
          focused={row.id === focus}
          ticked={tickedRows?.includes(row.id)}
          age={ages[i]!.text}
          order={order}
        />
      ))}
    </div>
  )
}

function Footer({ empty }: { empty: boolean }): JSX.Element | null {
  const current = view.value
  if (current === undefined || (current.error === '' && (current.loading || current.next !== null)))
    return (
      <div class="skeletons" aria-hidden="true">
        {Array.from({ length: empty ? 2 * SKELETONS : SKELETONS }, (_, i) => (
          <div key={i} class="skeleton" />
        ))}
      </div>
    )
  if (current.error !== '')
    return (
      <div class="list-end" role="alert">
        <p>{current.error}</p>
        <button type="button" onClick={() => loadMore(pageRows.value)}>
          Try again
        </button>
      </div>
    )
  if (!empty) return <p class="list-end">End of messages</p>
  return <p class="list-end">{current.query.filter === undefined ? 'No messages' : 'No messages that match'}</p>
}

function rowAt(event: Event): number | undefined {
  const row = (event.target as Element).closest<HTMLElement>('[data-id]')
  return row === null ? undefined : Number(row.dataset['id'])
}

/** Controls of a row leave the focus with the list, and a range is no selection of text. */
function onMouseDown(event: MouseEvent & { currentTarget: HTMLElement }): void {
  const control = (event.target as Element).closest('button, input') !== null
  if (control || event.shiftKey) {
    event.preventDefault()
    event.currentTarget.focus({ preventScroll: true })
  }
}

function onRowClick(event: MouseEvent): void {
  const id = rowAt(event)
  if (id === undefined) return
  const target = event.target as Element
  const row = rows.value.get(id)
  if (target.closest('button.thread') !== null) {
    if (row !== undefined) setCollapsed([row])
    return
  }
  const box = target.closest<HTMLInputElement>('input')
  // The box shows what is selected, whatever the browser does to it by itself.
  if (box !== null) event.preventDefault()
  if (narrow.value && (ticked.value !== undefined || box !== null)) {
    tick(id)
    return
  }
  const held: Held = { toggle: event.ctrlKey || event.metaKey || box !== null, shift: event.shiftKey }
  setSelection(onClick(selection.value, rows.value, id, held))
}

function onRowDoubleClick(event: MouseEvent): void {
  const row = rows.value.get(rowAt(event))
  if (row !== undefined && (event.target as Element).closest('button, input') === null) setCollapsed([row])
}

function onRowDragStart(event: DragEvent): void {
  const id = rowAt(event)
  if (id !== undefined) startDrag(event, id)
}

/** Draws the rows there at once, not only when the browser tells that it has scrolled. */
function scrollTo(element: HTMLElement, top: number): void {
  element.scrollTop = top
  scrolled.value = element.scrollTop
}

type Scrolling = { readonly current: HTMLDivElement | null }

function useMeasure(scroller: Scrolling): void {
  useLayoutEffect(() => {
    const element = scroller.current
    if (element === null) return undefined
    const measure = (): void => {
      const { clientWidth: width, clientHeight: height } = element
      if (width === 0 || height === 0) return
      if (width !== size.value.width || height !== size.value.height) size.value = { width, height }
      fitting.value = Math.max(1, Math.floor(height / rowHeight()))
      pageRows.value = pageSize(height, rowHeight())
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
}

/** Keeps what is seen where it is when rows come or go above it. At the very top new rows are seen instead. */
function useAnchor(scroller: Scrolling, all: Rows, height: number, viewId: number | undefined): void {
  const before = useRef({ all: new Rows([]), height, viewId })
  useLayoutEffect(() => {
    const element = scroller.current
    const last = before.current
    before.current = { all, height, viewId }
    if (element === null || (last.all === all && last.height === height)) return
    if (last.viewId !== viewId) {
      scrollTo(element, 0)
      return
    }
    const top = element.scrollTop
    if (top === 0) return
    const at = Math.floor(top / last.height)
    const into = (top - at * last.height) / last.height
    for (const row of last.all.list.slice(at, at + 1_000)) {
      const index = all.indexOf(row.id)
      if (index < 0) continue
      const wanted = Math.round((index + into) * height)
      if (wanted !== top) scrollTo(element, wanted)
      return
    }
  }, [all, height, viewId])
}

/** Scrolls to the row with the focus when the focus moves, or when its row arrives. */
function useReveal(scroller: Scrolling, all: Rows, height: number): void {
  const shown = useRef<number | undefined>(undefined)
  const { focus } = selection.value
  useLayoutEffect(() => {
    if (focus === shown.current) return
    const index = all.indexOf(focus)
    const element = scroller.current
    if (focus !== undefined && (index < 0 || element === null)) return
    shown.current = focus
    if (element === null || index < 0) return
    const to = reveal(index, element.scrollTop, element.clientHeight, height)
    if (to !== element.scrollTop) scrollTo(element, to)
  }, [focus, all, height])
}

/** Counts ages anew when the first of them changes. */
function useTick(next: readonly (number | undefined)[]): void {
  const soonest = Math.min(...next.filter(n => n !== undefined))
  const due = Number.isFinite(soonest) ? now.value + soonest : undefined
  useEffect(() => {
    if (due === undefined) return undefined
    const timer = setTimeout(
      () => {
        now.value = time()
      },
      Math.max(1_000, due - time()),
    )
    return () => clearTimeout(timer)
  }, [due])
}
