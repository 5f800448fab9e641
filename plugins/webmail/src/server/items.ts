// Messages as rows of the list, with the badges that extensions give them.
import type { ListedMessage, Log, WebmailExtension } from '@mox/plugin-sdk'
import type { Item } from '../api/model.ts'

/** Badges of one message; what is beyond is left out. */
const MAX_BADGES = 10

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
    ...{ from: [...from], to: [...to], cc: [...cc], bcc: [...bcc], badges: [...badges] },
  }
}
