// The command palette: everything that can be done, and every mailbox, by name.
import type { Command } from '@mox/plugin-sdk/webmail'
import type { JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { commands } from '../extend/registry.ts'
import { keysOf } from '../lib/dispatch.ts'
import { keyText } from '../lib/keys.ts'
import { matching } from '../lib/match.ts'
import { openMailbox } from '../state/navigate.ts'
import { mailboxes, opened, selected, settings } from '../state/store.ts'
import { isReading, runCommand } from './keyboard.ts'
import { openPopup } from './overlay.ts'

/** Shown at the same time. */
const SHOWN = 60

interface Entry {
  readonly id: string
  readonly title: string
  readonly key: string
  run(): void
}

export function openPalette(): void {
  const entries = entriesNow()
  openPopup({ title: 'Commands', closable: true, render: close => <Palette entries={entries} close={close} /> })
}

function entriesNow(): readonly Entry[] {
  const chosen = settings.value?.keys ?? {}
  const fromCommands = commands.value.filter(isPossible).map(command => {
    const [key] = keysOf(command, chosen)
    const run = (): void => void runCommand(command)
    return { id: command.id, title: command.title, key: key === undefined ? '' : keyText(key), run }
  })
  const goTo = [...mailboxes.value.values()].map(({ id, name }) => ({
    id: `mailbox ${id}`,
    title: `Go to ${name}`,
    key: '',
    run: () => openMailbox(name),
  }))
  return [...fromCommands, ...goTo]
}

function isPossible({ context }: Command): boolean {
  if (context !== 'global' && !isReading()) return false
  if (context === 'message') return opened.value !== undefined || selected.value.length === 1
  return context !== 'compose'
}

function Palette({ entries, close }: { readonly entries: readonly Entry[]; close(): void }): JSX.Element {
  const [typed, setTyped] = useState('')
  const [at, setAt] = useState(0)
  const list = useRef<HTMLDivElement>(null)
  const found = matching(entries, typed, e => e.title).slice(0, SHOWN)
  const choose = (entry: Entry | undefined): void => {
    if (entry === undefined) return
    close()
    // After the focus went back to where it was.
    setTimeout(() => entry.run())
  }
  const move = (to: number): void => {
    const next = Math.max(0, Math.min(found.length - 1, to))
    setAt(next)
    list.current?.children[next]?.scrollIntoView({ block: 'nearest' })
  }
  return (
    <div class="palette">
      <input
        type="text"
        role="combobox"
        aria-label="Command"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-autocomplete="list"
        aria-activedescendant={found[at] === undefined ? undefined : `palette-${at}`}
        placeholder="What to do, or where to go"
        autofocus
        value={typed}
        onInput={event => {
          setTyped(event.currentTarget.value)
          setAt(0)
        }}
        onKeyDown={event => {
          if (event.key === 'ArrowDown') move(at + 1)
          else if (event.key === 'ArrowUp') move(at - 1)
          else if (event.key === 'Enter') choose(found[at])
          else return
          event.preventDefault()
        }}
      />
      <div class="palette-list scroll" id="palette-list" role="listbox" aria-label="Commands" ref={list}>
        {found.map((entry, n) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keys.
          <div
            key={entry.id}
            id={`palette-${n}`}
            role="option"
            tabIndex={-1}
            aria-selected={n === at}
            onClick={() => choose(entry)}
          >
            <span>{entry.title}</span>
            {entry.key === '' ? null : <kbd>{entry.key}</kbd>}
          </div>
        ))}
      </div>
      {found.length === 0 ? <p class="none">Nothing is called that.</p> : null}
    </div>
  )
}
