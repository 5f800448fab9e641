// Calls that move messages, change their flags and threads, and take that back. Each is one unit of work: what it throws leaves
// everything as it was.
import type { FlagChange, Flags, ListedMessage, Mailboxes, MailStore, Storage } from '@mox/plugin-sdk'
import { MAX_IDS, type Undo } from '../api/calls.ts'
import { FLAGS } from '../api/model.ts'
import { CallError, type Handlers } from './call.ts'
import type { MakeItems } from './items.ts'
import { listQuery, ownMailbox, ownMessages, storeOf } from './stores.ts'

type FlagName = keyof Flags

/** Messages that are listed at a time. */
const PAGE = 1_000
/** A message is one or the other. */
const OPPOSITE: ReadonlyMap<FlagName, FlagName> = new Map<FlagName, FlagName>([
  ['junk', 'notjunk'],
  ['notjunk', 'junk'],
])

interface Deps {
  readonly mailboxes: Mailboxes
  readonly storage: Storage
  readonly items: MakeItems
}

export function makeMessageCalls({
  mailboxes,
  storage,
  items,
}: Deps): Handlers<
  | 'messagesMove'
  | 'messagesDelete'
  | 'messagesFlags'
  | 'undo'
  | 'queryIds'
  | 'threadsCollapse'
  | 'threadsMute'
  | 'items'
> {
  return {
    messagesMove: async ({ ids, mailboxId, markSeen }, caller) => {
      const store = await storeOf(mailboxes, caller)
      return await storage.write(async () => {
        const target = await ownMailbox(store, mailboxId)
        const moving = (await ownMessages(store, ids)).filter(message => message.mailboxId !== target.id)
        const movingIds = moving.map(message => message.id)
        if (moving.length > 0) await store.move(movingIds, target.name)
        if (markSeen === true) await store.setFlags(movingIds, { set: { seen: true } })
        // The flags as well: a mailbox may set those for junk.
        return {
          undo: { moved: moving.map(({ id, mailboxId }) => ({ id, mailboxId })), flags: moving.map(formerFlags) },
        }
      })
    },
    messagesDelete: async ({ ids }, caller) => {
      const store = await storeOf(mailboxes, caller)
      await storage.write(async () => {
        await ownMessages(store, ids)
        await store.expunge(ids)
      })
      return {}
    },
    messagesFlags: async ({ ids, ...wanted }, caller) => {
      const change = flagChange(wanted)
      const store = await storeOf(mailboxes, caller)
      return await storage.write(async () => {
        const before = await ownMessages(store, ids)
        const { changed } = await store.setFlags(ids, change)
        const changedIds = new Set(changed.map(message => message.id))
        return { undo: { moved: [], flags: before.filter(({ id }) => changedIds.has(id)).map(formerFlags) } }
      })
    },
    undo: async (undo, caller) => {
      const count = undo.moved.length + undo.flags.length
      if (count > 2 * MAX_IDS) throw new CallError('badRequest', `more than ${MAX_IDS} messages`)
      const store = await storeOf(mailboxes, caller)
      await storage.write(async () => {
        await moveBack(store, undo)
        await restoreFlags(store, undo)
      })
      return {}
    },
    queryIds: async ({ query }, caller, signal) => {
      const store = await storeOf(mailboxes, caller)
      const ids: number[] = []
      let complete = true
      for (let cursor: string | undefined; ; ) {
        const more = cursor === undefined ? {} : { cursor }
        const page = await store.list({ ...listQuery(query), order: query.order, limit: PAGE, signal, ...more })
        ids.push(...page.messages.map(message => message.id))
        complete &&= page.complete
        if (page.next === undefined) return { ids, complete }
        if (ids.length >= MAX_IDS) return { ids: ids.slice(0, MAX_IDS), complete: false }
        cursor = page.next
      }
    },
    threadsCollapse: async ({ threadIds, collapsed }, caller) => {
      const store = await storeOf(mailboxes, caller)
      await storage.write(async () => {
        for (const id of new Set(threadIds)) await store.setThread(id, { collapsed })
      })
      return {}
    },
    threadsMute: async ({ threadIds, muted }, caller) => {
      const store = await storeOf(mailboxes, caller)
      const change = muted ? { muted, collapsed: true } : { muted }
      await storage.write(async () => {
        for (const id of new Set(threadIds)) await store.setThread(id, change)
      })
      return {}
    },
    items: async ({ ids }, caller) => {
      const store = await storeOf(mailboxes, caller)
      return { items: items(await store.listed(ids)) }
    },
  }
}

function flagChange(wanted: {
  readonly set?: readonly FlagName[] | undefined
  readonly clear?: readonly FlagName[] | undefined
  readonly addKeywords?: readonly string[] | undefined
  readonly removeKeywords?: readonly string[] | undefined
}): FlagChange {
  const { set: setting = [], clear = [], addKeywords = [], removeKeywords = [] } = wanted
  const set = new Map<FlagName, boolean>()
  for (const flag of clear) set.set(flag, false)
  for (const flag of setting) {
    if (set.has(flag)) throw new CallError('badRequest', `${flag} cannot be set and cleared`)
    set.set(flag, true)
  }
  for (const [flag, opposite] of OPPOSITE) {
    if (set.get(flag) !== true) continue
    if (set.get(opposite) === true) throw new CallError('badRequest', `${flag} and ${opposite} cannot both be set`)
    set.set(opposite, false)
  }
  if (addKeywords.some(word => removeKeywords.includes(word)))
    throw new CallError('badRequest', 'a label cannot be added and removed')
  // Flags that are no labels have names of their own here.
  if ([...addKeywords, ...removeKeywords].some(word => word.startsWith('\\')))
    throw new CallError('badRequest', 'a label cannot begin with a backslash')
  return { set: Object.fromEntries(set), addKeywords, removeKeywords }
}

function formerFlags({ id, flags, keywords }: ListedMessage): Undo['flags'][number] {
  return { id, flags: FLAGS.filter(flag => flags[flag]), keywords: [...keywords] }
}

async function moveBack(store: MailStore, { moved }: Undo): Promise<void> {
  const boxes = new Map((await store.mailboxes()).map(mailbox => [mailbox.id, mailbox]))
  const there = await present(store, moved)
  const byMailbox = new Map<number, number[]>()
  for (const { id, mailboxId } of moved) {
    if (there.get(id)?.mailboxId === mailboxId) continue
    const group = byMailbox.get(mailboxId)
    if (group === undefined) byMailbox.set(mailboxId, [id])
    else group.push(id)
  }
  for (const [mailboxId, ids] of byMailbox) {
    const mailbox = boxes.get(mailboxId)
    if (mailbox === undefined) throw new CallError('conflict', 'the mailbox that it came from is not there any more')
    await store.move(ids, mailbox.name)
  }
}

/** Messages that need the same change are changed together. */
async function restoreFlags(store: MailStore, { flags }: Undo): Promise<void> {
  const there = await present(store, flags)
  const groups = new Map<string, { readonly change: FlagChange; readonly ids: number[] }>()
  for (const { id, flags: former, keywords } of flags) {
    const now = there.get(id)
    if (now === undefined) continue
    const change = {
      set: Object.fromEntries(FLAGS.map(flag => [flag, former.includes(flag)])),
      addKeywords: keywords.filter(word => !now.keywords.includes(word)),
      removeKeywords: now.keywords.filter(word => !keywords.includes(word)),
    }
    const key = JSON.stringify(change)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { change, ids: [id] })
    else group.ids.push(id)
  }
  for (const { change, ids } of groups.values()) await store.setFlags(ids, change)
}

async function present(
  store: MailStore,
  named: readonly { readonly id: number }[],
): Promise<ReadonlyMap<number, ListedMessage>> {
  const ids = [...new Set(named.map(({ id }) => id))]
  const found = await store.listed(ids)
  if (found.length < ids.length) throw new CallError('conflict', 'some of the messages are not there any more')
  return new Map(found.map(message => [message.id, message]))
}
