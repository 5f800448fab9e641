// Help: what the keys do, from the commands that are there, and how the rest works.
import type { JSX } from 'preact'
import { commands } from '../extend/registry.ts'
import { keysOf } from '../lib/dispatch.ts'
import { keyText } from '../lib/keys.ts'
import { CONTEXTS } from '../settings/contexts.ts'
import { hello, settings } from '../state/store.ts'
import { openPopup } from './overlay.ts'

export function openHelp(): void {
  openPopup({ title: 'Help', closable: true, render: () => <Help /> })
}

function Help(): JSX.Element {
  const chosen = settings.value?.keys ?? {}
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and must do so by keys as well.
    <div class="help" tabIndex={0}>
      <div class="help-keys">
        {CONTEXTS.map(([context, title]) => {
          const keyed = commands.value.filter(c => c.context === context && keysOf(c, chosen).length > 0)
          if (keyed.length === 0) return null
          return (
            <table key={context}>
              <caption>{title}</caption>
              <tbody>
                {keyed.map(command => (
                  <tr key={command.id}>
                    <td>
                      {keysOf(command, chosen).map(name => (
                        <kbd key={name}>{keyText(name)}</kbd>
                      ))}
                    </td>
                    <th scope="row">{command.title}</th>
                  </tr>
                ))}
              </tbody>
            </table>
          )
        })}
        <table>
          <caption>Mailboxes</caption>
          <tbody>
            {MAILBOX_KEYS.map(([keys, title]) => (
              <tr key={title}>
                <td>
                  {keys.map(key => (
                    <kbd key={key}>{keyText(key)}</kbd>
                  ))}
                </td>
                <th scope="row">{title}</th>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div class="help-text">
        <p>
          All commands are in the command palette, {keyOfPalette()}, whether they have a key or not. Keys can be
          changed, or turned off, in the settings.
        </p>
        <p>
          <b>Selecting.</b> Click selects one message; Ctrl and click adds one or takes it away; Shift and click selects
          up to it. With the keys that move, Shift extends the selection and Ctrl moves the focus alone. What is done to
          a collapsed thread is done to all its messages.
        </p>
        <p>
          <b>Undo.</b> Everything that is done to messages can be taken back for some seconds, from the notice or with{' '}
          <kbd>{keyText('ctrl z')}</kbd>.
        </p>
        <p>
          <b>Dotted lines</b> under a text say that there is more to know: rest the pointer on it, or show tooltips with{' '}
          <kbd>{keyText('ctrl ?')}</kbd>.
        </p>
        <p>
          <b>Marked characters</b> in an address are of another script than those around them, so that a letter that
          only looks like another can be told.
        </p>
        <p class="none">mox {hello.value?.version}</p>
      </div>
    </div>
  )
}

function keyOfPalette(): JSX.Element {
  return <kbd>{keyText('ctrl k')}</kbd>
}

const MAILBOX_KEYS = [
  [['Enter'], 'Open'],
  [['ArrowUp', 'ArrowDown'], 'Previous, next'],
  [['ArrowLeft', 'ArrowRight'], 'Collapse, expand'],
  [['b'], 'Menu'],
] as const
