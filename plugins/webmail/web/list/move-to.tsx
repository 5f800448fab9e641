// The popover for moving: type a part of a mailbox's name, choose with the arrows.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { openPopover } from '../frame/overlay.ts'
import { move } from '../state/actions.ts'
import { mailboxes, openMailbox } from '../state/store.ts'
import { matchingMailboxes } from './mailbox-choice.ts'
import { ticked } from './state.ts'

export function openMoveTo(anchor: HTMLElement, ids: readonly number[]): void {
  openPopover({ anchor, label: 'Move to', render: close => <MoveTo ids={ids} close={close} /> })
}

function MoveTo({ ids, close }: { ids: readonly number[]; close: () => void }): JSX.Element {
  const [text, setText] = useState('')
  const [active, setActive] = useState(0)
  const found = matchingMailboxes(mailboxes.value.values(), text, openMailbox.value?.id)
  const at = Math.min(active, found.length - 1)
  const choose = (id: number | undefined): void => {
    if (id === undefined) return
    close()
    ticked.value = undefined
    void move(ids, id)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step !== 0) setActive(Math.min(Math.max(at + step, 0), Math.max(found.length - 1, 0)))
    else if (event.key === 'Enter') choose(found[at]?.id)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <div class="move-to">
      <input
        type="text"
        role="combobox"
        aria-label="Mailbox"
        aria-expanded="true"
        aria-controls="move-to-list"
        aria-autocomplete="list"
        {...(found.length === 0 ? {} : { 'aria-activedescendant': `move-to-${found[at]?.id}` })}
        placeholder="Mailbox"
        autocomplete="off"
        autofocus
        value={text}
        onKeyDown={onKeyDown}
        onInput={event => {
          setText(event.currentTarget.value)
          setActive(0)
        }}
      />
      <div role="listbox" id="move-to-list" aria-label="Mailboxes">
        {found.map((mailbox, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: keys are those of the field
          // biome-ignore lint/a11y/useFocusableInteractive: the field has the focus
          <div
            role="option"
            key={mailbox.id}
            id={`move-to-${mailbox.id}`}
            aria-selected={i === at}
            ref={element => {
              if (i === at) element?.scrollIntoView({ block: 'nearest' })
            }}
            onClick={() => choose(mailbox.id)}
          >
            {mailbox.name}
          </div>
        ))}
      </div>
      {found.length === 0 ? <p>No mailbox has this in its name.</p> : null}
    </div>
  )
}
