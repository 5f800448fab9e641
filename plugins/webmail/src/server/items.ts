// Messages as rows of the list, with the badges that extensions give them.
import type { ListedMessage, Log, WebmailExtension } from '@mox/plugin-sdk'
import type { Item } from '../api/model.ts'

/** Badges of one message; what is beyond is left out. */
const MAX_BADGES = 10

export type MakeItems = (messages: readonly (ListedMessage & { readonly matches?: boolean })[]) => Item[]

/** An extension that fails gives no badges and is logged. */
export function makeItems(extensions: readonly WebmailExtension[], log: Log): MakeItems {
  const asked = extensions.filter(extension => extension.badges !== undefined)
  return messages => {
    const badges = new Map<number, string[]>()
    for (const extension of asked) {
      try {
        for (const [id, names] of extension.badges?.(messages) ?? [])
          badges.set(id, [...(badges.get(id) ?? []), ...names.map(name => `${extension.name}/${name}`)])
      } catch (err) {
        log.error({ err, extension: extension.name }, 'an extension failed to give badges')
      }
    }
    return messages.map(message => itemOf(message, (badges.get(message.id) ?? []).slice(0, MAX_BADGES)))
  }
}

function itemOf(message: ListedMessage & { readonly matches?: boolean }, badges: string[]): Item {
  const { uid: _, matches = true, keywords, from, to, cc, bcc, attachments, ...rest } = message
  return {
    ...rest,
    ...{ keywords: [...keywords], attachments: [...attachments], matches, badges },
    ...{ from: [...from], to: [...to], cc: [...cc], bcc: [...bcc] },
  }
}
