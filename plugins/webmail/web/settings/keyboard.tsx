// Settings: the keys of commands. A key is chosen by pressing it.
import type { Command } from '@mox/plugin-sdk/webmail'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { commands } from '../extend/registry.ts'
import { conflicts, keysOf } from '../lib/dispatch.ts'
import { keyName, keyText } from '../lib/keys.ts'
import { matching } from '../lib/match.ts'
import { change } from '../state/preferences.ts'
import { settings } from '../state/store.ts'
import { CONTEXTS } from './contexts.ts'
import { Check } from './fields.tsx'

export function Keyboard(): JSX.Element {
  const [typed, setTyped] = useState('')
  const chosen = settings.value?.keys ?? {}
  const clashes = conflicts(commands.value, chosen)
  return (
    <>
      <h3>Keyboard</h3>
      <Check name="singleKeys">Keys without Ctrl or Alt run commands</Check>
      <p class="hint-text">
        Turn this off when you speak to your computer, or press keys by accident. Arrows, Delete and the like keep
        working.
      </p>
      <label class="field">
        Find
        <input type="search" value={typed} onInput={event => setTyped(event.currentTarget.value)} />
      </label>
      {CONTEXTS.map(([context, title]) => {
        const found = matching(
          commands.value.filter(c => c.context === context),
          typed,
          c => c.title,
        )
        if (found.length === 0) return null
        return (
          <table class="keys" key={context}>
            <caption>{title}</caption>
            <tbody>
              {found.map(command => (
                <KeyRow key={command.id} command={command} clashes={clashes.get(command.id) ?? []} />
              ))}
            </tbody>
          </table>
        )
      })}
      {Object.keys(chosen).length === 0 ? null : (
        <p class="line">
          <button type="button" onClick={() => change({ keys: {} })}>
            Reset all keys
          </button>
        </p>
      )}
    </>
  )
}

function KeyRow({
  command,
  clashes,
}: {
  readonly command: Command
  readonly clashes: readonly Command[]
}): JSX.Element {
  const chosen = settings.value?.keys ?? {}
  const [waiting, setWaiting] = useState(false)
  const names = keysOf(command, chosen)
  const own = Object.hasOwn(chosen, command.id)
  const set = (key: string | undefined): void => {
    const { [command.id]: _, ...others } = chosen
    change({ keys: key === undefined || key === (command.key ?? '') ? others : { ...others, [command.id]: key } })
  }
  return (
    <tr>
      <th scope="row">
        {command.title}
        {clashes.length === 0 ? null : (
          <small class="clash">Also the key of: {clashes.map(c => c.title).join(', ')}</small>
        )}
      </th>
      <td>
        <button
          type="button"
          class="key"
          aria-label={`Key of ${command.title}: ${names.map(n => keyText(n)).join(' or ') || 'none'}. Press to change`}
          onClick={() => setWaiting(true)}
          onBlur={() => setWaiting(false)}
          onKeyDown={event => {
            if (!waiting) return
            const name = keyName(event)
            // Tab goes on, so that nobody is caught here.
            if (name === 'Tab' || name === 'shift Tab') return
            event.preventDefault()
            event.stopPropagation()
            if (name === '') return
            setWaiting(false)
            if (name === 'Escape') return
            set(name === 'Backspace' ? '' : name)
          }}
          // The key that was chosen must not press the button again.
          onKeyUp={event => {
            if (event.key === ' ') event.preventDefault()
          }}
        >
          {waiting ? 'Press a key…' : names.length === 0 ? 'none' : names.map(n => <kbd key={n}>{keyText(n)}</kbd>)}
        </button>
      </td>
      <td>
        {own ? (
          <button type="button" class="link" onClick={() => set(undefined)}>
            Reset
          </button>
        ) : null}
      </td>
    </tr>
  )
}
