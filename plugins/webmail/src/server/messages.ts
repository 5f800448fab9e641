// Calls that move messages, change their flags and threads, and take that back. Each is one unit of work: what it throws leaves
// everything as it was.
import type { FlagChange, Flags, ListedMessage, Mailboxes, MailboxMessage, MailStore, Storage } from '@mox/plugin-sdk'
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
        // Moving changes flags as well: a mailbox may set those for junk.
        const after = moving.length > 0 ? await store.move(movingIds, target.name) : []
        if (markSeen === true) after.push(...(await store.setFlags(movingIds, { set: { seen: true } })).changed)
        return {
          undo: { moved: moving.map(({ id, mailboxId }) => ({ id, mailboxId })), flags: takingBack(moving, after) },
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
        return { undo: { moved: [], flags: takingBack(before, changed) } }
      })
    },
    undo: async (undo, caller) => {
      const count = undo.flags.reduce((sum, { ids }) => sum + ids.length, undo.moved.length)
      if (count > 2 * MAX_IDS) throw new CallError('badRequest', `more than ${MAX_IDS} messages`)
      const store = await storeOf(mailboxes, caller)
      await storage.write(async () => {
        const before = await present(store, undo)
        await moveBack(store, undo, before)
        await restoreFlags(store, undo, before)
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

type Marked = Pick<MailboxMessage, 'id' | 'flags' | 'keywords'>
type FlagsBack = Undo['flags'][number]

/** The changes that make messages as they were before; of several states after, the last counts. */
function takingBack(before: readonly Marked[], after: readonly Marked[]): FlagsBack[] {
  const changed = new Map(after.map(message => [message.id, message]))
  const groups = new Map<string, FlagsBack>()
  for (const { id, flags, keywords } of before) {
    const now = changed.get(id)
    if (now === undefined) continue
    const change = {
      set: FLAGS.filter(flag => flags[flag] && !now.flags[flag]),
      clear: FLAGS.filter(flag => !flags[flag] && now.flags[flag]),
      addKeywords: keywords.filter(word => !now.keywords.includes(word)),
      removeKeywords: now.keywords.filter(word => !keywords.includes(word)),
    }
    if (Object.values(change).every(list => list.length === 0)) continue
    const key = JSON.stringify(change)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { ids: [id], ...change })
    else group.ids.push(id)
  }
  return [...groups.values()]
}

async function moveBack(store: MailStore, { moved }: Undo, before: ReadonlyMap<number, ListedMessage>): Promise<void> {
  const boxes = new Map((await store.mailboxes()).map(mailbox => [mailbox.id, mailbox]))
  const byMailbox = new Map<number, number[]>()
  for (const { id, mailboxId } of moved) {
    if (before.get(id)?.mailboxId === mailboxId) continue
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

/** Takes flag changes back, and what moving back did to flags. Messages that need the same change are changed together. */
async function restoreFlags(store: MailStore, undo: Undo, before: ReadonlyMap<number, ListedMessage>): Promise<void> {
  const groups = new Map<string, { readonly change: FlagChange; readonly ids: number[] }>()
  const backs = new Map(undo.flags.flatMap(back => back.ids.map(id => [id, back])))
  for (const [id, { flags }] of before) {
    const { set = [], clear = [], addKeywords = [], removeKeywords = [] } = backs.get(id) ?? {}
    const wanted = FLAGS.map(flag => [flag, set.includes(flag) || (flags[flag] && !clear.includes(flag))])
    const change = { set: Object.fromEntries(wanted) as Partial<Flags>, addKeywords, removeKeywords }
    const key = JSON.stringify(change)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { change, ids: [id] })
    else group.ids.push(id)
  }
  for (const { change, ids } of groups.values()) await store.setFlags(ids, change)
}

/** All messages that are named, as they are now. */
async function present(store: MailStore, { moved, flags }: Undo): Promise<ReadonlyMap<number, ListedMessage>> {
  const ids = [...new Set([...moved.map(({ id }) => id), ...flags.flatMap(({ ids }) => ids)])]
  const found = await store.listed(ids)
  if (found.length < ids.length) throw new CallError('conflict', 'some of the messages are not there any more')
  return new Map(found.map(message => [message.id, message]))
}
