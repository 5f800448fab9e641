import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { OpenedMessage } from '../src/api/model.ts'
import { chooseMode, problem, retry, startOpened } from '../web/message/state.ts'
import { opened, selected } from '../web/state/store.ts'
import { item, openInbox, serve, thread } from './page-state.ts'

function message(id: number): OpenedMessage {
  const nobody = { sender: [], replyTo: [], to: [], cc: [], bcc: [], references: [], headers: [], attachments: [] }
  return {
    ...nobody,
    ...{ id, from: [{ name: '', address: 'ann@example.org' }], subject: '', date: null, receivedAt: 1, messageId: '' },
    ...{
      texts: [],
      htmlPath: '',
      hasExternal: false,
      proxied: false,
      trackers: 0,
      trackerHosts: [],
      signed: false,
      encrypted: false,
      forwarded: false,
    },
    ...{ listAddress: '', listId: '', unsubscribe: null, viewMode: null, tls: null, withoutTls: false },
    ...{ requireTls: false, authentication: 'unknown' as const, draft: false, notice: '', panels: {} },
  }
}

beforeEach(() => {
  vi.useFakeTimers()
  openInbox([thread(item(1)), thread(item(2)), thread(item(3))])
})
afterEach(() => {
  selected.value = []
  vi.useRealTimers()
  vi.unstubAllGlobals()
})
startOpened()

it('shows the only selected message, counts it as seen, and loads the next ahead', async () => {
  const calls = serve({
    message: ({ id }: { id: number }) => message(id),
    messagesFlags: () => ({ undo: { moved: [], flags: [] } }),
    viewMode: () => ({}),
  })
  selected.value = [1]
  await vi.advanceTimersByTimeAsync(1_000)
  expect(opened.value?.id).toBe(1)
  const names = calls.map(c => [c.name, (c.params as { id?: number }).id])
  expect(names).toContainEqual(['messagesFlags', undefined])
  expect(names.filter(([name]) => name === 'message')).toEqual([
    ['message', 1],
    ['message', 2],
  ])
  selected.value = [2]
  await vi.advanceTimersByTimeAsync(0)
  expect(opened.value?.id).toBe(2)
  chooseMode('html')
  expect(opened.value?.viewMode).toBe('html')
  await vi.advanceTimersByTimeAsync(0)
  expect(calls.at(-1)).toMatchObject({ name: 'viewMode', params: { address: 'ann@example.org', mode: 'html' } })
  selected.value = [2, 3]
  expect(opened.value).toBeUndefined()
})

it('does not load what the selection only runs over', async () => {
  const calls = serve({ message: ({ id }: { id: number }) => message(id) })
  await vi.advanceTimersByTimeAsync(1_000)
  for (const id of [11, 12, 13]) {
    selected.value = [id]
    await vi.advanceTimersByTimeAsync(20)
  }
  await vi.advanceTimersByTimeAsync(200)
  const asked = calls.filter(c => c.name === 'message').map(c => (c.params as { id: number }).id)
  expect(asked).not.toContain(12)
  expect(opened.value?.id).toBe(13)
})

it('says why a message is not shown, and tries again', async () => {
  serve({})
  selected.value = [21]
  await vi.advanceTimersByTimeAsync(200)
  expect([opened.value, problem.value]).toEqual([undefined, 'no message today'])
  serve({ message: ({ id }: { id: number }) => message(id) })
  retry()
  await vi.advanceTimersByTimeAsync(0)
  expect([opened.value?.id, problem.value]).toEqual([21, ''])
})
