// Messages as rows of the list, with the badges that extensions give them.
import type { ListedMessage, Log, WebmailExtension } from '@mox/plugin-sdk'
import type { Item, NameAddress } from '../api/model.ts'

/** Badges of one message; what is beyond is left out. */
const MAX_BADGES = 10

/** Characters of the names and addresses of one field that a row has: events have many rows. */
const FIELD_CHARACTERS = 1_000

export type MakeItems = (messages: readonly (ListedMessage & { readonly matches?: boolean })[]) => Item[]

/** Badges of messages, by their ids. */
export type Badges = (messages: readonly ListedMessage[]) => ReadonlyMap<number, readonly string[]>

/** An extension that fails gives no badges and is logged. */
export function makeBadges(extensions: readonly WebmailExtension[], log: Log): Badges {
  // The list is complete only when all plugins are set up: it is looked at with each question.
  return messages => {
    const badges = new Map<number, string[]>()
    for (const extension of extensions) {
      try {
        for (const [id, names] of extension.badges?.(messages) ?? [])
          badges.set(id, [...(badges.get(id) ?? []), ...names.map(name => `${extension.name}/${name}`)])
      } catch (err) {
        log.error({ err, extension: extension.name }, 'an extension failed to give badges')
      }
    }
    for (const [id, names] of badges) if (names.length > MAX_BADGES) badges.set(id, names.slice(0, MAX_BADGES))
    return badges
  }
}

export function makeItems(badges: Badges): MakeItems {
  return messages => {
    const badgesOf = badges(messages)
    return messages.map(message => itemOf(message, message.matches ?? true, badgesOf.get(message.id)))
  }
}

/** A message as a row of the list. `matches`: false for one that is shown only because its thread is. */
export function itemOf(message: ListedMessage, matches: boolean, badges: readonly string[] = []): Item {
  const { uid: _, flags, keywords, from, to, cc, bcc, attachments, ...rest } = message
  return {
    ...rest,
    ...{ flags: { ...flags }, keywords: [...keywords], attachments: [...attachments], matches },
    ...{ from: firstOf(from), to: firstOf(to), cc: firstOf(cc), bcc: firstOf(bcc), badges: [...badges] },
  }
}

/** As many as fit, the first in any case. */
function firstOf(list: readonly NameAddress[]): NameAddress[] {
  let characters = 0
  const kept: NameAddress[] = []
  for (const one of list) {
    characters += one.name.length + one.address.length
    if (characters > FIELD_CHARACTERS && kept.length > 0) break
    kept.push(one)
  }
  return kept
}
