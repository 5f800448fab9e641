// The menu of a mailbox.
import type { JSX } from 'preact'
import type { Mailbox } from '../../src/api/model.ts'
import { Icon } from '../frame/icons.tsx'
import { openPopover } from '../frame/overlay.ts'
import { markMailboxRead } from '../state/actions.ts'
import { mailboxes } from '../state/store.ts'
import {
  createMailbox,
  deleteMailbox,
  emptyMailbox,
  moveMailboxToTrash,
  ROLES,
  renameMailbox,
  setRole,
  subscribe,
} from './changes.ts'
import { isInbox, isLeaf } from './tree.ts'

export function RowMenu(props: {
  readonly mailbox: Mailbox
  readonly anchor: HTMLElement
  close(): void
}): JSX.Element {
  const { mailbox, anchor, close } = props
  const inbox = isInbox(mailbox)
  const leaf = isLeaf(mailbox, mailboxes.value.values())
  const then = (work: () => unknown) => () => {
    close()
    void work()
  }
  return (
    <div class="menu">
      <button type="button" onClick={then(() => markMailboxRead(mailbox))}>
        Mark as read
      </button>
      <hr />
      <button type="button" onClick={then(() => createMailbox(mailbox.name))}>
        Create mailbox in it…
      </button>
      {inbox ? null : (
        <button type="button" onClick={then(() => renameMailbox(mailbox))}>
          Rename or move…
        </button>
      )}
      <button
        type="button"
        onClick={() => {
          close()
          const label = `Role of ${mailbox.name}`
          openPopover({ anchor, label, render: done => <RoleMenu mailbox={mailbox} close={done} /> })
        }}
      >
        Set role…
      </button>
      <button type="button" onClick={then(() => subscribe(mailbox, !mailbox.subscribed))}>
        {mailbox.subscribed ? 'Unsubscribe' : 'Subscribe'}
        <span class="end">IMAP</span>
      </button>
      <button type="button" onClick={then(async () => (await import('./export.tsx')).openExport(mailbox))}>
        Export as…
      </button>
      <hr />
      {inbox || mailbox.specialUse.includes('trash') ? null : (
        <button type="button" onClick={then(() => moveMailboxToTrash(mailbox))}>
          Move to trash…
        </button>
      )}
      <button type="button" class="danger" onClick={then(() => emptyMailbox(mailbox))}>
        Empty mailbox…
      </button>
      {inbox ? null : (
        <button
          type="button"
          class="danger"
          disabled={!leaf}
          title={leaf ? '' : 'Mailboxes below it must be deleted or moved first'}
          onClick={then(() => deleteMailbox(mailbox))}
        >
          Delete mailbox…
        </button>
      )}
    </div>
  )
}

function RoleMenu({ mailbox, close }: { readonly mailbox: Mailbox; close(): void }): JSX.Element {
  return (
    <div class="menu">
      {ROLES.map(([role, title]) => {
        const on = mailbox.specialUse.includes(role)
        return (
          <button
            key={role}
            type="button"
            aria-pressed={on}
            onClick={() => {
              close()
              void setRole(mailbox, on ? null : role)
            }}
          >
            {title}
            <span class="end">{on ? <Icon name="check" size={16} /> : null}</span>
          </button>
        )
      })}
    </div>
  )
}
