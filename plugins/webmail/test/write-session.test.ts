// What a window for writing saves.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ComposeSession, EMPTY } from '../web/compose/session.ts'

const saved: { draft: { subject: string; requireTls: boolean | null } }[] = []
beforeEach(() => {
  saved.length = 0
  const storage = new Map<string, string>()
  const store = {
    getItem: (key: string) => storage.get(key) ?? null,
    setItem: (key: string, value: string) => void storage.set(key, value),
    removeItem: (key: string) => void storage.delete(key),
  }
  vi.stubGlobal('sessionStorage', store)
  vi.stubGlobal('localStorage', store)
  vi.stubGlobal('fetch', async (_: string, { body }: { body: string }) => {
    const { draft } = JSON.parse(body)
    saved.push({ draft })
    return Response.json({ id: 'd', revision: saved.length, messageId: 1, draft, attachments: [] })
  })
})
afterEach(() => {
  vi.unstubAllGlobals()
})

test('what was demanded of the transport by itself is decided again when a draft is opened', async () => {
  const session = new ComposeSession(EMPTY)
  session.change({ subject: 'hello' })
  session.adjust({ requireTls: true })
  await session.flush()
  expect(saved.at(-1)?.draft).toMatchObject({ subject: 'hello', requireTls: null })
  expect(session.draft.value.requireTls).toBe(true)
  // What the user chose is kept.
  session.tlsChosen.value = true
  session.change({ requireTls: true })
  await session.flush()
  expect(saved.at(-1)?.draft.requireTls).toBe(true)
  expect(new ComposeSession({ ...EMPTY, requireTls: true }).tlsChosen.value).toBe(true)
})
