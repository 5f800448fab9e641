// The search bar, and the form that opens below it while it has the focus. Bar and form say the same in two ways: what is typed in
// one is seen in the other.
import { computed, type Signal, signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { lazy } from '../frame/lazy.tsx'
import { openMailbox, openSearch, target } from '../state/navigate.ts'
import { settings } from '../state/store.ts'
import { format, isExtended, parse } from './query.ts'
import { forgetSearches, recentSearches } from './recent.ts'
import { askToSave, removeSearch, savedAs } from './saved.tsx'
import './search.css'

/** What is typed; undefined while nothing is being edited, when the bar shows what is open. */
const typed: Signal<string | undefined> = signal(undefined)
/** Without the form one can still search. */
const Form = lazy(
  async () => (await import('./form-view.tsx')).SearchFormView,
  '',
  () => undefined,
)

/** The mailbox to go back to from a search. */
let before = 'Inbox'

const searching = computed(() => (target.value.kind === 'search' ? target.value.query : undefined))

function leave(): void {
  typed.value = undefined
  if (searching.value !== undefined) openMailbox(before)
}

export function SearchBar(): JSX.Element {
  const root = useRef<HTMLElement>(null)
  const input = useRef<HTMLInputElement>(null)
  const now = target.value
  if (now.kind === 'mailbox') before = now.mailbox
  const open = typed.value !== undefined
  const text = typed.value ?? searching.value ?? ''

  const start = (): void => {
    if (typed.value !== undefined) return
    // Who looks for something from within a mailbox mostly looks for it there.
    const place = now.kind === 'mailbox' && now.mailbox !== 'Inbox' ? now.mailbox : undefined
    typed.value =
      searching.value ?? (place === undefined ? '' : `${format({ filter: {}, mailbox: place, below: false })} `)
  }
  const stop = (): void => {
    typed.value = undefined
    if (root.current?.contains(document.activeElement) === true) (document.activeElement as HTMLElement).blur()
  }
  const search = (query: string): void => {
    stop()
    if (query.trim() === '') leave()
    else openSearch(query.trim())
  }
  useEffect(() => {
    if (!open) return undefined
    const outside = (event: Event): void => {
      // Popups of saving, and what they say, stand outside of the form and belong to it.
      const at = event.target as Element
      if (root.current?.contains(at) === false && at.closest('dialog, [role=dialog], .toasts') === null)
        typed.value = undefined
    }
    document.addEventListener('pointerdown', outside)
    document.addEventListener('focusin', outside)
    return () => {
      document.removeEventListener('pointerdown', outside)
      document.removeEventListener('focusin', outside)
    }
  }, [open])

  return (
    <search
      class={open ? 'search open' : 'search'}
      ref={root}
      onKeyDown={event => {
        if (event.key !== 'Escape' || event.defaultPrevented) return
        event.preventDefault()
        // What was typed is given up; a second press leaves the search.
        if (open && text.trim() !== (searching.value ?? '')) stop()
        else {
          stop()
          leave()
        }
      }}
    >
      <form
        class="bar"
        onSubmit={event => {
          event.preventDefault()
          search(typed.value ?? text)
        }}
      >
        <input
          type="search"
          id="search-input"
          ref={input}
          aria-label="Search"
          placeholder="Search"
          autocomplete="off"
          spellcheck={false}
          maxLength={2_000}
          value={text}
          onFocus={start}
          onInput={event => {
            typed.value = event.currentTarget.value
          }}
        />
        {searching.value === undefined ? null : (
          <button
            type="button"
            class="icon"
            aria-label="Leave the search, to Inbox"
            title="Leave the search, to Inbox"
            onClick={() => {
              stop()
              openMailbox('Inbox')
            }}
          >
            ×
          </button>
        )}
      </form>
      {open ? (
        <div class="drop">
          <Suggestions text={text} choose={search} />
          <Form
            text={text}
            set={next => {
              typed.value = next
            }}
            search={() => search(typed.value ?? text)}
          />
        </div>
      ) : null}
    </search>
  )
}

/** Saved searches, and while nothing is typed those of late. */
function Suggestions({ text, choose }: { text: string; choose(query: string): void }): JSX.Element | null {
  const cleared = useRef(signal(0)).current
  cleared.value
  const saved = settings.value?.searches ?? []
  const recent = isExtended(parse(text)) ? [] : recentSearches()
  const name = savedAs(text)
  const able = text.trim() !== ''
  if (saved.length === 0 && recent.length === 0 && !able) return null
  return (
    <div class="suggestions">
      {saved.map(one => (
        <span key={one.name} class="saved">
          <button type="button" title={one.query} onClick={() => choose(one.query)}>
            ★ {one.name}
          </button>
          <button
            type="button"
            class="remove"
            aria-label={`Remove the saved search ${one.name}`}
            title="Remove"
            onClick={() => removeSearch(one.name)}
          >
            ×
          </button>
        </span>
      ))}
      {recent.map(query => (
        <button type="button" key={query} class="recent" title="Searched before" onClick={() => choose(query)}>
          {query}
        </button>
      ))}
      {recent.length === 0 ? null : (
        <button
          type="button"
          class="link"
          onClick={() => {
            forgetSearches()
            cleared.value++
          }}
        >
          Forget these
        </button>
      )}
      {able && name === undefined ? (
        <button type="button" class="link" onClick={() => askToSave(text)}>
          Save this search…
        </button>
      ) : null}
    </div>
  )
}
