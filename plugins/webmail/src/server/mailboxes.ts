// Calls about mailboxes. What has many messages is done in portions, so that mail goes on beside.
import type { Mailboxes, MailboxInfo, MailStore } from '@mox/plugin-sdk'
import { MAX_IDS } from '../api/calls.ts'
import { CallError, type Handlers } from './call.ts'
import { ownMailbox, shownMailbox, storeOf } from './stores.ts'

/** Messages of one unit of work. */
const PORTION = 500

export function makeMailboxCalls(
  mailboxes: Mailboxes,
): Handlers<
  | 'inboxUnread'
  | 'mailboxCreate'
  | 'mailboxRename'
  | 'mailboxDelete'
  | 'mailboxEmpty'
  | 'mailboxesMarkRead'
  | 'mailboxRole'
  | 'mailboxSubscribe'
  | 'usage'
> {
  return {
    inboxUnread: async (_, caller) => {
      const all = await (await storeOf(mailboxes, caller)).mailboxes()
      return { unread: all.find(({ name }) => name === 'Inbox')?.unread ?? 0 }
    },
    mailboxCreate: async ({ name }, caller) => {
      const store = await storeOf(mailboxes, caller)
      return shownMailbox(await store.create(name))
    },
    mailboxRename: async ({ id, name }, caller) => {
      const store = await storeOf(mailboxes, caller)
      await store.rename((await ownMailbox(store, id)).name, name)
      return {}
    },
    mailboxDelete: async ({ id }, caller) => {
      const store = await storeOf(mailboxes, caller)
      const mailbox = await ownMailbox(store, id)
      const all = await store.mailboxes()
      // Before anything is removed; the store refuses it as well.
      if (mailbox.name === 'Inbox') throw new CallError('refused', 'Inbox cannot be removed')
      if (all.some(other => other.name.startsWith(`${mailbox.name}/`)))
        throw new CallError('refused', 'mailbox has mailboxes below it')
      await empty(store, mailbox)
      await store.remove(mailbox.name)
      return {}
    },
    mailboxEmpty: async ({ id }, caller) => {
      const store = await storeOf(mailboxes, caller)
      await empty(store, await ownMailbox(store, id))
      return {}
    },
    mailboxesMarkRead: async ({ ids }, caller) => {
      const store = await storeOf(mailboxes, caller)
      const marked: number[] = []
      const chosen: MailboxInfo[] = []
      for (const id of new Set(ids)) chosen.push(await ownMailbox(store, id))
      for (const mailbox of chosen) if (mailbox.unseen > 0) await markRead(store, mailbox.id, marked)
      // More cannot be taken back, and a part of it would be something else.
      const back = { ids: marked, set: [], clear: ['seen' as const], addKeywords: [], removeKeywords: [] }
      return { undo: { moved: [], flags: marked.length === 0 || marked.length > MAX_IDS ? [] : [back] } }
    },
    mailboxRole: async ({ id, role }, caller) => {
      const store = await storeOf(mailboxes, caller)
      await store.setSpecialUse((await ownMailbox(store, id)).name, role === null ? [] : [role])
      return {}
    },
    mailboxSubscribe: async ({ id, subscribed }, caller) => {
      const store = await storeOf(mailboxes, caller)
      await store.subscribe((await ownMailbox(store, id)).name, subscribed)
      return {}
    },
    usage: async (_, caller) => {
      const store = await storeOf(mailboxes, caller)
      return await store.usage()
    },
  }
}

/** Removes the messages that are there now; what comes meanwhile stays. */
async function empty(store: MailStore, { id, uidNext }: MailboxInfo): Promise<void> {
  for (let after = 0; ; ) {
    const messages = (await store.messages(id, { limit: PORTION, after })).filter(message => message.uid < uidNext)
    if (messages.length === 0) return
    await store.expunge(messages.map(message => message.id))
    after = messages.at(-1)?.uid ?? uidNext
  }
}

/** Adds the ids to `marked`, as long as one call can take them back. */
async function markRead(store: MailStore, mailbox: number, marked: number[]): Promise<void> {
  const filter = { labels: [{ text: '\\seen', not: true }] }
  for (let cursor: string | undefined; ; ) {
    const more = cursor === undefined ? {} : { cursor }
    const page = await store.list({ scope: { mailbox }, filter, limit: PORTION, ...more })
    const { changed } = await store.setFlags(
      page.messages.map(message => message.id),
      { set: { seen: true } },
    )
    if (marked.length <= MAX_IDS) marked.push(...changed.map(message => message.id))
    if (page.next === undefined) return
    cursor = page.next
  }
}
