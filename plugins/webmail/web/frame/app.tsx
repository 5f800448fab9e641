// The page: bar, mailboxes, list, message, and what stands above them.
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { ComposeWindows } from '../compose/windows.tsx'
import { List } from '../list/list.tsx'
import { Mailboxes } from '../mailboxes/mailboxes.tsx'
import { MessagePane } from '../message/pane.tsx'
import { local, setLocal } from '../state/local.ts'
import { drawer, pane, target } from '../state/navigate.ts'
import { hello, narrow } from '../state/store.ts'
import { ErrorBox } from './errors.tsx'
import { hint } from './hint.ts'
import { Icon } from './icons.tsx'
import { press } from './keyboard.ts'
import { layout } from './layout.ts'
import { lazy } from './lazy.tsx'
import { Overlays } from './overlays.tsx'
import { Splitter } from './splitter.tsx'
import { TopBar } from './top-bar.tsx'
import './frame.css'

const Outgoing = lazy(async () => (await import('../outgoing/outgoing.tsx')).Outgoing, 'Loading…')

export function App(): JSX.Element {
  return (
    <>
      <div class="app">
        <TopBar />
        {hello.value === undefined ? <Waiting /> : narrow.value ? <PhonePanes /> : <Panes />}
        <ComposeWindows />
      </div>
      <Hint />
      <ErrorBox />
      <Overlays />
    </>
  )
}

function Waiting(): JSX.Element {
  return (
    <main class="waiting" aria-busy="true">
      <h1 class="visually-hidden">Mail</h1>
      <p>Loading…</p>
    </main>
  )
}

function Panes(): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  return (
    <div class="panes" ref={box} style={{ '--mailboxes-width': `${local.value.mailboxesWidth}px` }}>
      <Mailboxes>
        <Splitter
          label="Width of the mailboxes"
          orientation="vertical"
          value={local.value.mailboxesWidth}
          min={140}
          max={600}
          step={10}
          at={x => Math.round(x - (box.current?.getBoundingClientRect().left ?? 0))}
          change={mailboxesWidth => setLocal({ mailboxesWidth })}
        />
      </Mailboxes>
      {target.value.kind === 'outgoing' ? <OutgoingPane /> : <Reading />}
    </div>
  )
}

function OutgoingPane(): JSX.Element {
  return (
    <main class="outgoing-pane scroll">
      <h1 class="visually-hidden">Outgoing messages</h1>
      <Outgoing />
    </main>
  )
}

/** The list and the message. */
function Reading(): JSX.Element {
  const box = useRef<HTMLElement>(null)
  const beside = layout.value === 'leftright'
  const share = beside ? local.value.leftWidthPct : local.value.topHeightPct
  return (
    <main class={`reading ${layout.value}`} ref={box} style={{ '--list-share': `${share}%` }}>
      <h1 class="visually-hidden">Messages</h1>
      <section class="list-pane" aria-label="List of messages">
        <List />
      </section>
      <Splitter
        label="Share of the list"
        orientation={beside ? 'vertical' : 'horizontal'}
        value={share}
        min={15}
        max={85}
        step={2}
        at={(x, y) => {
          const { left, top, width, height } = box.current?.getBoundingClientRect() ?? new DOMRect()
          return beside ? ((x - left) / width) * 100 : ((y - top) / height) * 100
        }}
        change={value => setLocal(beside ? { leftWidthPct: value } : { topHeightPct: value })}
      />
      <section class="message-pane" aria-label="Message">
        <MessagePane />
      </section>
    </main>
  )
}

function PhonePanes(): JSX.Element {
  const shown = pane.value
  const open = drawer.value
  useEffect(() => {
    if (open) document.querySelector<HTMLElement>('.mailboxes [role=treeitem][tabindex="0"]')?.focus()
  }, [open])
  return (
    <div class={`phone ${shown}`}>
      {open ? (
        <>
          <Mailboxes />
          <button
            type="button"
            class="drawer-shade"
            tabIndex={-1}
            aria-label="Close the mailboxes"
            onClick={closeDrawer}
          />
        </>
      ) : null}
      {shown === 'list' ? (
        <button type="button" class="primary fab" aria-label="Compose" onClick={() => press('global.compose')}>
          <Icon name="write" size={24} />
        </button>
      ) : null}
      {target.value.kind === 'outgoing' ? (
        <OutgoingPane />
      ) : (
        <main>
          <h1 class="visually-hidden">Messages</h1>
          {/* Both stay mounted: going back finds the list where it was. */}
          <section class="list-pane" aria-label="List of messages" hidden={shown === 'message'}>
            <List />
          </section>
          <section class="message-pane" aria-label="Message" hidden={shown !== 'message'}>
            <MessagePane />
          </section>
        </main>
      )}
    </div>
  )
}

function closeDrawer(): void {
  drawer.value = false
}

function Hint(): JSX.Element | null {
  if (hint.value === '') return null
  return (
    <p class="hint" aria-hidden="true">
      <kbd>{hint.value}</kbd>
    </p>
  )
}
