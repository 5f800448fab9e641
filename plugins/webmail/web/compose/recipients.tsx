// The fields for recipients: one row for each of To, Cc, Bcc and Reply-To, with what was typed as removable entries, completion
// from those who were written to before, and how safely mail gets to each.
import { type Signal, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useId, useLayoutEffect, useRef } from 'preact/hooks'
import { Icon } from '../frame/icons.tsx'
import { call } from '../lib/api.ts'
import { showError } from '../state/busy.ts'
import { settings } from '../state/store.ts'
import { formatTyped, inQuotes, MAX_ENTRIES, parseTyped, splitAddresses } from './addresses.ts'
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
  const options = matching(found.value, typed.value, value)
  const marked = options[at.value]
  // At once: the next key belongs to this field.
  useLayoutEffect(() => {
    if (autofocus === true) input.current?.focus()
  }, [])

  const take = (text: string): void => {
    const lines = splitAddresses(text)
    typed.value = ''
    found.value = []
    if (value.length + lines.length > MAX_ENTRIES)
      showError(new Error(`${label} has room for ${MAX_ENTRIES} addresses; the rest was left out`))
    if (lines.length > 0) change([...value, ...lines].slice(0, MAX_ENTRIES))
  }
  const onKey = (event: KeyboardEvent): void => {
    const { key } = event
    if (event.ctrlKey || event.metaKey) return
    if (key === 'ArrowDown' || key === 'ArrowUp') {
      if (options.length === 0) return
      const next = at.value < 0 && key === 'ArrowUp' ? -1 : at.value + (key === 'ArrowDown' ? 1 : -1)
      at.value = (next + options.length) % options.length
    } else if ((key === 'Enter' || key === 'Tab') && options.length > 0 && typed.value !== '')
      // A whole address is meant as it stands, although it may be a part of another one.
      take(marked ?? (parseTyped(typed.value) === undefined ? (options[0] ?? '') : typed.value))
    else if (key === 'Enter' || key === ';' || (key === ',' && !inQuotes(typed.value))) {
      if (typed.value.trim() === '' && key === 'Enter') return
      take(typed.value)
    } else if (key === 'Escape' && options.length > 0) found.value = []
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
            edit={() => {
              const rest = value.filter((_, i) => i !== n)
              change(typed.value.trim() === '' ? rest : [...rest, ...splitAddresses(typed.value)])
              typed.value = line
              input.current?.focus()
            }}
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
            aria-expanded={options.length > 0}
            aria-controls={list}
            aria-autocomplete="list"
            aria-activedescendant={marked === undefined ? undefined : `${list}-${at.value}`}
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
            onBlur={() => take(typed.value)}
          />
          {options.length === 0 ? null : (
            <div class="suggestions" role="listbox" id={list} aria-label="Suggestions">
              {options.map((line, n) => (
                // biome-ignore lint/a11y/useKeyWithClickEvents: the field has the keys.
                <div
                  key={line}
                  id={`${list}-${n}`}
                  role="option"
                  tabIndex={-1}
                  aria-selected={n === at.value}
                  // The field keeps the focus: what is typed in it would be taken when it lost it.
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

function Entry(props: {
  readonly line: string
  readonly security: boolean
  edit(): void
  remove(): void
}): JSX.Element {
  const parsed = parseTyped(props.line)
  return (
    <li class={parsed === undefined ? 'recipient bad' : 'recipient'}>
      <button type="button" class="recipient-text" title={`${props.line}: press to change it`} onClick={props.edit}>
        {parsed === undefined ? props.line : parsed.name === '' ? parsed.address : parsed.name}
        {parsed === undefined ? <span class="visually-hidden"> (not a mail address)</span> : null}
      </button>
      {props.security && parsed !== undefined ? <SecurityBar address={parsed.address} /> : null}
      <button type="button" class="icon" aria-label={`Remove ${props.line}`} onClick={props.remove}>
        <Icon name="close" size={12} />
      </button>
    </li>
  )
}

/** Of what was found for an earlier text those that fit this one, without who is there already. */
function matching(found: readonly string[], typed: string, value: readonly string[]): readonly string[] {
  const text = typed.trim().toLowerCase()
  return found.filter(line => line.replace(/["\\]/g, '').toLowerCase().includes(text) && !value.includes(line))
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
