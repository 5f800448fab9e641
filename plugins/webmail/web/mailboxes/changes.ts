// What is done to mailboxes. Each says what it did and how to take that back, where that can be.
import type { Mailbox } from '../../src/api/model.ts'
import { askLine, confirmAction } from '../frame/ask.tsx'
import { toast } from '../frame/overlay.ts'
import { call } from '../lib/api.ts'
import { countOf } from '../state/actions.ts'
import { attempt } from '../state/busy.ts'
import { mailboxWithRole, type Role } from '../state/lookup.ts'

export const ROLES: readonly (readonly [Role, string])[] = [
  ['archive', 'Archive'],
  ['drafts', 'Drafts'],
  ['junk', 'Junk'],
  ['sent', 'Sent'],
  ['trash', 'Trash'],
]

/** `below`: name of the mailbox that it is created in; '' for the top. */
export function createMailbox(below: string): void {
  const value = below === '' ? '' : `${below}/`
  askLine({ title: 'Create mailbox', label: 'Name', value, verb: 'Create' }, async name => {
    const { id } = await call('mailboxCreate', { name })
    const undo = async (): Promise<void> => {
      await call('mailboxDelete', { id })
    }
    toast({ text: `Mailbox ${name} created`, undo })
  })
}

export function renameMailbox({ id, name: value }: Mailbox): void {
  const question = { title: `Rename ${value}`, label: 'Name, with those of the mailboxes that it is in', value }
  askLine({ ...question, verb: 'Rename', select: true }, async name => {
    if (name !== value) await rename(id, value, name)
  })
}

async function rename(id: number, from: string, to: string): Promise<void> {
  await call('mailboxRename', { id, name: to })
  const undo = async (): Promise<void> => {
    await call('mailboxRename', { id, name: from })
  }
  toast({ text: `${from} is now ${to}`, undo })
}

export async function moveMailboxToTrash({ id, name }: Mailbox): Promise<void> {
  const trash = mailboxWithRole('trash')
  if (trash === undefined) {
    toast({ text: 'No mailbox is used as Trash', kind: 'error' })
    return
  }
  const to = `${trash.name}/${name.slice(name.lastIndexOf('/') + 1)}`
  const text = `${name}, with its messages and the mailboxes below it, becomes ${to}.`
  if (!(await confirmAction({ title: 'Move to trash?', text, verb: 'Move to trash' }))) return
  await attempt('moving mailbox', () => rename(id, name, to))
}

export async function deleteMailbox({ id, name, total }: Mailbox): Promise<void> {
  const text = `${name} and its ${countOf(total)} are removed for good. This cannot be undone.`
  if (!(await confirmAction({ title: `Delete ${name}?`, text, verb: 'Delete', danger: true }))) return
  if (await attempt('deleting mailbox', () => call('mailboxDelete', { id }))) toast({ text: `Mailbox ${name} deleted` })
}

export async function emptyMailbox({ id, name, total }: Mailbox): Promise<void> {
  const text = `${countOf(total)} in ${name} are removed for good; mailboxes below it keep theirs. This cannot be undone.`
  if (!(await confirmAction({ title: `Empty ${name}?`, text, verb: 'Empty', danger: true }))) return
  if (await attempt('emptying mailbox', () => call('mailboxEmpty', { id }))) toast({ text: `${name} is empty` })
}

/** Gives a role to a mailbox, which takes it from any other; null for none. */
export async function setRole({ id, name, specialUse }: Mailbox, role: Role | null): Promise<void> {
  const before = role === null ? undefined : mailboxWithRole(role)
  if (!(await attempt('setting role', () => call('mailboxRole', { id, role })))) return
  const title = ROLES.find(([r]) => r === role)?.[1]
  toast({
    text: title === undefined ? `${name} has no role any more` : `${name} is used as ${title}`,
    async undo() {
      await call('mailboxRole', { id, role: specialUse[0] ?? null })
      if (before !== undefined && before.id !== id && role !== null) await call('mailboxRole', { id: before.id, role })
    },
  })
}

export async function subscribe({ id, name }: Mailbox, subscribed: boolean): Promise<void> {
  if (!(await attempt('subscribing', () => call('mailboxSubscribe', { id, subscribed })))) return
  const undo = async (): Promise<void> => {
    await call('mailboxSubscribe', { id, subscribed: !subscribed })
  }
  toast({ text: `${subscribed ? 'Subscribed to' : 'Unsubscribed from'} ${name}`, undo })
}
