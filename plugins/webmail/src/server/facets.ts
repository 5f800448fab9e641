// By what a search can be narrowed: who wrote what it finds, where that is, and from when. Of a search that finds very much the
// newest are counted, which is said.
import type { ListedMessage, Mailboxes } from '@mox/plugin-sdk'
import type { Handlers } from './call.ts'
import { FACET_ENTRIES, FACET_MESSAGES } from './limits.ts'
import { listQuery, storeOf } from './stores.ts'

/** Parts of a search that are read; each may end early when it had to look at much. */
const PARTS = 5

export function makeFacetCalls(mailboxes: Mailboxes): Handlers<'searchFacets'> {
  return {
    searchFacets: async ({ query, zone }, caller, signal) => {
      const store = await storeOf(mailboxes, caller)
      const found: ListedMessage[] = []
      let cursor: string | undefined
      for (let part = 0; part < PARTS && found.length < FACET_MESSAGES; part++) {
        const limit = FACET_MESSAGES - found.length
        const page = await store.list({
          ...listQuery(query),
          limit,
          signal,
          ...(cursor === undefined ? {} : { cursor }),
        })
        found.push(...page.messages)
        cursor = page.next
        if (cursor === undefined) break
      }
      const senders = new Map(
        found.flatMap(({ from: [sender] }) => (sender ? [[sender.address.toLowerCase(), sender]] : [])),
      )
      return {
        messages: found.length,
        more: cursor !== undefined,
        from: counted(found, ({ from: [sender] }) => sender?.address.toLowerCase()).map(({ key, count }) => ({
          ...{ name: senders.get(key)?.name ?? '', address: senders.get(key)?.address ?? key, count },
        })),
        mailboxes: counted(found, message => message.mailboxId).map(({ key, count }) => ({ mailboxId: key, count })),
        months: counted(
          found,
          ({ receivedAt }) => new Date(receivedAt - zone * 60_000).toISOString().slice(0, 7),
          1_000,
        )
          .map(({ key, count }) => ({ month: key, count }))
          .sort((a, b) => (a.month < b.month ? 1 : -1)),
      }
    },
  }
}

/** The most frequent first. */
function counted<K>(
  messages: readonly ListedMessage[],
  keyOf: (message: ListedMessage) => K | undefined,
  most = FACET_ENTRIES,
): { readonly key: K; readonly count: number }[] {
  const counts = new Map<K, number>()
  for (const message of messages) {
    const key = keyOf(message)
    if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return [...counts]
    .map(([key, count]) => ({ key, count }))
    .sort((a, b) => b.count - a.count)
    .slice(0, most)
}
