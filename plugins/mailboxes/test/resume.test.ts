// A client that was away takes its state on by the log: after thousands of random operations what it has from an old snapshot
// and the changes since equals a fresh snapshot, every time.
import { deepStrictEqual, strictEqual } from 'node:assert'
import { type Annotation, type ListedMessage, MailboxError, type MailboxInfo, type MailStore } from '@mox/plugin-sdk'
import { test } from 'vitest'
import { purgeHistory } from '../src/history.ts'
import { type Harness, openHarness } from './support/harness.ts'

const OPERATIONS = 2_000
const NAMES = ['Inbox', 'Junk', 'Sent', 'Trash', 'a', 'a/b', 'a/b/c', 'd', 'd/e']
const WORDS = ['x', 'y', 'z_1']

/** What a client keeps: mailboxes and messages, without what only the store needs to know. */
interface State {
  readonly mailboxes: Map<number, MailboxInfo>
  readonly messages: Map<number, ListedMessage>
  /** By mailbox; 0 is the account. */
  readonly annotations: Map<number, readonly Annotation[]>
}

async function snapshot(store: MailStore): Promise<State> {
  const mailboxes = new Map((await store.mailboxes()).map(mailbox => [mailbox.id, mailbox]))
  const messages = new Map<number, ListedMessage>()
  for (let cursor: string | undefined; ; ) {
    const page = await store.list({ scope: 'all', limit: 500, ...(cursor === undefined ? {} : { cursor }) })
    for (const message of page.messages) messages.set(message.id, message)
    if (page.next === undefined) break
    cursor = page.next
  }
  const annotations = new Map<number, readonly Annotation[]>()
  for (const [id, name] of [[0, ''] as const, ...[...mailboxes.values()].map(m => [m.id, m.name] as const)])
    annotations.set(id, await store.annotations(name))
  return { mailboxes, messages, annotations }
}

class Client {
  modseq = 0
  reloads = 0
  resumed = 0
  #state: State = { mailboxes: new Map(), messages: new Map(), annotations: new Map() }
  readonly #store: MailStore

  constructor(store: MailStore) {
    this.#store = store
  }

  get state(): State {
    return this.#state
  }

  async reload(): Promise<void> {
    this.reloads++
    this.modseq = await this.#store.modseq()
    this.#state = await snapshot(this.#store)
  }

  /** Takes pages of changes until there are no more. */
  async resume(limit: number): Promise<void> {
    for (;;) {
      const { changes, complete } = await this.#store.changesSince(this.modseq, limit)
      if (!complete) return await this.reload()
      if (changes.length === 0) return
      this.resumed++
      const ids = new Set<number>()
      const { mailboxes, messages, annotations } = this.#state
      const annotated = new Set<number>()
      for (const change of changes) {
        this.modseq = change.modseq
        if (change.kind === 'add' || change.kind === 'flags') ids.add(change.id)
        else if (change.kind === 'thread') {
          for (const [id, message] of messages)
            if (message.threadId === change.threadId)
              messages.set(id, { ...message, threadMuted: change.muted, threadCollapsed: change.collapsed })
        } else if (change.kind === 'annotation') annotated.add(change.mailboxId)
        else if (change.kind === 'remove') for (const id of change.ids) ids.add(id)
      }
      const there = new Map((await this.#store.listed([...ids])).map(message => [message.id, message]))
      for (const id of ids) {
        const message = there.get(id)
        if (message === undefined) messages.delete(id)
        else messages.set(id, message)
      }
      for (const mailbox of await this.#store.mailboxes())
        if (annotated.has(mailbox.id) || !annotations.has(mailbox.id))
          annotations.set(mailbox.id, await this.#store.annotations(mailbox.name))
      if (annotated.has(0)) annotations.set(0, await this.#store.annotations(''))
      const changed = new Set(changes.flatMap(change => ('mailboxId' in change ? change.mailboxId : [])))
      const now = new Map((await this.#store.mailboxes()).map(mailbox => [mailbox.id, mailbox]))
      for (const id of changed) {
        const mailbox = now.get(id)
        if (mailbox !== undefined) mailboxes.set(id, mailbox)
        else {
          mailboxes.delete(id)
          if (id !== 0) annotations.delete(id)
        }
      }
    }
  }
}

/** A sequence that is always the same. */
function dice(seed: number): (n: number) => number {
  let random = seed
  return n => {
    random = (random * 48_271) % 2_147_483_647
    return random % n
  }
}

async function step(h: Harness, store: MailStore, roll: (n: number) => number): Promise<void> {
  const name = (): string => NAMES[roll(NAMES.length)] ?? ''
  const all = (await h.mailboxes.recent({ limit: 60 })).map(m => m.id)
  const ids = (): number[] => Array.from({ length: 1 + roll(4) }, () => all[roll(Math.max(1, all.length))] ?? 0)
  const text = `Subject: s\nFrom: f${roll(3)}@x.test\nMessage-ID: <${roll(40)}@x>\nReferences: <${roll(40)}@x>\n\nbody`
  const flags = { seen: roll(2) === 0, deleted: roll(4) === 0, flagged: roll(3) === 0 }
  const word = WORDS[roll(WORDS.length)] ?? ''
  switch (roll(15)) {
    case 0:
    case 1:
    case 2:
      await h.deliver('alice', text, { mailbox: name(), junk: roll(5) === 0, keywords: [word] })
      return
    case 3:
      await store.append({ mailbox: name(), content: Buffer.from(text.replaceAll('\n', '\r\n')), flags })
      return
    case 4:
      await store.setFlags(ids(), { set: flags, addKeywords: [word] })
      return
    case 5:
      await store.setFlags(ids(), { removeKeywords: [word] })
      return
    case 6:
    case 7:
      await store.move(ids(), name())
      return
    case 8:
      await store.copy(ids(), name())
      return
    case 9:
      return await store.expunge(ids())
    case 10: {
      const [message] = await store.listed(ids())
      return await store.setThread(message?.threadId ?? 0, { muted: roll(2) === 0, collapsed: roll(2) === 0 })
    }
    case 11:
      await (roll(2) === 0 ? store.create(name()) : store.remove(name()))
      return
    case 12:
      return await store.rename(name(), name())
    case 14: {
      const value = roll(3) === 0 ? null : `v${roll(5)}`
      return await store.annotate(roll(3) === 0 ? '' : name(), [{ key: `/private/k${roll(3)}`, value }])
    }
    case 13:
      return await (roll(2) === 0
        ? store.setSpecialUse(name(), roll(2) === 0 ? [] : ['archive'])
        : store.subscribe(name(), roll(2) === 0))
  }
}

test('resumed state equals a fresh snapshot', { timeout: 120_000 }, async () => {
  const h = await openHarness(['alice'])
  try {
    const store = await h.mailboxes.store('alice')
    const often = new Client(store)
    const seldom = new Client(store)
    for (const client of [often, seldom]) await client.reload()
    const roll = dice(11)
    for (let i = 1; i <= OPERATIONS; i++) {
      try {
        await step(h, store, roll)
      } catch (err) {
        if (!(err instanceof MailboxError)) throw err
      }
      if (i % 700 === 0) {
        // The log ends somewhere between the two clients' times.
        await often.resume(50)
        h.clock.advance(86_400_000)
        await often.resume(50)
        h.clock.advance(1)
        await purgeHistory(h.context, 1)
      }
      if (i % 20 === 0) await often.resume(1 + roll(30))
      if (i % 140 === 0) await seldom.resume(10_000)
      if (i % 140 === 0) {
        const fresh = await snapshot(store)
        for (const client of [often, seldom]) {
          await client.resume(100)
          deepStrictEqual(sorted(client.state), sorted(fresh))
        }
      }
    }
    deepStrictEqual(await h.mailboxes.verify(), [])
    // Ageing made the one that had been away start over, and nothing else did.
    strictEqual(often.reloads === 1 && often.resumed > 100, true)
    strictEqual(seldom.reloads <= 1 + 2 && seldom.resumed > 8, true)
  } finally {
    await h.close()
  }
})

function sorted({ mailboxes, messages, annotations }: State): unknown {
  const byId = <T>(map: Map<number, T>): T[] => [...map].sort(([a], [b]) => a - b).map(([, value]) => value)
  return {
    mailboxes: byId(mailboxes),
    messages: byId(messages),
    annotations: [...annotations].sort(([a], [b]) => a - b),
  }
}
