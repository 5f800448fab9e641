// What was shown last, kept in this browser (IndexedDB): when the page is opened again it is there at once, until the server has
// said what is there now. Rows and mailboxes alone, no content of messages. Forgotten when the user logs out, or has to log in. Where the browser
// keeps nothing, or something else, the page begins without.
import { effect, untracked } from '@preact/signals'
import { z } from 'zod'
import { hello as helloSchema } from '../../src/api/events.ts'
import { listedThread, mailbox, settings as settingsSchema, viewQuery } from '../../src/api/model.ts'
import { local } from '../state/local.ts'
import { connected, hello, mailboxes, settings, view } from '../state/store.ts'
import { currentAccount } from './accounts.ts'
import { onLoginAsked } from './api.ts'

const DATABASE = 'mox-webmail'
const STORE = 'shown'
/** One for each account of this browser. */
const key = (): string => `last ${currentAccount()?.account ?? ''}`
/** Milliseconds that the page waits for the browser's database. */
const PATIENCE = 300
/** Milliseconds between changes and their keeping. */
const SETTLED = 1_000
/** Rows of the list; of more the first are kept. */
const ROWS = 200
/** As long as a session lasts without use. */
const DAY = 86_400_000

const schema = z.object({
  savedAt: z.number(),
  hello: helloSchema,
  mailboxes: z.array(mailbox),
  settings: settingsSchema,
  view: z
    .object({
      query: viewQuery,
      threads: z.array(listedThread),
      total: z.number().nullable(),
      complete: z.boolean(),
    })
    .nullable(),
})
export type Kept = z.infer<typeof schema>

/** What was kept; undefined when there is nothing that can be used. */
export async function readKept(): Promise<Kept | undefined> {
  if (!local.value.keep) return undefined
  const late = new Promise<undefined>(resolve => setTimeout(resolve, PATIENCE))
  const value = await Promise.race([access<unknown>('readonly', store => store.get(key())), late])
  const parsed = schema.safeParse(value)
  if (!parsed.success || Date.now() - parsed.data.savedAt > DAY) return undefined
  return parsed.data
}

/** Of all accounts: who logs out does not want mail here. */
export async function forgetKept(): Promise<void> {
  await access('readwrite', store => store.clear())
}

/** Keeps what is shown from now on. `begun`: with what was kept before. */
export function startKeeping(begun: boolean): void {
  let waiting = false
  /** The server has greeted this page: what is shown is true. */
  let greeted = false
  const save = (): void => {
    waiting = false
    if (connected.value && greeted && local.value.keep) {
      const snapshot = snapshotOf()
      if (snapshot !== undefined)
        void access('readwrite', store => store.put(snapshot, `last ${snapshot.hello.account}`))
    }
  }
  const later = (): void => {
    if (!waiting) setTimeout(save, SETTLED)
    waiting = true
  }
  addEventListener('pagehide', save)
  effect(() => {
    const { value: greeting } = hello
    mailboxes.value
    settings.value
    view.value
    untracked(() => {
      greeted ||= greeting !== undefined && greeting.version !== ''
      if (greeted) later()
    })
  })
  effect(() => {
    if (!local.value.keep) void forgetKept()
  })
  onLoginAsked(async () => {
    await forgetKept()
    if (!begun || greeted) return
    // Nobody who is not logged in sees what is kept: the page begins anew, without it.
    location.reload()
    await new Promise(() => undefined)
  })
}

function snapshotOf(): Kept | undefined {
  const [greeting, preferences, now] = [hello.value, settings.value, view.value]
  if (greeting === undefined || preferences === undefined) return undefined
  const boxes = { mailboxes: [...mailboxes.value.values()], settings: preferences }
  if (now === undefined || now.error !== '') return { savedAt: Date.now(), hello: greeting, ...boxes, view: null }
  const { query, total, complete } = now
  const threads = now.threads.slice(0, ROWS)
  return { savedAt: Date.now(), hello: greeting, ...boxes, view: { query, threads, total, complete } }
}

/** Undefined when the browser does not let us. */
async function access<T>(
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest,
): Promise<T | undefined> {
  try {
    const opening = indexedDB.open(DATABASE, 1)
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE)
    const database = await settled<IDBDatabase>(opening)
    try {
      return await settled<T>(work(database.transaction(STORE, mode).objectStore(STORE)))
    } finally {
      database.close()
    }
  } catch {
    return undefined
  }
}

function settled<T>(request: IDBRequest): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result as T)
    request.onerror = () => reject(request.error)
  })
}
