// Looking things up in the page's state.
import type { Item, Mailbox } from '../../src/api/model.ts'
import { hello, mailboxes, type View, view } from './store.ts'

export type Role = Mailbox['specialUse'][number]

/** The mailbox that has a role; undefined when none has. */
export function mailboxWithRole(role: Role): Mailbox | undefined {
  return [...mailboxes.value.values()].find(m => m.specialUse.includes(role))
}

export function hasRole(mailboxId: number, role: Role): boolean {
  return mailboxes.value.get(mailboxId)?.specialUse.includes(role) ?? false
}

export function mailboxNamed(name: string): Mailbox | undefined {
  return [...mailboxes.value.values()].find(m => m.name === name)
}

/** The message of a loaded row. */
export function itemOf(id: number): Item | undefined {
  for (const thread of view.value?.threads ?? []) {
    const found = thread.messages.find(m => m.id === id)
    if (found !== undefined) return found
  }
  return undefined
}

/** Loaded messages by id. */
export function itemsOf(ids: readonly number[]): ReadonlyMap<number, Item> {
  const wanted = new Set(ids)
  const found = new Map<number, Item>()
  for (const thread of view.value?.threads ?? []) {
    if (found.size === wanted.size) break
    for (const message of thread.messages) if (wanted.has(message.id)) found.set(message.id, message)
  }
  return found
}

/** Whether messages of a mailbox are within what a view shows. */
export function inScope({ query: { scope } }: View, mailboxId: number): boolean {
  if (scope === 'all') return true
  const mailbox = mailboxes.value.get(mailboxId)
  if (scope === 'usual') {
    if (mailbox === undefined) return true
    return (
      !mailbox.specialUse.includes('trash') &&
      !mailbox.specialUse.includes('junk') &&
      mailbox.name !== hello.value?.rejectsMailbox
    )
  }
  if (scope.mailbox === mailboxId || scope.mailbox === mailbox?.name) return true
  if (scope.below !== true || mailbox === undefined) return false
  const top = typeof scope.mailbox === 'string' ? scope.mailbox : mailboxes.value.get(scope.mailbox)?.name
  return top !== undefined && mailbox.name.startsWith(`${top}/`)
}
