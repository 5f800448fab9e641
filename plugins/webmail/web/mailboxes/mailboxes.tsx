// The left column: mailboxes, saved searches, what is on its way out.
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Icon, type IconName } from '../frame/icons.tsx'
import { openPopover } from '../frame/overlay.ts'
import { call } from '../lib/api.ts'
import { DRAGGED, draggedIds } from '../lib/dragged.ts'
import { move } from '../state/actions.ts'
import { openMailbox, openOutgoing, openSearch, target } from '../state/navigate.ts'
import { change } from '../state/preferences.ts'
import { hello, mailboxes, openMailbox as openNow, settings } from '../state/store.ts'
import { createMailbox } from './changes.ts'
import { RowMenu } from './menu.tsx'
import { SearchMenu } from './searches.tsx'
import { isInbox, type Row, treeKey, treeRows } from './tree.ts'
import './mailboxes.css'

/** Milliseconds that a drag rests on a collapsed mailbox before it opens. */
const OPENS_AFTER = 700

/** `children`: what is at its edge. */
export function Mailboxes({ children }: { readonly children?: ComponentChildren }): JSX.Element {
  return (
    <nav class="mailboxes" aria-label="Mailboxes">
      <div class="mailboxes-box scroll">
        <Everything />
      </div>
      {children}
    </nav>
  )
}

function Everything(): JSX.Element {
  return (
    <>
      <div class="mailboxes-head">
        <h2>Mailboxes</h2>
        <button
          type="button"
          class="icon"
          aria-label="Actions for all mailboxes"
          aria-haspopup="dialog"
          onClick={event =>
            openPopover({
              anchor: event.currentTarget,
              label: 'Actions for all mailboxes',
              render: close => <AllMenu close={close} />,
            })
          }
        >
          <Icon name="more" />
        </button>
      </div>
      <Tree />
      <Searches />
      <ul class="others">
        <li>
          <button
            type="button"
            class="place"
            aria-current={target.value.kind === 'outgoing' ? 'page' : undefined}
            onClick={openOutgoing}
          >
            <Icon name="outgoing" size={17} />
            <span class="name">Outgoing</span>
          </button>
        </li>
      </ul>
      <Usage />
    </>
  )
}

function AllMenu({ close }: { close(): void }): JSX.Element {
  return (
    <div class="menu">
      <button
        type="button"
        onClick={() => {
          close()
          createMailbox('')
        }}
      >
        Create mailbox…
      </button>
      <button
        type="button"
        onClick={() => {
          close()
          void import('./export.tsx').then(m => m.openExport('all'))
        }}
      >
        Export all as…
      </button>
    </div>
  )
}

function collapseMailbox(id: number, on: boolean): void {
  const others = (settings.value?.collapsed ?? []).filter(c => c !== id && mailboxes.value.has(c))
  change({ collapsed: on ? [...others, id] : others })
}

function Tree(): JSX.Element {
  const rows = treeRows([...mailboxes.value.values()], new Set(settings.value?.collapsed ?? []))
  const open = target.value.kind === 'mailbox' ? openNow.value?.id : undefined
  const [chosen, setChosen] = useState<number | undefined>(undefined)
  const tree = useRef<HTMLDivElement>(null)
  // One row is in the order of tabs: the one that had the focus, else the open one.
  const active = rows.find(r => r.mailbox.id === chosen) ?? rows.find(r => r.mailbox.id === open) ?? rows[0]
  const focusRow = (id: number): void => {
    setChosen(id)
    tree.current?.querySelector<HTMLElement>(`[data-mailbox="${id}"]`)?.focus()
  }
  const keyDown = (event: KeyboardEvent, at: number): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== event.currentTarget) return
    const row = rows[at]!
    const done = treeKey(event.key, rows, at)
    if (done !== undefined && 'focus' in done) focusRow(done.focus)
    else if (done !== undefined) collapseMailbox(done.collapse, done.on)
    else if (event.key === 'Enter' || event.key === ' ') openMailbox(row.mailbox.name)
    else if (event.key === 'b' || event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey))
      openRowMenu(row, event.currentTarget as HTMLElement)
    else if (!event.key.startsWith('Arrow') && event.key !== 'Home' && event.key !== 'End') return
    event.preventDefault()
  }
  return (
    <div class="tree" role="tree" aria-label="Mailboxes" ref={tree}>
      {rows.map((row, at) => (
        <TreeRow
          key={row.mailbox.id}
          row={row}
          open={row.mailbox.id === open}
          inTabs={row === active}
          onFocus={() => setChosen(row.mailbox.id)}
          onKeyDown={event => keyDown(event, at)}
        />
      ))}
    </div>
  )
}

function openRowMenu(row: Row, anchor: HTMLElement): void {
  const label = `Actions for ${row.mailbox.name}`
  openPopover({ anchor, label, render: close => <RowMenu mailbox={row.mailbox} anchor={anchor} close={close} /> })
}

function iconOf({ mailbox }: Row): IconName {
  if (isInbox(mailbox)) return 'inbox'
  return mailbox.specialUse[0] ?? 'folder'
}

function TreeRow(props: {
  readonly row: Row
  readonly open: boolean
  readonly inTabs: boolean
  onFocus(): void
  onKeyDown(event: KeyboardEvent): void
}): JSX.Element {
  const { row, open, inTabs, onFocus, onKeyDown } = props
  const { mailbox, label, level, collapsed, hasChildren, unread, total } = row
  const drop = useDrop(row)
  const classes = ['row', open ? 'open' : '', unread > 0 ? 'unread' : '', drop.over ? 'over' : '']
  return (
    <div
      class={classes.filter(Boolean).join(' ')}
      role="treeitem"
      data-mailbox={mailbox.id}
      tabIndex={inTabs ? 0 : -1}
      aria-level={level}
      aria-posinset={row.position}
      aria-setsize={row.siblings}
      aria-selected={open}
      aria-expanded={hasChildren ? !collapsed : undefined}
      aria-labelledby={`mailbox-${mailbox.id}`}
      title={`${mailbox.name}\n${total.toLocaleString()} messages, ${unread.toLocaleString()} unread`}
      style={{ '--level': level - 1 }}
      onClick={() => openMailbox(mailbox.name)}
      onDblClick={() => {
        if (hasChildren) collapseMailbox(mailbox.id, !collapsed)
      }}
      onContextMenu={event => {
        event.preventDefault()
        openRowMenu(row, event.currentTarget)
      }}
      onFocus={onFocus}
      onKeyDown={onKeyDown}
      {...drop.handlers}
    >
      <button
        type="button"
        class={collapsed ? 'twist closed' : 'twist'}
        tabIndex={-1}
        aria-hidden="true"
        hidden={!hasChildren}
        onClick={event => {
          event.stopPropagation()
          collapseMailbox(mailbox.id, !collapsed)
        }}
        onDblClick={event => event.stopPropagation()}
      >
        <Icon name={collapsed ? 'right' : 'down'} size={14} />
      </button>
      <Icon name={iconOf(row)} size={17} />
      <span class="label" id={`mailbox-${mailbox.id}`}>
        <span class="name">{label}</span>{' '}
        {unread > 0 ? (
          <span class="count">
            {unread.toLocaleString()}
            <span class="visually-hidden"> unread</span>
          </span>
        ) : null}
      </span>
      <button
        type="button"
        class="icon row-menu"
        tabIndex={-1}
        aria-label={`Actions for ${mailbox.name}`}
        aria-haspopup="dialog"
        onClick={event => {
          event.stopPropagation()
          openRowMenu(row, event.currentTarget)
        }}
      >
        <Icon name="more" size={16} />
      </button>
    </div>
  )
}

/** Messages dropped here are moved here. */
function useDrop({ mailbox, collapsed }: Row): {
  readonly over: boolean
  readonly handlers: Readonly<
    Record<'onDragEnter' | 'onDragOver' | 'onDragLeave' | 'onDrop', (event: DragEvent) => void>
  >
} {
  const [depth, setDepth] = useState(0)
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const ours = (event: DragEvent): boolean => event.dataTransfer?.types.includes(DRAGGED) ?? false
  return {
    over: depth > 0,
    handlers: {
      // Elements within the row are entered and left as well: it is over when as many were entered as left.
      onDragEnter: event => {
        if (!ours(event)) return
        event.preventDefault()
        if (collapsed && depth === 0) timer.current = setTimeout(() => collapseMailbox(mailbox.id, false), OPENS_AFTER)
        setDepth(n => n + 1)
      },
      onDragOver: event => {
        if (!ours(event)) return
        event.preventDefault()
        if (event.dataTransfer !== null) event.dataTransfer.dropEffect = 'move'
      },
      onDragLeave: event => {
        if (!ours(event)) return
        if (depth === 1) clearTimeout(timer.current)
        setDepth(n => Math.max(0, n - 1))
      },
      onDrop: event => {
        if (!ours(event)) return
        event.preventDefault()
        clearTimeout(timer.current)
        setDepth(0)
        void move(draggedIds(event.dataTransfer?.getData(DRAGGED) ?? ''), mailbox.id)
      },
    },
  }
}

function Searches(): JSX.Element | null {
  const searches = settings.value?.searches ?? []
  if (searches.length === 0) return null
  const now = target.value
  return (
    <>
      <h2 class="mailboxes-head">Searches</h2>
      <ul class="others">
        {searches.map(({ name, query }, n) => (
          <li key={`${n} ${name}`}>
            <button
              type="button"
              class="place"
              title={query}
              aria-current={now.kind === 'search' && now.query === query ? 'page' : undefined}
              onClick={() => openSearch(query)}
            >
              <Icon name="search" size={17} />
              <span class="name">{name}</span>
            </button>
            <button
              type="button"
              class="icon row-menu"
              aria-label={`Actions for the search ${name}`}
              aria-haspopup="dialog"
              onClick={event =>
                openPopover({
                  anchor: event.currentTarget,
                  label: `Actions for the search ${name}`,
                  render: close => <SearchMenu name={name} close={close} />,
                })
              }
            >
              <Icon name="more" size={16} />
            </button>
          </li>
        ))}
      </ul>
    </>
  )
}

/** How much of the quota is used; nothing where there is none. */
function Usage(): JSX.Element | null {
  const [usage, setUsage] = useState<{ used: number; quota: number } | undefined>(undefined)
  const account = hello.value?.account
  useEffect(() => {
    if (account !== undefined) call('usage', {}).then(setUsage, () => undefined)
  }, [account])
  if (usage === undefined || usage.quota === 0) return null
  const percent = Math.min(100, (usage.used / usage.quota) * 100)
  return (
    <p class="usage">
      <meter min={0} max={100} high={90} value={percent} aria-label="Storage in use">
        {percent.toFixed(0)} %
      </meter>
      <small>
        {bytes(usage.used)} of {bytes(usage.quota)}
      </small>
    </p>
  )
}

function bytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, n)) / 3))
  return `${(n / 1_000 ** step).toFixed(step > 1 ? 1 : 0)} ${units[step]}`
}
