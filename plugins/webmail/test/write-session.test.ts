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

test('a save without an answer fails after a while, and is tried again', async () => {
  vi.useFakeTimers()
  try {
    const answering = fetch
    vi.stubGlobal(
      'fetch',
      (_: string, { signal }: { signal: AbortSignal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    )
    const session = new ComposeSession(EMPTY)
    session.change({ subject: 'hello' })
    await vi.advanceTimersByTimeAsync(62_000)
    expect(session.state.value).toBe('saving')
    await vi.advanceTimersByTimeAsync(1_000)
    expect([session.state.value, session.problem.value]).toEqual([
      'failed',
      'Not saved: the server cannot be reached; check the connection and try again',
    ])
    vi.stubGlobal('fetch', answering)
    await vi.advanceTimersByTimeAsync(10_000)
    expect([session.state.value, saved.at(-1)?.draft.subject]).toEqual(['saved', 'hello'])
  } finally {
    vi.useRealTimers()
  }
})
