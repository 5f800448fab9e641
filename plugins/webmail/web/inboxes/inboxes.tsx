// All inboxes: what came lately to every account that this browser is logged in to, newest first, live. A message is opened in its
// own account; archive and trash are those of its account.
import { computed } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import type { Item } from '../../src/api/model.ts'
import { openPopup } from '../frame/overlay.ts'
import { accounts, currentAccount, switchTo } from '../lib/accounts.ts'
import { age, fullDate, shownName } from '../list/format.ts'
import { showError } from '../state/busy.ts'
import { leave } from '../state/leaving.ts'
import { go } from '../state/navigate.ts'
import { Inbox } from './inbox.ts'
import { SharedStreams } from './shared-streams.ts'
import './inboxes.css'

export function openInboxes(): void {
  openPopup({ title: 'All inboxes', closable: true, render: close => <Inboxes close={close} /> })
}

function Inboxes({ close }: { close(): void }): JSX.Element {
  const inboxes = useMemo(() => {
    const streams = new SharedStreams(() => {
      for (const inbox of all) inbox.again()
    })
    const all: readonly Inbox[] = accounts().map(account => new Inbox(account, streams))
    return all
  }, [])
  // Only down to where all are loaded is the order right.
  const rows = useMemo(
    () =>
      computed(() => {
        const bound = Math.max(0, ...inboxes.filter(({ problem }) => problem.value === '').map(({ bound }) => bound))
        return inboxes
          .flatMap(inbox => inbox.items.value.map(item => ({ inbox, item })))
          .filter(({ item }) => item.receivedAt >= bound)
          .sort((a, b) => b.item.receivedAt - a.item.receivedAt || b.item.id - a.item.id)
      }),
    [],
  )
  useEffect(() => {
    for (const inbox of inboxes) inbox.start()
    return () => {
      for (const inbox of inboxes) inbox.stop()
    }
  }, [])
  /** What was done last. In here: toasts stand below a popup. */
  const [done, setDone] = useState<Done>()
  const open = ({ account }: Inbox, { id }: Item): void => {
    close()
    if (account.account === currentAccount()?.account)
      go({ target: { kind: 'mailbox', mailbox: 'Inbox' }, message: id })
    else void leave(false).then(() => switchTo(account.account, `#Inbox,${id}`))
  }
  return (
    <div class="inboxes">
      {inboxes.map(({ account, problem }) =>
        problem.value === '' ? null : (
          <p key={account.account} class="problem" role="alert">
            {account.address}: {problem.value}
          </p>
        ),
      )}
      <p role="status" class="done">
        {done === undefined ? null : (
          <>
            {done.text}{' '}
            <button
              type="button"
              onClick={() => {
                setDone(undefined)
                done.undo().catch(showError)
              }}
            >
              Undo
            </button>
          </>
        )}
      </p>
      {rows.value.length === 0 ? <p>No messages</p> : null}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and must do so by keys as well. */}
      <ul class="scroll" tabIndex={0} aria-label="Messages">
        {rows.value.map(({ inbox, item }) => (
          <Row key={item.id} inbox={inbox} item={item} open={() => open(inbox, item)} done={setDone} />
        ))}
      </ul>
      {inboxes.some(({ more }) => more.value) ? (
        <button
          type="button"
          onClick={() => {
            for (const inbox of inboxes) inbox.loadMore()
          }}
        >
          Show more
        </button>
      ) : null}
    </div>
  )
}

interface Done {
  readonly text: string
  undo(): Promise<void>
}

interface RowProps {
  readonly inbox: Inbox
  readonly item: Item
  open(): void
  done(what: Done): void
}

function Row({ inbox, item, open, done }: RowProps): JSX.Element {
  const { address } = inbox.account
  const [from] = item.from
  const subject = item.subject || '(no subject)'
  const move = async (role: 'archive' | 'trash', how: string): Promise<void> => {
    try {
      done({ text: `1 message of ${address} ${how}.`, undo: await inbox.moveTo(role, item.id) })
    } catch (error) {
      showError(error)
    }
  }
  return (
    <li class={item.flags.seen ? '' : 'unread'}>
      <button type="button" class="open" onClick={open}>
        <span class="from">{from === undefined ? '' : shownName(from, false)}</span>
        <span class="subject">{subject}</span>
        <small class="account">{address}</small>
        <small class="age" title={fullDate(item.receivedAt)}>
          {age(item.receivedAt, Date.now()).text}
        </small>
        {item.flags.seen ? null : <span class="visually-hidden">unread</span>}
      </button>
      <button type="button" aria-label={`Archive ${subject}`} onClick={() => void move('archive', 'archived')}>
        Archive
      </button>
      <button type="button" aria-label={`Trash ${subject}`} onClick={() => void move('trash', 'moved to Trash')}>
        Trash
      </button>
    </li>
  )
}
