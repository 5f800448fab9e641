// A field for names and addresses that offers those which were written to before.
import type { JSX } from 'preact'
import { useEffect, useId, useState } from 'preact/hooks'
import { call } from '../lib/api.ts'
import { lastToken, replaceLast } from './complete.ts'
import { quiet } from './form-view.tsx'

interface Props {
  readonly label: string
  readonly value: string
  set(value: string): void
}

export function AddressField({ label, value, set }: Props): JSX.Element {
  const list = useId()
  const [typed, setTyped] = useState('')
  const [found, setFound] = useState<readonly string[]>([])
  const token = lastToken(typed)
  useEffect(() => {
    if (token === '') {
      setFound([])
      return undefined
    }
    const abort = new AbortController()
    call('completeRecipient', { text: token }, abort.signal).then(
      ({ recipients }) => setFound(recipients.map(r => r.address)),
      // Suggestions only help; without them one types on.
      () => undefined,
    )
    return () => abort.abort()
  }, [token])
  return (
    <label class="line">
      <span>{label}</span>
      <input
        type="text"
        list={list}
        autocomplete="off"
        maxLength={1_000}
        ref={quiet(value)}
        onInput={event => {
          setTyped(event.currentTarget.value)
          set(event.currentTarget.value)
        }}
      />
      <datalist id={list}>
        {found.map(address => (
          <option key={address} value={replaceLast(typed, address)} />
        ))}
      </datalist>
    </label>
  )
}
