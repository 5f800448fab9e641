// The buttons above a message, and the menu with everything else.
import type { JSX } from 'preact'
import type { OpenedMessage } from '../../src/api/model.ts'
import { keyOf, press } from '../frame/keyboard.ts'
import { openPopover } from '../frame/overlay.ts'
import { keyText } from '../lib/keys.ts'
import { openLabels, openMoveTo } from '../list/popovers.ts'
import { threading } from '../list/state.ts'
import { hasRole, itemOf } from '../state/lookup.ts'

export function Buttons({ message }: { readonly message: OpenedMessage }): JSX.Element {
  const mailboxId = itemOf(message.id)?.mailboxId
  const inTrash = mailboxId !== undefined && hasRole(mailboxId, 'trash')
  return (
    <div class="message-buttons" role="toolbar" aria-label="Message">
      {message.draft ? <Do id="message.edit" text="Edit" title="Go on writing this draft" primary /> : null}
      {message.listAddress === '' ? null : (
        <Do id="message.replyList" text="Reply to list" title={`Write to ${message.listAddress}`} />
      )}
      <Do id="message.reply" text="Reply" title="Write to who wrote this" />
      <Do id="message.replyAll" text="Reply all" title="Write to who wrote this, and to all that it was written to" />
      <Do id="message.forward" text="Forward" title="Send this on, with its attachments" />
      <Do id="list.archive" text="Archive" title="Move to the archive" />
      {inTrash ? (
        <Do id="list.delete" text="Delete…" title="Delete for good" />
      ) : (
        <Do id="list.trash" text="Trash" title="Move to the trash" />
      )}
      <Do id="list.junk" text="Junk" title="Move to junk: such mail is unwanted" />
      <button type="button" aria-haspopup="dialog" onClick={event => openMoveTo(event.currentTarget)}>
        Move to…
      </button>
      <button type="button" aria-haspopup="dialog" onClick={event => openLabels(event.currentTarget)}>
        Labels…
      </button>
      <button
        type="button"
        aria-haspopup="dialog"
        onClick={event => {
          const anchor = event.currentTarget
          openPopover({ anchor, label: 'More', render: close => <More message={message} close={close} /> })
        }}
      >
        More…
      </button>
    </div>
  )
}

function Do(props: {
  readonly id: string
  readonly text: string
  readonly title: string
  readonly primary?: boolean
}): JSX.Element {
  const { id, text, title, primary } = props
  const key = keyOf(id)
  return (
    <button
      type="button"
      class={primary === true ? 'primary' : ''}
      title={key === '' ? title : `${title} (${keyText(key)})`}
      onClick={() => press(id)}
    >
      {text}
    </button>
  )
}

function More({ message, close }: { readonly message: OpenedMessage; close(): void }): JSX.Element {
  const threads = threading.value !== 'off'
  const groups: readonly (readonly (readonly [id: string, text: string, on?: boolean])[])[] = [
    [
      ['message.forwardAttached', 'Forward as attachment'],
      ['message.print', 'Print'],
      ['message.openTab', 'Open in a new tab'],
      ['message.attachments', 'View attachments', message.attachments.length > 0],
      ['message.unsubscribe', 'Unsubscribe…', message.unsubscribe !== null],
    ],
    [
      ['list.notJunk', 'Mark not junk'],
      ['list.markRead', 'Mark read'],
      ['list.markUnread', 'Mark unread'],
      ['list.flag', 'Flag or unflag'],
      ['list.mute', 'Mute thread', threads],
      ['list.unmute', 'Unmute thread', threads],
    ],
    [
      ['message.allHeaders', 'Show or hide all headers'],
      ['message.trace', 'Show the way of the message'],
      ['message.raw', 'Show raw original in a new tab'],
      ['message.downloadRaw', 'Download raw original'],
      ['message.decoded', 'Show as decoded text in a new tab'],
      ['message.export', 'Export as…'],
      ['message.internals', 'Show internals'],
    ],
  ]
  return (
    <div class="menu">
      {groups.map((group, i) => [
        i === 0 ? null : <hr key={`line ${i}`} />,
        ...group.map(([id, text, on = true]) =>
          on ? (
            <button
              key={id}
              type="button"
              onClick={() => {
                close()
                press(id)
              }}
            >
              {text}
              <span class="end">{keyOf(id) === '' ? '' : keyText(keyOf(id))}</span>
            </button>
          ) : null,
        ),
      ])}
    </div>
  )
}
