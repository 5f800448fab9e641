// What the mailboxes are to a view: whether it shows what is in them. Says the same as the lists of mailboxes@1.
import type { MailboxInfo } from '@mox/plugin-sdk'
import type { ViewQuery } from '../../api/model.ts'

/**
 * - `in`: the view is about it.
 * - `context`: its messages are shown with their threads only.
 * - `hidden`: not even that: Trash, Junk and Rejects.
 */
export type Standing = 'in' | 'context' | 'hidden'

export type Scope = ViewQuery['scope']

/** The scope with the id of its mailbox, which keeps it when it is renamed; undefined when there is no such mailbox. */
export function scopeById(scope: Scope, mailboxes: readonly MailboxInfo[]): Scope | undefined {
  if (typeof scope === 'string') return scope
  const found = mailboxes.find(({ id, name }) => scope.mailbox === id || scope.mailbox === name)
  return found === undefined ? undefined : { ...scope, mailbox: found.id }
}

/** By id of every mailbox. `scope` is one by id; a mailbox that is gone has nothing in it. */
export function standings(
  scope: Scope,
  mailboxes: readonly MailboxInfo[],
  rejectsMailbox: string,
): Map<number, Standing> {
  const top = typeof scope === 'string' ? undefined : mailboxes.find(({ id }) => id === scope.mailbox)
  const below = typeof scope !== 'string' && scope.below === true
  const isAside = ({ name, specialUse }: MailboxInfo): boolean =>
    specialUse.includes('trash') || specialUse.includes('junk') || name === rejectsMailbox
  const isIn = (mailbox: MailboxInfo): boolean => {
    if (scope === 'all') return true
    if (scope === 'usual') return !isAside(mailbox)
    return mailbox === top || (below && top !== undefined && mailbox.name.startsWith(`${top.name}/`))
  }
  return new Map(mailboxes.map(m => [m.id, isIn(m) ? 'in' : isAside(m) ? 'hidden' : 'context']))
}

/** Whether what is there already is shown differently: mailboxes that are new or gone are told of message by message. */
export function scopeChanged(
  before: ReadonlyMap<number, Standing>,
  now: ReadonlyMap<number, Standing>,
  threads: boolean,
): boolean {
  const of = (standing: Standing): Standing => (standing === 'hidden' && !threads ? 'context' : standing)
  for (const [id, standing] of before) {
    const next = now.get(id)
    if (next !== undefined && of(next) !== of(standing)) return true
  }
  return false
}
