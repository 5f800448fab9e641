// The fields for recipients: one row for each of To, Cc, Bcc and Reply-To, with what was typed as removable entries, completion
// from those who were written to before, and how safely mail gets to each.
import { type Signal, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import { Icon } from '../frame/icons.tsx'
import { call } from '../lib/api.ts'
import { settings } from '../state/store.ts'
import { formatTyped, parseTyped, splitAddresses } from './addresses.ts'
import { SecurityBar } from './security.tsx'

/** Milliseconds of rest before it is asked whom it could be. */
const ASK_AFTER = 120

interface Props {
  readonly label: string
  readonly name: string
  readonly value: readonly string[]
  readonly autofocus?: boolean
  readonly security?: boolean
  change(lines: readonly string[]): void
}

export function RecipientField({ label, name, value, autofocus, security, change }: Props): JSX.Element {
  const list = useId()
  const typed = useSignal('')
  const found = useSignal<readonly string[]>([])
  const at = useSignal(-1)
  const input = useRef<HTMLInputElement>(null)
  useCompletion(typed, found, at)
  useEffect(() => {
    if (autofocus === true) input.current?.focus()
  }, [])

  const take = (text: string): void => {
    const lines = splitAddresses(text)
    typed.value = ''
    found.value = []
    if (lines.length > 0) change([...value, ...lines])
  }
  const onKey = (event: KeyboardEvent): void => {
    const { key } = event
    const chosen = found.value[at.value]
    if (event.ctrlKey || event.metaKey) return
    if (key === 'ArrowDown' || key === 'ArrowUp') {
      if (found.value.length === 0) return
      at.value = (at.value + (key === 'ArrowDown' ? 1 : -1) + found.value.length) % found.value.length
    } else if ((key === 'Enter' || key === 'Tab') && found.value.length > 0 && typed.value !== '')
      take(chosen ?? found.value[0] ?? '')
    else if (key === 'Enter' || key === ';' || (key === ',' && !inQuotes(typed.value))) {
      if (typed.value.trim() === '' && key === 'Enter') return
      take(typed.value)
    } else if (key === 'Escape' && found.value.length > 0) found.value = []
    else if (key === 'Backspace' && typed.value === '' && value.length > 0) {
      // The last entry becomes text again, to be mended.
      typed.value = value.at(-1) ?? ''
      change(value.slice(0, -1))
    } else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <div class="recipients" data-field={name}>
      <label for={`${list}-input`}>{label}</label>
      <ul aria-label={label}>
        {value.map((line, n) => (
          <Entry
            key={`${n} ${line}`}
            line={line}
            security={security === true && settings.value?.showAddressSecurity === true}
            remove={() => {
              change(value.filter((_, i) => i !== n))
              input.current?.focus()
            }}
          />
        ))}
        <li class="typing">
          <input
            ref={input}
            id={`${list}-input`}
            type="text"
            role="combobox"
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            maxLength={20_000}
            aria-expanded={found.value.length > 0}
            aria-controls={list}
            aria-autocomplete="list"
            aria-activedescendant={at.value < 0 ? undefined : `${list}-${at.value}`}
            value={typed.value}
            onInput={event => {
              typed.value = event.currentTarget.value
            }}
            onPaste={event => {
              const text = event.clipboardData?.getData('text/plain') ?? ''
              if (splitAddresses(text).length < 2) return
              event.preventDefault()
              take(`${typed.value}${text}`)
            }}
            onKeyDown={onKey}
            onBlur={() => {
              // A press on a suggestion comes first.
              setTimeout(() => take(typed.value), 150)
            }}
          />
          {found.value.length === 0 ? null : (
            <div class="suggestions" role="listbox" id={list} aria-label="Suggestions">
              {found.value.map((line, n) => (
                // biome-ignore lint/a11y/useKeyWithClickEvents: the field has the keys.
                <div
                  key={line}
                  id={`${list}-${n}`}
                  role="option"
                  tabIndex={-1}
                  aria-selected={n === at.value}
                  onMouseDown={event => event.preventDefault()}
                  onClick={() => {
                    take(line)
                    input.current?.focus()
                  }}
                >
                  {line}
                </div>
              ))}
            </div>
          )}
        </li>
      </ul>
    </div>
  )
}

function Entry(props: { readonly line: string; readonly security: boolean; remove(): void }): JSX.Element {
  const parsed = parseTyped(props.line)
  return (
    <li class={parsed === undefined ? 'recipient bad' : 'recipient'} title={props.line}>
      <span class="recipient-text">
        {parsed === undefined ? props.line : parsed.name === '' ? parsed.address : parsed.name}
        {parsed === undefined ? <span class="visually-hidden"> (not a mail address)</span> : null}
      </span>
      <button type="button" class="icon" aria-label={`Remove ${props.line}`} onClick={props.remove}>
        <Icon name="close" size={12} />
      </button>
      {props.security && parsed !== undefined ? <SecurityBar address={parsed.address} /> : null}
    </li>
  )
}

/** Asks whom the typed text could be, the latest question only. */
function useCompletion(typed: Signal<string>, found: Signal<readonly string[]>, at: Signal<number>): void {
  const text = typed.value.trim()
  useEffect(() => {
    at.value = -1
    if (text.length < 2 || text.length > 300) {
      found.value = []
      return undefined
    }
    const abort = new AbortController()
    const timer = setTimeout(() => {
      call('completeRecipient', { text }, abort.signal).then(
        ({ recipients }) => {
          found.value = recipients.map(formatTyped).slice(0, 8)
        },
        // Suggestions only help; without them one types on.
        () => undefined,
      )
    }, ASK_AFTER)
    return () => {
      clearTimeout(timer)
      abort.abort()
    }
  }, [text])
}

function inQuotes(text: string): boolean {
  return (text.replace(/\\./g, '').split('"').length - 1) % 2 === 1
}
