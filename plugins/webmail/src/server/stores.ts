// What the calls about messages and mailboxes share: finding what a caller names by id in the caller's own account.
import type { ListedMessage, ListQuery, Mailboxes, MailboxInfo, MailStore } from '@mox/plugin-sdk'
import type { Mailbox, ViewQuery } from '../api/model.ts'
import { CallError, type Caller } from './call.ts'

export async function storeOf(mailboxes: Mailboxes, { account }: Caller): Promise<MailStore> {
  return await mailboxes.store(account)
}

/** The messages of the ids, each once. Throws notFound unless all of them are there and of the account. */
export async function ownMessages(store: MailStore, ids: readonly number[]): Promise<ListedMessage[]> {
  const wanted = [...new Set(ids)]
  const found = await store.listed(wanted)
  if (found.length === wanted.length) return found
  throw new CallError(
    'notFound',
    wanted.length === 1 ? 'the message is not there any more' : 'some of the messages are not there any more',
  )
}

export async function ownMailbox(store: MailStore, id: number): Promise<MailboxInfo> {
  const found = (await store.mailboxes()).find(mailbox => mailbox.id === id)
  if (found === undefined) throw new CallError('notFound', 'the mailbox is not there any more')
  return found
}

/** A mailbox as the page has it. */
export function shownMailbox(mailbox: MailboxInfo): Mailbox {
  const { id, name, modseq, specialUse, keywords, total, unread, size, subscribed, introbox } = mailbox
  const lists = { specialUse: [...specialUse], keywords: [...keywords] }
  return { id, name, modseq, ...lists, total, unread, size, subscribed, introbox }
}

/** A view's query as the message store has it. */
export function listQuery({ scope, filter }: Pick<ViewQuery, 'scope' | 'filter'>): ListQuery {
  return {
    scope:
      typeof scope === 'string'
        ? scope
        : { mailbox: scope.mailbox, ...(scope.below === undefined ? {} : { below: scope.below }) },
    ...(filter === undefined ? {} : { filter }),
  }
}
