// Two pages follow an account in which anything happens at random, while they page, change what they show, and lose their
// connections: when it is quiet, each shows what a page would that was opened just then.
import { deepStrictEqual, ok, strictEqual } from 'node:assert'
import { MailboxError } from '@mox/plugin-sdk'
import { test } from 'vitest'
import type { ListedThread, ViewQuery } from '../src/api/model.ts'
import { shownMailbox } from '../src/server/stores.ts'
import { scopeById } from '../src/server/stream/scope.ts'
import { loadRows, MOST_ROWS, openView } from '../src/server/stream/view.ts'
import { isBefore } from '../web/lib/view-state.ts'
import { type LivePage, type LiveWorld, openLiveWorld } from './support/live-world.ts'

const OPERATIONS = 2_000
const NAMES = ['Inbox', 'Inbox', 'Inbox', 'Junk', 'Sent', 'Trash', 'a', 'a/b', 'd']
const WORDS = ['x', 'y']
const FROM = { from: [{ text: 'f1@', not: false }] }
const QUERIES: readonly ViewQuery[] = [
  { scope: { mailbox: 'Inbox' }, order: 'newest', threads: false },
  { scope: { mailbox: 'Inbox' }, order: 'newest', threads: true },
  { scope: { mailbox: 'Inbox' }, order: 'oldest', threads: true },
  { scope: { mailbox: 'a', below: true }, order: 'newest', threads: true },
  { scope: { mailbox: 'Trash' }, order: 'oldest', threads: false },
  { scope: 'usual', order: 'newest', threads: true },
  { scope: 'usual', order: 'newest', threads: false },
  { scope: 'all', order: 'newest', threads: true },
  { scope: 'usual', order: 'newest', threads: true, filter: FROM },
  { scope: { mailbox: 'Inbox' }, order: 'newest', threads: false, filter: FROM },
]

/** A sequence that is always the same. */
function dice(seed: number): (n: number) => number {
  let random = seed
  return n => {
    random = (random * 48_271) % 2_147_483_647
    return random % n
  }
}

async function changeStore(world: LiveWorld, roll: (n: number) => number): Promise<void> {
  const { store } = world
  const name = (): string => NAMES[roll(NAMES.length)] ?? ''
  const all = (await world.mailboxes.recent({ limit: 80 })).map(m => m.id)
  const ids = (): number[] => Array.from({ length: 1 + roll(4) }, () => all[roll(Math.max(1, all.length))] ?? 0)
  const text = `Subject: ${roll(5) === 0 ? 'badge' : 's'}\nFrom: f${roll(3)}@x.test\nMessage-ID: <${roll(60)}@x>\nReferences: <${roll(60)}@x>\n\nbody`
  const flags = { seen: roll(2) === 0, deleted: roll(4) === 0, flagged: roll(3) === 0 }
  const word = WORDS[roll(WORDS.length)] ?? ''
  switch (roll(15)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return await world.deliver(text, { mailbox: name(), junk: roll(5) === 0, keywords: [word] })
    case 4: {
      const receivedAt = world.clock.now() - roll(1_000_000)
      await store.append({ mailbox: name(), content: Buffer.from(text.replaceAll('\n', '\r\n')), flags, receivedAt })
      return
    }
    case 5:
      await store.setFlags(ids(), { set: flags, addKeywords: [word] })
      return
    case 6:
      await store.setFlags(ids(), { removeKeywords: [word] })
      return
    case 7:
    case 8:
      await store.move(ids(), name())
      return
    case 9:
      await store.copy(ids(), name())
      return
    case 10:
      return await store.expunge(ids())
    case 11: {
      const [message] = await store.listed(ids())
      return await store.setThread(message?.threadId ?? 0, { muted: roll(2) === 0, collapsed: roll(2) === 0 })
    }
    case 12:
      await (roll(3) === 0 ? store.remove(name()) : store.create(name()))
      return
    case 13:
      return await store.rename(name(), name())
    case 14:
      return await (roll(2) === 0
        ? store.setSpecialUse(name(), roll(3) === 0 ? ['trash'] : roll(2) === 0 ? [] : ['archive'])
        : store.subscribe(name(), roll(2) === 0))
  }
}

function usePage(world: LiveWorld, { client, state }: LivePage, roll: (n: number) => number): void {
  switch (roll(12)) {
    case 0:
      client.openView(QUERIES[roll(QUERIES.length)]!, { limit: 1 + roll(30) })
      break
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
      client.loadMore(1 + roll(30))
      break
    case 6:
      client.loadMore(500)
      break
    case 7:
      client.stop()
      break
    case 8:
      world.breakConnections()
      break
    case 9:
      client.cancelLoading()
      break
    default:
      if (!state.connected.value) client.start()
  }
}

async function freshRows(world: LiveWorld, query: ViewQuery): Promise<ListedThread[]> {
  const infos = await world.store.mailboxes()
  const scope = scopeById(query.scope, infos)
  if (scope === undefined) return []
  const rows: ListedThread[] = []
  const badges = (messages: readonly { readonly id: number; readonly subject: string }[]) =>
    new Map(messages.filter(({ subject }) => subject.includes('badge')).map(({ id }) => [id, ['test/badge']]))
  const wanted = { limit: MOST_ROWS }
  const view = openView(1, query, scope, infos, 'Rejects')
  for await (const { threads } of loadRows(world.store, view, wanted, badges, new AbortController().signal))
    rows.push(...threads)
  return rows
}

/** All rows that are loaded are as they are now, and no row within what is loaded is missing. */
async function checkView(world: LiveWorld, page: LivePage): Promise<number> {
  const view = page.view()
  const { order, threads } = view.query
  if (view.error !== '') return 0
  const keyOf = (row: ListedThread): number => (threads ? row.threadId : row.messages[0]!.id)
  const fresh = await freshRows(world, view.query)
  const byKey = new Map(fresh.map(row => [keyOf(row), row]))
  for (const row of view.threads) deepStrictEqual(row, byKey.get(keyOf(row)))
  const shown = view.threads.map(keyOf)
  strictEqual(new Set(shown).size, shown.length)
  if (view.next === null) deepStrictEqual([...shown].sort(), fresh.map(keyOf).sort())
  else {
    const within = fresh.filter(({ messages }) =>
      messages.some(
        ({ matches, receivedAt, id }) =>
          matches &&
          view.last !== null &&
          isBefore(order, { receivedAt, id }, { receivedAt: view.last, id: 0 }) &&
          receivedAt !== view.last,
      ),
    )
    deepStrictEqual(
      within.map(keyOf).filter(key => !shown.includes(key)),
      [],
    )
  }
  const places = shown.map(key => view.places.get(key)!)
  for (const [i, place] of places.entries()) ok(i === 0 || isBefore(order, places[i - 1]!, place))
  return shown.length
}

test('pages show what is there', { timeout: 120_000 }, async () => {
  const world = await openLiveWorld()
  try {
    const roll = dice(17)
    const pages = [world.page(), world.page()]
    for (const { client } of pages) {
      client.start()
      client.openView(QUERIES[1]!, { limit: 10 })
    }
    let checked = 0
    for (let i = 1; i <= OPERATIONS; i++) {
      try {
        await changeStore(world, roll)
      } catch (err) {
        if (!(err instanceof MailboxError)) throw err
      }
      if (roll(3) === 0) usePage(world, pages[roll(2)]!, roll)
      if (roll(3) === 0) world.clock.advance(1 + roll(100))
      if (i % 40 !== 0) continue
      await world.settle(...pages)
      const infos = (await world.store.mailboxes()).map(shownMailbox)
      for (const page of pages) {
        checked += await checkView(world, page)
        const mailboxes = [...page.state.mailboxes.value.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
        deepStrictEqual(
          mailboxes,
          infos.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
        )
      }
    }
    for (const page of pages) {
      // To the end, and once more from the beginning.
      const { query } = page.view()
      while (page.view().next !== null) {
        page.client.loadMore(500)
        await world.settle(page)
      }
      await checkView(world, page)
      page.client.openView(query, { limit: 500 })
      await world.settle(page)
      deepStrictEqual(page.view().threads, await freshRows(world, query))
    }
    deepStrictEqual(await world.mailboxes.verify(), [])
    console.log(
      checked,
      pages.map(p => p.hellos),
    )
    deepStrictEqual(world.errors(), [])
    ok(checked > 1_000, `${checked} rows were checked`)
    for (const { hellos } of pages) ok(hellos.resumed > 20 && hellos.all - hellos.resumed < 5, JSON.stringify(hellos))
  } finally {
    await world.close()
  }
})
