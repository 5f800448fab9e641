// Notifications of the desktop for new mail in Inbox, for who asked for them in this browser: only while the page cannot be seen.
import { effect } from '@preact/signals'
import { isInbox } from '../mailboxes/tree.ts'
import { countOf } from '../state/actions.ts'
import { local } from '../state/local.ts'
import { openMailbox } from '../state/navigate.ts'
import { mailboxes, view } from '../state/store.ts'

export function startNotifications(): void {
  let before: { readonly id: number; readonly total: number; readonly unread: number } | undefined
  effect(() => {
    const inbox = [...mailboxes.value.values()].find(isInbox)
    const last = before
    before = inbox
    if (inbox === undefined || last?.id !== inbox.id || document.visibilityState === 'visible') return
    // What is marked as unread, and what is read and moved here, is not new.
    const fresh = Math.min(inbox.total - last.total, inbox.unread - last.unread)
    if (fresh <= 0 || !local.peek().notify || Notification.permission !== 'granted') return
    // The row, if there is one, comes with the same event.
    setTimeout(() => show(inbox.id, fresh))
  })
}

function show(inboxId: number, fresh: number): void {
  const unread = (view.value?.threads ?? [])
    .flatMap(thread => thread.messages)
    .filter(message => message.mailboxId === inboxId && !message.flags.seen)
  const newest = unread.reduce<(typeof unread)[number] | undefined>(
    (best, message) => (best === undefined || message.id > best.id ? message : best),
    undefined,
  )
  const from = newest?.from[0]
  const one = fresh === 1 && newest !== undefined
  const notification = new Notification(
    one ? from?.name || from?.address || 'New mail' : `${countOf(fresh, 'new message')} in Inbox`,
    // One at a time: a later one takes its place.
    { body: one ? newest.subject : '', tag: 'mox-inbox' },
  )
  notification.onclick = () => {
    window.focus()
    openMailbox('Inbox')
    notification.close()
  }
}
